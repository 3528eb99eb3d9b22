// SPDX-License-Identifier: MIT
// Answers are Markdown with formulas and grounding markup. Only the lexer of the Markdown library is
// used: elements are made from its tokens, never from strings of HTML.
import { Marked, type Token, type TokenizerAndRendererExtension, type Tokens } from "marked";
import { mentionAt, nextMark, type Mention } from "../grounding/markup";

export interface MentionToken extends Tokens.Generic {
  type: "mention";
  mention: Mention;
}

export interface FormulaToken extends Tokens.Generic {
  type: "formula";
  formula: string;
  display: boolean;
}

const mention: TokenizerAndRendererExtension = {
  name: "mention",
  level: "inline",
  start: (text) => {
    const at = nextMark(text, 0);
    return at < 0 ? undefined : at;
  },
  tokenizer(text) {
    const found = mentionAt(text);
    if (!found) return undefined;
    return { type: "mention", raw: text.slice(0, found.length), mention: found.mention };
  },
};

const DISPLAY = [/^\$\$([^$]+?)\$\$/, /^\\\[([\s\S]+?)\\\]/];
const INLINE = [/^\\\((.+?)\\\)/, /^\$(?!\s)([^$\n]+?)(?<!\s)\$(?!\d)/];

function formulaToken(
  text: string,
  patterns: RegExp[],
  display: boolean,
): FormulaToken | undefined {
  for (const pattern of patterns) {
    const found = pattern.exec(text);
    if (found) return { type: "formula", raw: found[0], formula: found[1]!, display };
  }
  return undefined;
}

function placeOf(pattern: RegExp, text: string): number | undefined {
  const at = text.search(pattern);
  return at < 0 ? undefined : at;
}

const formulaBlock: TokenizerAndRendererExtension = {
  name: "formulaBlock",
  level: "block",
  start: (text) => placeOf(/(?<=\n)(\$\$|\\\[)/, text),
  tokenizer: (text) => formulaToken(text, DISPLAY, true),
};

const formula: TokenizerAndRendererExtension = {
  name: "formula",
  level: "inline",
  start: (text) => placeOf(/\$|\\\(|\\\[/, text),
  tokenizer: (text) => formulaToken(text, DISPLAY, true) ?? formulaToken(text, INLINE, false),
};

const marked = new Marked({
  gfm: true,
  breaks: true,
  extensions: [mention, formulaBlock, formula],
});

export function lex(text: string): Token[] {
  return marked.lexer(text);
}

const ENTITIES: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
};

/** `&lt;` and the like, which the lexer leaves as they are. */
export function withoutEntities(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|(\w{2,8}));/g,
    (all, decimal, hex, name) => {
      if (name) return ENTITIES[name as string] ?? all;
      const code = decimal ? Number(decimal) : Number.parseInt(hex as string, 16);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
    },
  );
}
