// SPDX-License-Identifier: MIT
// Pictures by their ids, with URLs that <img> can show.
import { signal } from "@preact/signals";
import type { Picture } from "../chat/model";
import { loadPicture, savePicture } from "../chat/storage";

export interface ShownPicture extends Picture {
  url: string;
}

/** Those at hand; others are on their way when they have been asked for. */
export const pictures = signal<ReadonlyMap<string, ShownPicture>>(new Map());
const asked = new Set<string>();
const dataUrls = new Map<string, Promise<string>>();

export function holdPicture(picture: Picture): ShownPicture {
  const shown = { ...picture, url: URL.createObjectURL(picture.blob) };
  asked.add(picture.id);
  pictures.value = new Map(pictures.value).set(picture.id, shown);
  return shown;
}

export async function keepPicture(picture: Picture): Promise<ShownPicture> {
  const shown = holdPicture(picture);
  await savePicture(picture);
  return shown;
}

/** The picture if it is at hand; if not, it is fetched and whoever looks is told later. */
export function pictureOf(id: string): ShownPicture | undefined {
  const picture = pictures.value.get(id);
  if (!picture && !asked.has(id)) void fetchPicture(id);
  return picture;
}

export async function fetchPicture(id: string): Promise<ShownPicture | undefined> {
  const there = pictures.value.get(id);
  if (there) return there;
  asked.add(id);
  const picture = await loadPicture(id);
  return picture && (pictures.value.get(id) ?? holdPicture(picture));
}

export function dataUrlOf(picture: Picture): Promise<string> {
  let url = dataUrls.get(picture.id);
  if (!url) {
    url = readAsDataUrl(picture.blob);
    dataUrls.set(picture.id, url);
  }
  return url;
}

export function readAsDataUrl(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error ?? new Error("cannot be read"));
    reader.readAsDataURL(blob);
  });
}
