// SPDX-License-Identifier: MIT
// All chats at hand, and the one that is shown.
import { batch, computed, effect, signal } from "@preact/signals";
import { emptyChat, type Chat, type Turn } from "./model";
import { deleteChat, loadChats, saveChat } from "./storage";
import { branchedAt, newestLeafBelow, withChangedTurn } from "./tree";

const first = emptyChat();
const all = signal<ReadonlyMap<string, Chat>>(new Map([[first.id, first]]));
const shownId = signal(first.id);
const LAST_SHOWN = "vl2-chat";

export const shownChat = computed<Chat>(() => all.value.get(shownId.value)!);

/** Those with a turn, the newest first. */
export const listedChats = computed<Chat[]>(() =>
  [...all.value.values()]
    .filter((chat) => chat.turns.length > 0)
    .sort((a, b) => b.changed - a.changed),
);

export async function openChats(): Promise<void> {
  const stored = await loadChats();
  all.value = new Map([...all.value, ...stored.map((chat) => [chat.id, chat] as const)]);
  const last = sessionStorage.getItem(LAST_SHOWN);
  if (last && all.value.has(last)) shownId.value = last;
  effect(() => sessionStorage.setItem(LAST_SHOWN, shownId.value));
}

export function showChat(id: string): void {
  shownId.value = id;
}

export function beginChat(): void {
  if (shownChat.value.turns.length === 0) return;
  const chat = emptyChat();
  all.value = new Map(all.value).set(chat.id, chat);
  showChat(chat.id);
}

export function chatOf(id: string): Chat | undefined {
  return all.value.get(id);
}

const unsaved = new Map<string, number>();
const SAVE_MS = 300;

/** Changes a chat, also one that is not shown, and keeps it soon. */
export function updateChat(id: string, change: (chat: Chat) => Chat): void {
  const chat = all.value.get(id);
  if (!chat) return;
  all.value = new Map(all.value).set(id, change(chat));
  if (unsaved.has(id)) return;
  unsaved.set(
    id,
    window.setTimeout(() => void saveNow(id), SAVE_MS),
  );
}

export async function saveNow(id: string): Promise<void> {
  window.clearTimeout(unsaved.get(id));
  unsaved.delete(id);
  const chat = all.value.get(id);
  if (chat && chat.turns.length > 0) await saveChat(chat);
}

export function updateTurn(chat: string, turn: string, part: Partial<Turn>): void {
  updateChat(chat, (before) => withChangedTurn(before, turn, part));
}

export function showBranch(id: string): void {
  updateChat(shownId.value, (chat) => ({ ...chat, leaf: newestLeafBelow(chat, id) }));
}

/** A chat of its own that begins like the shown one up to a turn. */
export function branchOff(turn: string): void {
  addChat(branchedAt(shownChat.value, turn));
}

export function addChat(chat: Chat): void {
  all.value = new Map(all.value).set(chat.id, chat);
  showChat(chat.id);
  void saveNow(chat.id);
}

export async function removeChat(id: string): Promise<void> {
  const chat = all.value.get(id);
  if (!chat) return;
  const rest = new Map(all.value);
  rest.delete(id);
  const next = emptyChat();
  if (id === shownId.value) rest.set(next.id, next);
  batch(() => {
    all.value = rest;
    if (id === shownId.value) shownId.value = next.id;
  });
  window.clearTimeout(unsaved.get(id));
  unsaved.delete(id);
  await deleteChat(chat, [...rest.values()]);
}
