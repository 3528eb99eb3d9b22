// SPDX-License-Identifier: MIT
// The questions that come with the bundled model, and what its reference answered.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';

import {nano} from './server.mjs';

const evaluations = readFileSync(join(nano, 'eval/eval.jsonl'), 'utf8')
    .trim().split('\n').map((line) => JSON.parse(line));

// Answers that differ in their best two logits by more than `margin` all the way.
export function questions({margin}) {
  return evaluations.filter((question) => question.min_margin > margin);
}

export function question(id) {
  return evaluations.find((question) => question.id === id);
}

export function pictureBytes(name) { return readFileSync(join(nano, 'eval', name)); }

export function dataUrl(name) {
  return `data:image/png;base64,${pictureBytes(name).toString('base64')}`;
}

// Width and height, out of a PNG's header.
export function pictureSize(name) {
  const bytes = pictureBytes(name);
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
}

// A question as OpenAI's clients send it: a list of texts and pictures.
export function messagesOf({images, prompt}) {
  const content = [];
  prompt.split('<image>').forEach((text, i) => {
    if (i > 0) content.push({type: 'image_url', image_url: {url: dataUrl(images[i - 1])}});
    if (text.trim()) content.push({type: 'text', text: text.trim()});
  });
  return [{role: 'user', content}];
}

// Goes on to the limit of tokens: the end of the answer may not be chosen.
export const endless = {logit_bias: {1: -100}};
