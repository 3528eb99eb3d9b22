// SPDX-License-Identifier: MIT
// Chats as files.
import { dataUrlOf, fetchPicture, keepPicture } from "../pictures/store";
import { emptyChat, newId, NO_FACTS, type AnswerFacts, type Chat, type Turn } from "./model";
import { pictureIdsOf } from "./tree";

const FORMAT = "vl2-chat-1";

interface SavedPicture {
  id: string;
  name: string;
  width: number;
  height: number;
  data: string; // a data: URL
}

interface SavedChat {
  format: typeof FORMAT;
  title: string;
  leaf: string | null;
  turns: Turn[];
  pictures: SavedPicture[];
}

export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

export function saveFile(text: string, chat: Chat, extension: string, type: string): void {
  const name =
    chat.title
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .trim()
      .slice(0, 60) || "vl2";
  saveBlob(new Blob([text], { type }), `${name}.${extension}`);
}

export async function chatAsJson(chat: Chat): Promise<string> {
  const saved: SavedChat = {
    format: FORMAT,
    title: chat.title,
    leaf: chat.leaf,
    turns: chat.turns,
    pictures: [],
  };
  for (const id of pictureIdsOf(chat)) {
    const picture = await fetchPicture(id);
    if (!picture) continue;
    const { name, width, height } = picture;
    saved.pictures.push({ id, name, width, height, data: await dataUrlOf(picture) });
  }
  return JSON.stringify(saved, null, 1);
}

/** A new chat from a file, of which nothing is believed. Throws when it is none. */
export async function chatFromJson(text: string): Promise<Chat> {
  const saved = JSON.parse(text) as SavedChat;
  if (saved.format !== FORMAT) throw new Error("unknown format");
  const pictureIds = new Map<string, string>();
  for (const picture of saved.pictures) {
    const match = /^data:(image\/[a-z+.-]+);base64,([A-Za-z0-9+/=]*)$/.exec(picture.data);
    if (!match) throw new Error("broken picture");
    const bytes = Uint8Array.from(atob(match[2]!), (character) => character.charCodeAt(0));
    const id = newId();
    pictureIds.set(picture.id, id);
    await keepPicture({
      id,
      name: String(picture.name),
      width: Number(picture.width),
      height: Number(picture.height),
      blob: new Blob([bytes], { type: match[1]! }),
    });
  }
  return chatOf(saved, pictureIds);
}

function chatOf(saved: SavedChat, pictureIds: Map<string, string>): Chat {
  const ids = new Map(saved.turns.map((turn) => [turn.id, newId()]));
  const seen = new Set<string>();
  const turns = saved.turns.map((turn): Turn => {
    // A parent comes before its children, so that there is no circle.
    const parent = turn.parent !== null && seen.has(turn.parent) ? ids.get(turn.parent)! : null;
    seen.add(turn.id);
    return {
      id: ids.get(turn.id)!,
      parent,
      role: turn.role === "user" ? "user" : "assistant",
      text: String(turn.text),
      pictures: turn.pictures.map((id) => pictureIds.get(id)).filter((id) => id !== undefined),
      facts: turn.facts ? factsFrom(turn.facts) : null,
    };
  });
  const leaf = ids.get(saved.leaf ?? "") ?? turns.at(-1)?.id ?? null;
  return { ...emptyChat(), title: String(saved.title), turns, leaf };
}

function factsFrom(saved: AnswerFacts): AnswerFacts {
  const isCorner = (value: unknown) => typeof value === "number" && Number.isFinite(value);
  return {
    ...NO_FACTS,
    finish: typeof saved.finish === "string" ? saved.finish : null,
    regions: (Array.isArray(saved.regions) ? saved.regions : []).filter(
      (region) => Number.isInteger(region.image) && region.image >= 0 && region.box.every(isCorner),
    ),
    tokens: (Array.isArray(saved.tokens) ? saved.tokens : []).map((token) => ({
      text: String(token.text),
      probability: Number(token.probability),
      others: token.others.map((other) => ({
        text: String(other.text),
        probability: Number(other.probability),
      })),
    })),
  };
}
