// SPDX-License-Identifier: MIT
// From turns to what the server is asked.
import type { ContentPart, WireMessage, WireRequest } from "../api/wire";
import { dataUrlOf, fetchPicture, type ShownPicture } from "../pictures/store";
import type { Settings } from "../settings";
import type { Turn } from "./model";

type Asked = Pick<Turn, "role" | "text" | "pictures">;
type PicturePart = (picture: ShownPicture) => Promise<ContentPart>;

const whole: PicturePart = async (picture) => ({
  type: "image_url",
  image_url: { url: await dataUrlOf(picture) },
});
const sizeAlone: PicturePart = async ({ width, height }) => ({
  type: "image_url",
  image_url: { width, height },
});

async function messagesOf(
  turns: Asked[],
  { system }: Settings,
  part: PicturePart,
): Promise<WireMessage[]> {
  const messages: WireMessage[] = [];
  if (system.trim()) messages.push({ role: "system", content: system });
  for (const turn of turns) messages.push(await messageOf(turn, part));
  return messages;
}

async function messageOf({ role, text, pictures }: Asked, part: PicturePart): Promise<WireMessage> {
  if (pictures.length === 0) return { role, content: text };
  const parts: ContentPart[] = [];
  for (const id of pictures) {
    const picture = await fetchPicture(id);
    if (!picture) throw new Error("A picture of this chat is no longer there.");
    parts.push(await part(picture));
  }
  // Pictures before the text take the places of its <image> tags, or come first if it has none.
  return { role, content: [...parts, { type: "text", text }] };
}

export async function chatRequest(turns: Asked[], settings: Settings): Promise<WireRequest> {
  return {
    messages: await messagesOf(turns, settings, whole),
    temperature: settings.temperature,
    top_p: settings.topP,
    repetition_penalty: settings.repetitionPenalty,
    max_tokens: settings.maxTokens,
    ...(settings.seed === null ? {} : { seed: settings.seed }),
    ...(settings.maxTiles === null ? {} : { max_tiles: settings.maxTiles }),
    ...(settings.probabilities ? { logprobs: true, top_logprobs: 5 } : {}),
    ...formatOf(settings.schema),
  };
}

function formatOf(schema: string): Pick<WireRequest, "response_format"> {
  if (schema.trim() === "") return {};
  const parsed = JSON.parse(schema) as unknown;
  return {
    response_format: { type: "json_schema", json_schema: { name: "answer", schema: parsed } },
  };
}

/** The same prompt for counting, which needs no more of pictures than their sizes. */
export async function countRequest(turns: Asked[], settings: Settings): Promise<WireRequest> {
  return {
    messages: await messagesOf(turns, settings, sizeAlone),
    ...(settings.maxTiles === null ? {} : { max_tiles: settings.maxTiles }),
  };
}
