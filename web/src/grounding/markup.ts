// SPDX-License-Identifier: MIT
// <|ref|>label<|/ref|><|det|>[[x1, y1, x2, y2], ...]<|/det|>, corners in thousandths of the picture.

export type Box = [number, number, number, number];

/** A label and its boxes. While an answer is on its way the last one may be incomplete. */
export interface Mention {
  label: string;
  boxes: Box[];
}

/** A mention at the beginning of a text, and how much of the text it is. */
export function mentionAt(text: string): { mention: Mention; length: number } | null {
  const ref = /^<\|ref\|>(.*?)(?:<\|\/ref\|>|(?=\n)|$)/.exec(text);
  const label = ref?.[1] ?? "";
  const rest = text.slice(ref?.[0].length ?? 0);
  const det = /^<\|det\|>(.*?)(?:<\|\/det\|>|(?=\n)|$)/.exec(rest);
  if (!ref && !det) return null;
  const length = (ref?.[0].length ?? 0) + (det?.[0].length ?? 0);
  return { mention: { label, boxes: boxesIn(det?.[1] ?? "") }, length };
}

function boxesIn(text: string): Box[] {
  return Array.from(text.matchAll(/\[([\d.,\s-]+)\]/g), (match) =>
    match[1]!.split(",").map(Number).slice(0, 4),
  ).filter((box): box is Box => box.length === 4 && box.every(Number.isFinite));
}

/** All mentions of an answer, in order. */
export function mentionsOf(text: string): Mention[] {
  const mentions: Mention[] = [];
  for (let at = nextMark(text, 0); at >= 0;) {
    const found = mentionAt(text.slice(at));
    if (!found) break;
    mentions.push(found.mention);
    at = nextMark(text, at + found.length);
  }
  return mentions;
}

/** Where the next mention begins, from `from` on; -1 if there is none. */
export function nextMark(text: string, from: number): number {
  const at = text.slice(from).search(/<\|(ref|det)\|>/);
  return at < 0 ? -1 : from + at;
}

export function markupOf(label: string, boxes: Box[]): string {
  const lists = boxes.map((box) => `[${box.join(", ")}]`).join(", ");
  return `<|ref|>${label}<|/ref|><|det|>[${lists}]<|/det|>`;
}

/** The text without markup, as it is read aloud and copied. */
export function plainText(text: string): string {
  return text.replace(/<\|det\|>.*?(<\|\/det\|>|$)/gm, "").replace(/<\|\/?(ref|grounding)\|>/g, "");
}

/**
 * Which of `count` pictures a label speaks of while the server has not said so: the one that its
 * image_k names, or else the question's, or else the last one.
 */
export function pictureMeant(label: string, question: string, count: number): number {
  return namedPicture(label, count) ?? namedPicture(afterPictures(question), count) ?? count - 1;
}

function namedPicture(text: string, count: number): number | null {
  const named = Array.from(text.matchAll(/image_(\d+)/g), (match) => Number(match[1]));
  const last = named.findLast((number) => number >= 1 && number <= count);
  return last === undefined ? null : last - 1;
}

function afterPictures(question: string): string {
  const tag = question.lastIndexOf("<image>");
  return tag < 0 ? question : question.slice(tag + "<image>".length);
}
