// SPDX-License-Identifier: MIT

export interface Colour {
  line: string; // of boxes, and behind white text: at least 4.5:1
  name: number; // for the style sheet
}

const LINES = [
  "#d6204e",
  "#1f6fd8",
  "#1a7f37",
  "#9a4fd6",
  "#b35900",
  "#0e7c86",
  "#c2188b",
  "#5b6b00",
  "#7a4a2b",
  "#4f52d9",
];

export function colourOf(index: number): Colour {
  const name = index % LINES.length;
  return { line: LINES[name]!, name };
}
