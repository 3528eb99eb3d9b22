// SPDX-License-Identifier: MIT
// Pictures with their boxes, and parts of pictures, as files.
import type { Picture } from "../chat/model";
import { uprightBox, type Region } from "./regions";
import type { Box } from "./markup";

/** In pixels of the picture. */
export function pixelsOf(box: Box, width: number, height: number): Box {
  const [x1, y1, x2, y2] = uprightBox(box);
  return [(x1 / 999) * width, (y1 / 999) * height, (x2 / 999) * width, (y2 / 999) * height];
}

async function canvasWith(picture: Picture): Promise<HTMLCanvasElement> {
  const bitmap = await createImageBitmap(picture.blob);
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("2d")!.drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas;
}

export function blobOf(canvas: HTMLCanvasElement, type = "image/png"): Promise<Blob> {
  return new Promise((resolve, reject) => {
    const done = (blob: Blob | null) =>
      blob ? resolve(blob) : reject(new Error("The browser cannot write this picture."));
    canvas.toBlob(done, type, 0.95);
  });
}

export async function annotated(picture: Picture, regions: Region[]): Promise<Blob> {
  const canvas = await canvasWith(picture);
  const context = canvas.getContext("2d")!;
  const scale = Math.max(1, Math.max(canvas.width, canvas.height) / 800);
  context.lineWidth = 3 * scale;
  context.font = `600 ${14 * scale}px system-ui, sans-serif`;
  context.textBaseline = "top";
  for (const region of regions) drawRegion(context, region, scale);
  return blobOf(canvas);
}

function drawRegion(context: CanvasRenderingContext2D, region: Region, scale: number): void {
  const { width, height } = context.canvas;
  const [x1, y1, x2, y2] = pixelsOf(region.box, width, height);
  context.strokeStyle = region.colour.line;
  context.strokeRect(x1, y1, x2 - x1, y2 - y1);
  if (!region.label) return;
  const labelWidth = context.measureText(region.label).width + 8 * scale;
  const labelHeight = 20 * scale;
  const left = Math.max(0, Math.min(x1, width - labelWidth));
  const top = y1 >= labelHeight ? y1 - labelHeight : y1;
  context.fillStyle = region.colour.line;
  context.fillRect(left, top, labelWidth, labelHeight);
  context.fillStyle = "#fff";
  context.fillText(region.label, left + 4 * scale, top + 3 * scale);
}

/** What lies in the box, at least one pixel of it. */
export async function cropped(picture: Picture, box: Box): Promise<Blob> {
  const bitmap = await createImageBitmap(picture.blob);
  const [x1, y1, x2, y2] = pixelsOf(box, bitmap.width, bitmap.height).map(Math.round) as Box;
  const left = Math.min(x1, bitmap.width - 1);
  const top = Math.min(y1, bitmap.height - 1);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, x2 - left);
  canvas.height = Math.max(1, y2 - top);
  canvas.getContext("2d")!.drawImage(bitmap, -left, -top);
  bitmap.close();
  return blobOf(canvas);
}
