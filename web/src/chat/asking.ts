// SPDX-License-Identifier: MIT
// Questions on their way to the server, and answers on theirs back.
import { signal } from "@preact/signals";
import { streamChat } from "../api/client";
import { asFailure, isAbort } from "../api/failure";
import { refreshStatus } from "../api/status";
import type { WireChunk, WireToken } from "../api/wire";
import { settings } from "../settings";
import { chatOf, saveNow, shownChat, updateChat, updateTurn } from "./chats";
import { newId, NO_FACTS, type AnswerFacts, type Fault, type Token, type Turn } from "./model";
import { chatRequest } from "./request";
import { pathOf, sentPart, titleFrom, withTurn } from "./tree";

export interface Running {
  chat: string;
  turn: string;
  controller: AbortController;
}
/** The answer that is being written; one at a time. */
export const running = signal<Running | null>(null);

export function stop(): void {
  running.value?.controller.abort();
}

/** Adds a question after the turn `parent` of the shown chat and gets its answer. */
export function askQuestion(
  parent: string | null,
  text: string,
  pictures: string[],
): Promise<void> {
  const chat = shownChat.value.id;
  const question: Turn = { id: newId(), parent, role: "user", text, pictures, facts: null };
  updateChat(chat, (before) => ({
    ...withTurn(before, question),
    title: before.title || titleFrom(text),
  }));
  return answer(chat, question.id);
}

/** One more answer to the question. */
export function askAgain(question: string): Promise<void> {
  return answer(shownChat.value.id, question);
}

async function answer(chat: string, question: string): Promise<void> {
  if (running.value) return;
  const turn: Turn = {
    id: newId(),
    parent: question,
    role: "assistant",
    text: "",
    pictures: [],
    facts: NO_FACTS,
  };
  updateChat(chat, (before) => withTurn(before, turn));
  const controller = new AbortController();
  running.value = { chat, turn: turn.id, controller };
  const growing = new GrowingAnswer(chat, turn.id);
  try {
    const before = chatOf(chat)!;
    const request = await chatRequest(sentPart(before, pathOf(before, question)), settings.value);
    for await (const chunk of streamChat(request, controller.signal)) growing.add(chunk);
  } catch (error) {
    if (isAbort(error)) growing.end({ finish: "stopped" });
    else growing.end({ fault: faultOf(error) });
  }
  growing.end({});
  running.value = null;
  await saveNow(chat);
  void refreshStatus();
}

function faultOf(error: unknown): Fault {
  const failure = asFailure(error);
  const kind = failure.serverIsGone
    ? "gone"
    : failure.queueIsFull
      ? "queue"
      : failure.keyIsMissing
        ? "key"
        : "other";
  return { message: failure.message, kind, retryAfterSeconds: failure.retryAfterSeconds };
}

const SHOW_MS = 33;

/** Shows what has come a few dozen times a second, however fast it comes. */
class GrowingAnswer {
  private text = "";
  private facts: AnswerFacts = NO_FACTS;
  private readonly start = performance.now();
  private timer: number | undefined;

  constructor(
    private readonly chat: string,
    private readonly turn: string,
  ) {}

  add({ choices, usage, timings }: WireChunk): void {
    const choice = choices[0];
    const came = choice?.logprobs?.content ?? [];
    this.text += choice?.delta.content ?? "";
    if (came.length > 0)
      this.facts = { ...this.facts, tokens: [...this.facts.tokens, ...came.map(tokenOf)] };
    if (choice?.delta.content && this.facts.firstTokenMs === null)
      this.facts = { ...this.facts, firstTokenMs: performance.now() - this.start };
    if (choice?.delta.grounding) this.facts = { ...this.facts, regions: choice.delta.grounding };
    if (choice?.finish_reason) this.facts = { ...this.facts, finish: choice.finish_reason };
    if (timings) this.facts = { ...this.facts, timings };
    if (usage) this.facts = { ...this.facts, usage };
    this.timer ??= window.setTimeout(() => this.show(), SHOW_MS);
  }

  end(part: Partial<AnswerFacts>): void {
    this.facts = { ...this.facts, ...part };
    this.show();
  }

  private show(): void {
    window.clearTimeout(this.timer);
    this.timer = undefined;
    updateTurn(this.chat, this.turn, { text: this.text, facts: this.facts });
  }
}

function tokenOf({ token, logprob, top_logprobs }: WireToken): Token {
  return {
    text: token,
    probability: Math.exp(logprob),
    others: (top_logprobs ?? []).map((other) => ({
      text: other.token,
      probability: Math.exp(other.logprob),
    })),
  };
}
