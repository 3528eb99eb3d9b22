// SPDX-License-Identifier: MIT
// The server's words: docs/server.md of the program describes them.

export type ContentPart =
  | { type: "text"; text: string }
  | { type: "image_url"; image_url: { url: string } }
  | { type: "image_url"; image_url: { width: number; height: number } };

export interface WireMessage {
  role: "system" | "user" | "assistant";
  content: string | ContentPart[];
}

export interface WireRequest {
  messages: WireMessage[];
  temperature?: number;
  top_p?: number;
  repetition_penalty?: number;
  max_tokens?: number;
  seed?: number;
  max_tiles?: number;
  logprobs?: boolean;
  top_logprobs?: number;
  response_format?: { type: "json_schema"; json_schema: { name: string; schema: unknown } };
  stream?: boolean;
  stream_options?: { include_usage: boolean };
}

export interface WireRegion {
  label: string;
  image: number;
  box: [number, number, number, number];
  pixels: [number, number, number, number];
  probability: number | null;
}

export interface WireToken {
  token: string;
  logprob: number;
  top_logprobs?: { token: string; logprob: number }[];
}

export interface WireUsage {
  prompt_tokens: number;
  completion_tokens: number;
  prompt_tokens_details: { cached_tokens: number; image_tokens: number };
}

export interface WireTimings {
  vision_ms: number;
  prompt_ms: number;
  prompt_per_second: number;
  predicted_ms: number;
  predicted_per_second: number;
}

export interface WireChunk {
  choices: {
    delta: { content?: string; grounding?: WireRegion[] };
    logprobs: { content: WireToken[] } | null;
    finish_reason: string | null;
  }[];
  usage?: WireUsage | null;
  timings?: WireTimings;
  error?: { message: string; code: string | null; param: string | null };
}

export interface PictureCost {
  tokens: number;
  width: number;
  height: number;
  tiles: { across: number; down: number };
}

export interface PromptCost {
  input_tokens: number;
  text_tokens: number;
  image_tokens: number;
  messages: { text_tokens: number; image_tokens: number[] }[];
  images: PictureCost[];
  tile_size: number;
  context_length: number;
  tokens_left: number;
}

export interface ModelFacts {
  id: string;
  context_length: number;
  weights_format: string;
  weights_bytes: number;
  instruction_set: string;
}
