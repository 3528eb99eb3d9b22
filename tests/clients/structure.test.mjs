// SPDX-License-Identifier: MIT
// Answers with a structure: boxes, and JSON that follows a schema.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import OpenAI from 'openai';

import {dataUrl, messagesOf, pictureSize, question} from './questions.mjs';
import {Server} from './server.mjs';

const model = 'vl2-nano';
let server;
let client;

before(async () => {
  server = await Server.start(['--weights', 'f32']);
  client = new OpenAI({baseURL: `${server.url}/v1`, apiKey: 'unused', maxRetries: 0});
});
after(async () => assert.deepEqual(await server.stop(), {code: 0, signal: null}));

test('boxes come in thousandths and in pixels, and the text keeps its marks', async () => {
  const one = question(6);
  const answer = await client.chat.completions.create(
      {model, messages: messagesOf(one), temperature: 0});
  const {content, grounding} = answer.choices[0].message;
  const [, label, box] = content.match(/^<\|ref\|>(.*)<\|\/ref\|><\|det\|>\[(\[.*?\]).*<\|\/det\|>$/);
  assert.equal(grounding[0].label, label);
  assert.equal(grounding[0].image, 0);
  assert.deepEqual(grounding[0].box, JSON.parse(box));
  const [width, height] = pictureSize(one.images[0]);
  assert.deepEqual(grounding[0].pixels, grounding[0].box.map(
      (value, i) => Math.trunc(value / 999 * (i % 2 === 0 ? width : height))));
  assert.ok(grounding[0].probability > 0 && grounding[0].probability <= 1);
});

test('boxes are the same ones in a stream, and told with its end', async () => {
  const request = {model, messages: messagesOf(question(6)), temperature: 0};
  const whole = await client.chat.completions.create(request);
  const grounding = [];
  for await (const chunk of await client.chat.completions.create({...request, stream: true}))
    grounding.push(...(chunk.choices[0].delta.grounding ?? []));
  assert.deepEqual(grounding, whole.choices[0].message.grounding);
});

test('boxes are well-formed, however wild the dice are', async () => {
  const answer = await client.chat.completions.create({
    model,
    messages: messagesOf(question(6)),
    n: 16,
    temperature: 5,
    seed: 1,
    max_tokens: 200,
  });
  let boxes = 0;
  for (const {message} of answer.choices) {
    for (const [, text] of message.content.matchAll(/<\|det\|>(.*?)<\|\/det\|>/gs)) {
      for (const [x1, y1, x2, y2] of JSON.parse(text)) {
        ++boxes;
        assert.ok(0 <= x1 && x1 <= x2 && x2 <= 999, text);
        assert.ok(0 <= y1 && y1 <= y2 && y2 <= 999, text);
      }
    }
  }
  assert.ok(boxes > 0);
});

const receipt = {
  type: 'object',
  properties: {
    shop: {type: 'string', maxLength: 12},
    items: {
      type: 'array',
      minItems: 1,
      maxItems: 3,
      items: {
        type: 'object',
        properties: {
          name: {enum: ['TEA', 'BREAD', 'MILK']},
          price: {type: 'string', pattern: '^[0-9]{1,2}\\.[0-9]{2}$'},
          taxed: {type: ['boolean', 'null']},
        },
        required: ['name', 'price', 'taxed'],
        additionalProperties: false,
      },
    },
    count: {type: 'integer', minimum: 0, maximum: 99},
  },
  required: ['shop', 'items', 'count'],
  additionalProperties: false,
};

function checkReceipt(text) {
  const value = JSON.parse(text);
  assert.deepEqual(Object.keys(value), ['shop', 'items', 'count']);
  assert.ok([...value.shop].length <= 12);
  assert.ok(value.items.length >= 1 && value.items.length <= 3);
  for (const item of value.items) {
    assert.deepEqual(Object.keys(item), ['name', 'price', 'taxed']);
    assert.ok(['TEA', 'BREAD', 'MILK'].includes(item.name));
    assert.match(item.price, /^[0-9]{1,2}\.[0-9]{2}$/);
    assert.ok([true, false, null].includes(item.taxed));
  }
  assert.ok(Number.isInteger(value.count) && value.count >= 0 && value.count <= 99);
}

const schema = (name, value) => (
  {type: 'json_schema', json_schema: {name, strict: true, schema: value}});

test('an answer under a schema follows it, with a picture and with dice', async () => {
  for (const temperature of [0, 3]) {
    const answer = await client.chat.completions.create({
      model,
      messages: messagesOf({images: ['021_receipt_total.png'], prompt: '<image>\nRead it.'}),
      response_format: schema('receipt', receipt),
      temperature,
      seed: 3,
      n: 4,
    });
    for (const choice of answer.choices) {
      assert.equal(choice.finish_reason, 'stop');
      checkReceipt(choice.message.content);
    }
  }
});

test('the package parses what a schema asked for', async () => {
  const answer = await client.chat.completions.parse({
    model,
    messages: messagesOf(question(38)),
    response_format: schema('count', {
      type: 'object',
      properties: {count: {type: 'integer', minimum: 0, maximum: 9}},
      required: ['count'],
    }),
    temperature: 0,
  });
  assert.equal(typeof JSON.parse(answer.choices[0].message.content).count, 'number');
});

test('json_object gives some object', async () => {
  const answer = await client.chat.completions.create({
    model,
    messages: [{role: 'user', content: 'Describe the image.'}],
    response_format: {type: 'json_object'},
    temperature: 0,
    max_tokens: 400,
  });
  const {message, finish_reason} = answer.choices[0];
  assert.match(message.content, /^\s*\{/);
  if (finish_reason === 'stop') assert.equal(typeof JSON.parse(message.content), 'object');
});

test('a schema that cannot be kept is refused, with the place', async () => {
  await assert.rejects(client.chat.completions.create({
    model,
    messages: [{role: 'user', content: 'Hello'}],
    response_format: schema('bad', {type: 'object', properties: {a: {not: {}}}}),
  }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.match(error.param, /^response_format/);
    assert.match(error.message, /properties\/a/);
    return true;
  });
});

test('pictures keep their places between texts', async () => {
  const answer = await client.chat.completions.create({
    model,
    messages: [{
      role: 'user',
      content: [
        {type: 'text', text: 'This is image_1:'},
        {type: 'image_url', image_url: {url: dataUrl('056_two_images_compare_1.png'), detail: 'low'}},
        {type: 'text', text: 'This is image_2:'},
        {type: 'image_url', image_url: dataUrl('056_two_images_compare_2.png')},
        {type: 'text', text: question(56).prompt.split('<image>').pop().trim()},
      ],
    }],
    temperature: 0,
  });
  assert.equal(answer.choices[0].message.content, question(56).output);
  assert.equal(answer.usage.prompt_tokens, question(56).prompt_tokens);
});
