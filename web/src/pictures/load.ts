// SPDX-License-Identifier: MIT
// From files to pictures that the server reads and that look to it as they look to the reader.
import { newId, type Picture } from "../chat/model";
import { blobOf } from "../grounding/drawing";
import { exifOrientation } from "./orientation";

export class PictureFault extends Error {}

// What the server reads as it is. The browser may know more, and changes it to PNG.
const READ_BY_SERVER = new Set(["image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp"]);

export function isPdf(file: File): boolean {
  return file.type === "application/pdf" || /\.pdf$/i.test(file.name);
}

export async function pictureFrom(file: Blob, name: string): Promise<Picture> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new PictureFault(name);
  });
  const { width, height } = bitmap;
  const canvas = await mustBeRedrawn(file, bitmap);
  bitmap.close();
  const blob = canvas ? await blobOf(canvas) : file;
  return { id: newId(), name, width, height, blob: new Blob([blob], { type: blob.type }) };
}

/** The picture on white if it is turned, see-through, or of a kind that the server cannot read. */
async function mustBeRedrawn(file: Blob, bitmap: ImageBitmap): Promise<HTMLCanvasElement | null> {
  const known = READ_BY_SERVER.has(file.type);
  const turned = file.type === "image/jpeg" && exifOrientation(await file.arrayBuffer()) !== 1;
  const opaque = file.type === "image/jpeg" || file.type === "image/bmp";
  if (known && !turned && (opaque || !hasTransparency(bitmap))) return null;
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  const context = canvas.getContext("2d")!;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0);
  return canvas;
}

function hasTransparency(bitmap: ImageBitmap): boolean {
  // A small copy is enough: averaging keeps what is see-through see-through.
  const scale = Math.min(1, 512 / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d")!;
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 3; i < data.length; i += 4) if (data[i]! < 250) return true;
  return false;
}
