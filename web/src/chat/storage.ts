// SPDX-License-Identifier: MIT
// Chats and pictures in the browser's IndexedDB. Where the browser has none (a private window of
// some), chats live as long as the page.
import { signal } from "@preact/signals";
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import type { Chat, Picture } from "./model";
import { pictureIdsOf } from "./tree";

interface Schema extends DBSchema {
  chats: { key: string; value: Chat };
  pictures: { key: string; value: Picture };
}

/** The browser takes no more: its disk is full, or it grants the page too little. */
export const storageIsFull = signal(false);

let opened: Promise<IDBPDatabase<Schema> | null> | undefined;

function database(): Promise<IDBPDatabase<Schema> | null> {
  opened ??= openDB<Schema>("vl2", 1, {
    upgrade(db) {
      db.createObjectStore("chats", { keyPath: "id" });
      db.createObjectStore("pictures", { keyPath: "id" });
    },
  }).catch(() => null);
  return opened;
}

export async function loadChats(): Promise<Chat[]> {
  return (await (await database())?.getAll("chats")) ?? [];
}

async function write(put: (db: IDBPDatabase<Schema>) => Promise<unknown>): Promise<void> {
  const db = await database();
  if (!db) return;
  try {
    await put(db);
    storageIsFull.value = false;
  } catch {
    storageIsFull.value = true;
  }
}

export function saveChat(chat: Chat): Promise<void> {
  return write((db) => db.put("chats", chat));
}

export function savePicture(picture: Picture): Promise<void> {
  return write((db) => db.put("pictures", picture));
}

export async function loadPicture(id: string): Promise<Picture | undefined> {
  return (await database())?.get("pictures", id);
}

/** Pictures that no other chat shows go with it. */
export async function deleteChat(chat: Chat, others: Chat[]): Promise<void> {
  const db = await database();
  await db?.delete("chats", chat.id);
  const shared = new Set(others.flatMap(pictureIdsOf));
  for (const id of pictureIdsOf(chat)) if (!shared.has(id)) await db?.delete("pictures", id);
}
