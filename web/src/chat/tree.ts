// SPDX-License-Identifier: MIT
import { newId, type Chat, type Turn } from "./model";

export function turnOf(chat: Chat, id: string | null): Turn | undefined {
  return chat.turns.find((turn) => turn.id === id);
}

/** From the first turn to `id`, or to the end of the branch that is shown. */
export function pathOf(chat: Chat, id: string | null = chat.leaf): Turn[] {
  const path: Turn[] = [];
  for (let turn = turnOf(chat, id); turn; turn = turnOf(chat, turn.parent)) path.unshift(turn);
  return path;
}

/** Those of the path that the model is still shown. */
export function sentPart(chat: Chat, path: Turn[]): Turn[] {
  return path.slice(path.findIndex((turn) => turn.id === chat.lastUnsent) + 1);
}

/** The turn and its alternatives, in the order in which they were made. */
export function siblingsOf(chat: Chat, turn: Turn): Turn[] {
  return chat.turns.filter((other) => other.parent === turn.parent);
}

/** The end of the branch that goes on from `id` by the newest turns. */
export function newestLeafBelow(chat: Chat, id: string): string {
  const child = chat.turns.findLast((turn) => turn.parent === id);
  return child ? newestLeafBelow(chat, child.id) : id;
}

export function withTurn(chat: Chat, turn: Turn): Chat {
  return { ...chat, turns: [...chat.turns, turn], leaf: turn.id, changed: Date.now() };
}

export function withChangedTurn(chat: Chat, id: string, part: Partial<Turn>): Chat {
  const turns = chat.turns.map((turn) => (turn.id === id ? { ...turn, ...part } : turn));
  return { ...chat, turns };
}

/** A chat of its own that begins with the branch up to `id`. */
export function branchedAt(chat: Chat, id: string): Chat {
  return { ...chat, id: newId(), turns: pathOf(chat, id), leaf: id, changed: Date.now() };
}

export function pictureIdsOf(chat: Chat): string[] {
  return [...new Set(chat.turns.flatMap((turn) => turn.pictures))];
}

/** For the list of chats. */
export function titleFrom(text: string): string {
  const plain = text
    .replace(/<image>|<\|[^|]*\|>|\[\[[^\]]*\]\]/g, " ")
    .replace(/\s+/g, " ")
    .replace(/ (?=[.,:;!?])/g, "")
    .trim();
  const characters = [...plain];
  return characters.length > 60 ? characters.slice(0, 59).join("") + "…" : plain;
}
