// SPDX-License-Identifier: MIT
// What the model can do, each with its prompt and a picture to try it on.
import barChart from "../../models/vl2-nano/demo/bar_chart.png";
import pair1 from "../../models/vl2-nano/demo/pair_1.png";
import pair2 from "../../models/vl2-nano/demo/pair_2.png";
import receipt from "../../models/vl2-nano/demo/receipt.png";
import shapes from "../../models/vl2-nano/demo/shapes.png";
import shapesBoxes from "../../models/vl2-nano/demo/shapes_boxes.png";
import sign from "../../models/vl2-nano/demo/sign.png";
import { addPicture, draft, setText } from "./chat/draft";
import type { TextKey } from "./language/language";
import { pictureFrom } from "./pictures/load";

export interface Mode {
  name: TextKey;
  prompt: string;
  blank?: string; // the part of the prompt that is to be written over
  examples: string[]; // URLs
}

export const MODES: Mode[] = [
  { name: "modeDescribe", prompt: "Describe the image.", examples: [shapes] },
  { name: "modeOcr", prompt: "Read the text.", examples: [sign] },
  { name: "modeMarkdown", prompt: "Convert the document to Markdown.", examples: [receipt] },
  { name: "modeTable", prompt: "Convert the chart to a table.", examples: [barChart] },
  {
    name: "modeFind",
    prompt: "<|ref|>the gray diamond<|/ref|>.",
    blank: "the gray diamond",
    examples: [shapesBoxes],
  },
  { name: "modeGrounded", prompt: "<|grounding|>Describe the image.", examples: [shapesBoxes] },
  {
    name: "modeCompare",
    prompt: "This is image_1: <image>\nThis is image_2: <image>\nWhich image has more stars?",
    blank: "Which image has more stars?",
    examples: [pair1, pair2],
  },
];

/** Writes the mode's prompt; without pictures in the draft or the chat its examples come along. */
export async function beginMode(mode: Mode, withExamples: boolean): Promise<void> {
  if (withExamples && draft.value.pictures.length === 0) {
    for (const url of mode.examples) {
      const blob = await (await fetch(url)).blob();
      const name = url.slice(url.lastIndexOf("/") + 1).replace(/-[\w-]{8}(?=\.)/, "");
      addPicture(await pictureFrom(blob, name));
    }
  }
  const start = mode.blank ? mode.prompt.indexOf(mode.blank) : mode.prompt.length;
  setText(mode.prompt, { start, end: start + (mode.blank?.length ?? 0) });
}
