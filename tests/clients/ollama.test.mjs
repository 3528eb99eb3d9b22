// SPDX-License-Identifier: MIT
// Ollama's API with the ollama package, as its applications use it.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {Ollama} from 'ollama';

import {pictureBytes, question} from './questions.mjs';
import {Server} from './server.mjs';

const model = 'vl2-nano';
const title = question(19);
const picture = pictureBytes(title.images[0]).toString('base64');
const ask = {role: 'user', content: 'What is the title?', images: [picture]};
const greedy = {temperature: 0};
let server;
let client;

before(async () => {
  server = await Server.start(['--weights', 'f32']);
  client = new Ollama({host: server.url});
});
after(async () => assert.deepEqual(await server.stop(), {code: 0, signal: null}));

test('a chat about a picture', async () => {
  const answer = await client.chat({model, messages: [ask], options: greedy});
  assert.equal(answer.message.role, 'assistant');
  assert.equal(answer.message.content, title.output);
  assert.equal(answer.model, model);
  assert.equal(answer.done, true);
  assert.equal(answer.done_reason, 'stop');
  assert.equal(answer.prompt_eval_count, title.prompt_tokens);
  assert.equal(answer.eval_count, title.output_ids.length + 1);
  assert.ok(answer.total_duration > 0 && answer.eval_duration > 0);
  assert.ok(Math.abs(new Date(answer.created_at) - Date.now()) < 600_000);
});

test('pictures as bytes, the name with its tag', async () => {
  const bytes = new Uint8Array(pictureBytes(title.images[0]));
  const answer = await client.chat(
      {model: `${model}:latest`, messages: [{...ask, images: [bytes]}], options: greedy});
  assert.equal(answer.message.content, title.output);
});

test('a stream, piece by piece', async () => {
  const pieces = [];
  for await (const part of await client.chat(
      {model, messages: [ask], options: greedy, stream: true}))
    pieces.push(part);
  assert.equal(pieces.map((part) => part.message.content).join(''), title.output);
  assert.deepEqual(pieces.map((part) => part.done),
                   [...Array(pieces.length - 1).fill(false), true]);
  assert.equal(pieces.at(-1).prompt_eval_count, title.prompt_tokens);
});

test('generate, with and without a picture', async () => {
  const answer = await client.generate(
      {model, prompt: ask.content, images: [picture], options: greedy});
  assert.equal(answer.response, title.output);
  const short = await client.generate(
      {model, prompt: 'Hello', options: {...greedy, num_predict: 2}});
  assert.ok(short.eval_count <= 2);
});

test('options are those of the engine', async () => {
  const hello = {model, messages: [{role: 'user', content: 'Describe the image.'}]};
  const dice = {temperature: 2, seed: 5, top_k: 40, num_predict: 8, num_ctx: 2048};
  const one = await client.chat({...hello, options: dice});
  const two = await client.chat({...hello, options: dice});
  assert.equal(one.message.content, two.message.content);
  const list = question(37);  // There is a blue hexagon, a black ring and an orange star.
  const cut = await client.chat({
    model,
    messages: [{role: 'user', content: 'Describe the image.',
                images: [pictureBytes(list.images[0]).toString('base64')]}],
    options: {...greedy, stop: [', a black']},
  });
  assert.equal(cut.message.content, 'There is a blue hexagon');
});

test('a format holds the answer to a schema', async () => {
  const answer = await client.chat({
    model,
    messages: [ask],
    format: {type: 'object', properties: {bars: {enum: [1, 2, 3]}}, required: ['bars']},
    options: greedy,
  });
  assert.ok([1, 2, 3].includes(JSON.parse(answer.message.content).bars));
});

test('models are listed and shown', async () => {
  const {models} = await client.list();
  assert.equal(models.length, 1);
  assert.match(models[0].name, /^vl2-nano/);
  assert.ok(models[0].size > 0);
  const shown = await client.show({model});
  assert.ok(shown.capabilities.includes('vision'));
  assert.equal(typeof shown.details.quantization_level, 'string');
});

test('errors are the package\'s own', async () => {
  await assert.rejects(client.chat({model: 'llama3', messages: [ask]}), (error) => {
    assert.equal(error.name, 'ResponseError');
    assert.equal(error.status_code, 404);
    assert.match(error.message, /llama3/);
    return true;
  });
  await assert.rejects(client.chat({model, messages: [{...ask, images: ['aGVsbG8=']}]}),
                       (error) => error.status_code === 400);
});

test('a stream that is aborted stops being computed', async () => {
  // So hot that the end of the answer is a token among 1,280, and comes late.
  const stream = await client.chat({
    model,
    messages: [{role: 'user', content: 'Describe the image.'}],
    stream: true,
    options: {temperature: 100, top_k: 0, seed: 3},
  });
  await stream[Symbol.asyncIterator]().next();
  stream.abort();
  await server.idle();
  const metrics = await server.metrics();
  assert.equal(metrics['vl2_http_requests_total{route="/api/chat",status="499"}'], 1);
  assert.equal(metrics.vl2_kv_pages_used, 0);
});
