// SPDX-License-Identifier: MIT
// A chat is a tree of turns: asking again or editing a question begins another branch. Pictures are
// kept apart from chats, since a branch shares those of its stem.
import type { WireRegion, WireTimings, WireUsage } from "../api/wire";

export interface Picture {
  id: string;
  name: string;
  width: number;
  height: number;
  blob: Blob;
}

export interface Token {
  text: string;
  probability: number;
  others: { text: string; probability: number }[];
}

export interface Fault {
  message: string;
  kind: "gone" | "queue" | "key" | "other";
  retryAfterSeconds: number | null;
}

/** What is known of an answer besides its text. */
export interface AnswerFacts {
  finish: string | null; // "stop", "length"; "stopped" by the reader; null: not at its end
  regions: WireRegion[];
  tokens: Token[];
  usage: WireUsage | null;
  timings: WireTimings | null;
  firstTokenMs: number | null;
  fault: Fault | null;
}

export interface Turn {
  id: string;
  parent: string | null;
  role: "user" | "assistant";
  text: string;
  pictures: string[];
  facts: AnswerFacts | null; // of answers
}

export interface Chat {
  id: string;
  title: string;
  changed: number; // milliseconds since 1970
  turns: Turn[];
  leaf: string | null; // the end of the branch that is shown
  lastUnsent: string | null; // turns of the branch up to this one are not sent any more
}

export const NO_FACTS: AnswerFacts = {
  finish: null,
  regions: [],
  tokens: [],
  usage: null,
  timings: null,
  firstTokenMs: null,
  fault: null,
};

export function newId(): string {
  // crypto.randomUUID() is there in secure contexts only, and a server in the house is none.
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function emptyChat(): Chat {
  return { id: newId(), title: "", changed: Date.now(), turns: [], leaf: null, lastUnsent: null };
}
