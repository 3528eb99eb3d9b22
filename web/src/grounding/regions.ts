// SPDX-License-Identifier: MIT
// The boxes of an answer as the page draws them.
import { signal } from "@preact/signals";
import type { WireRegion } from "../api/wire";
import { colourOf, type Colour } from "./colours";
import { mentionsOf, pictureMeant, type Box } from "./markup";

export interface Region {
  label: string;
  mention: number; // which mention of the answer it belongs to
  picture: number; // over all pictures that the model was shown
  box: Box;
  probability: number | null;
  colour: Colour;
}

/** Labels have one colour each, wherever they come in the answer. */
export function coloursOf(labels: string[]): Colour[] {
  const different = [...new Set(labels)];
  return labels.map((label) => colourOf(different.indexOf(label)));
}

/** `told` is the server's own list, once it is there. */
export function regionsOf(
  answer: string,
  question: string,
  pictureCount: number,
  told: WireRegion[],
): Region[] {
  if (pictureCount === 0) return [];
  const mentions = mentionsOf(answer);
  const colours = coloursOf(mentions.map((mention) => mention.label));
  const regions = mentions.flatMap((mention, index) =>
    mention.boxes.map((box): Region => ({
      label: mention.label,
      mention: index,
      picture: pictureMeant(mention.label, question, pictureCount),
      box,
      probability: null,
      colour: colours[index]!,
    })),
  );
  if (told.length !== regions.length) return regions;
  return regions.map((region, index) => {
    const { image, probability } = told[index]!;
    return { ...region, picture: Math.min(image, pictureCount - 1), probability };
  });
}

/** The mention that the pointer or the keyboard is at: "turn:mention". */
export const pointedAt = signal<string | null>(null);

export function mentionKey(turn: string, mention: number): string {
  return `${turn}:${mention}`;
}

/** Corners in the order left, top, right, bottom, inside the picture. */
export function uprightBox(box: Box): Box {
  const [x1, y1, x2, y2] = box.map((value) => Math.min(999, Math.max(0, value))) as Box;
  return [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
}
