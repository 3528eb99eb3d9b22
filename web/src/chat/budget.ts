// SPDX-License-Identifier: MIT
// What the question would cost, asked of the server while it is being written.
import { effect, signal } from "@preact/signals";
import { countTokens } from "../api/client";
import { asFailure, isAbort } from "../api/failure";
import { serverStatus } from "../api/status";
import type { PromptCost } from "../api/wire";
import { settings, change } from "../settings";
import { shownChat, updateChat } from "./chats";
import { draft, draftParent } from "./draft";
import type { Turn } from "./model";
import { countRequest } from "./request";
import { pathOf, sentPart } from "./tree";

export interface Budget {
  cost: PromptCost;
  draftPictures: number; // how many of the last pictures are the draft's
}

export const budget = signal<Budget | null>(null);
export const budgetFault = signal<string | null>(null);

const WAIT_MS = 200;
type Asked = Pick<Turn, "role" | "text" | "pictures">;

function askedTurns(history: Turn[]): Asked[] {
  const { text, pictures } = draft.value;
  return [...history, { role: "user", text, pictures: pictures.map((picture) => picture.id) }];
}

function history(): Turn[] {
  return sentPart(shownChat.value, pathOf(shownChat.value, draftParent()));
}

export function watchBudget(): void {
  let controller = new AbortController();
  let timer: number | undefined;
  effect(() => {
    const turns = askedTurns(history());
    const given = settings.value;
    const ready = serverStatus.value.state === "ready";
    controller.abort();
    window.clearTimeout(timer);
    if (!ready) return;
    const mine = new AbortController();
    controller = mine;
    timer = window.setTimeout(() => void count(turns, given, mine.signal), WAIT_MS);
  });
}

async function count(turns: Asked[], given: typeof settings.value, signal: AbortSignal) {
  try {
    const cost = await countTokens(await countRequest(turns, given), signal);
    budget.value = { cost, draftPictures: turns.at(-1)!.pictures.length };
    budgetFault.value = null;
  } catch (error) {
    if (isAbort(error)) return;
    budgetFault.value = asFailure(error).message;
  }
}

export function fits(cost: PromptCost): boolean {
  return cost.tokens_left > 0;
}

async function wouldFit(turns: Asked[], maxTiles: number | null): Promise<boolean> {
  const request = await countRequest(turns, { ...settings.value, maxTiles });
  return fits(await countTokens(request, new AbortController().signal));
}

/** As many tiles a picture as there is room for; false if one is too many. */
export async function useFewerTiles(): Promise<boolean> {
  const turns = askedTurns(history());
  for (const tiles of [6, 4, 3, 2, 1]) {
    if (tiles >= (settings.value.maxTiles ?? Infinity)) continue;
    if (!(await wouldFit(turns, tiles))) continue;
    change({ maxTiles: tiles });
    return true;
  }
  return false;
}

/** Leaves out as many of the oldest turns as must be; false if the question alone is too long. */
export async function dropOldTurns(): Promise<boolean> {
  const turns = history();
  const { id } = shownChat.value;
  for (const [index, turn] of turns.entries()) {
    if (turn.role === "user") continue; // a question goes together with its answer
    if (!(await wouldFit(askedTurns(turns.slice(index + 1)), settings.value.maxTiles))) continue;
    updateChat(id, (chat) => ({ ...chat, lastUnsent: turn.id }));
    return true;
  }
  return false;
}
