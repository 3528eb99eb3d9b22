// SPDX-License-Identifier: MIT
import { settings } from "../settings";
import { ApiFailure, failureOf, isAbort } from "./failure";
import type { ModelFacts, PromptCost, WireChunk, WireRequest } from "./wire";

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  const key = settings.value.apiKey;
  if (key) headers.set("authorization", `Bearer ${key}`);
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers, cache: "no-store" });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiFailure("The server does not answer.", 0);
  }
  if (!response.ok) throw await failureOf(response);
  return response;
}

function post(path: string, body: unknown, signal: AbortSignal | null): Promise<Response> {
  return ask(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
}

export async function countTokens(request: WireRequest, signal: AbortSignal): Promise<PromptCost> {
  const response = await post("/v1/chat/completions/input_tokens", request, signal);
  return (await response.json()) as PromptCost;
}

export async function loadModelFacts(): Promise<ModelFacts> {
  const list = (await (await ask("/v1/models")).json()) as { data: ModelFacts[] };
  const facts = list.data[0];
  if (!facts) throw new ApiFailure("The server names no model.", 500);
  return facts;
}

/** "ok", "loading" or "draining"; throws when nobody answers. */
export async function loadHealth(): Promise<string> {
  let response: Response;
  try {
    response = await fetch("/health", { cache: "no-store" });
  } catch {
    throw new ApiFailure("The server does not answer.", 0);
  }
  return ((await response.json()) as { status: string }).status;
}

/** The values of the server's counters and gauges that have no labels. */
export async function loadMetrics(): Promise<Map<string, number>> {
  const text = await (await ask("/metrics")).text();
  const values = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [name, value] = line.split(" ");
    if (name && value && /^\w+$/.test(name)) values.set(name, Number(value));
  }
  return values;
}

/** The chunks of an answer as they come. Aborting the signal makes the server stop. */
export async function* streamChat(
  request: WireRequest,
  signal: AbortSignal,
): AsyncGenerator<WireChunk> {
  const response = await post(
    "/v1/chat/completions",
    { ...request, stream: true, stream_options: { include_usage: true } },
    signal,
  );
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (true) {
    const { done, value } = await readOrFail(reader);
    if (done) throw new ApiFailure("The server broke the answer off.", 0);
    const events = (rest + value).split("\n\n");
    rest = events.pop()!;
    for (const event of events) {
      if (!event.startsWith("data: ")) continue; // comments keep the connection alive
      const data = event.slice("data: ".length);
      if (data === "[DONE]") return;
      const chunk = JSON.parse(data) as WireChunk;
      if (chunk.error) {
        const { message, code, param } = chunk.error;
        throw new ApiFailure(message, 500, code, param);
      }
      yield chunk;
    }
  }
}

async function readOrFail(reader: ReadableStreamDefaultReader<string>) {
  try {
    return await reader.read();
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiFailure("The server broke the answer off.", 0);
  }
}
