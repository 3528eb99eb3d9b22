// SPDX-License-Identifier: MIT
// Chat with the openai package: what applications do first.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import OpenAI from 'openai';

import {endless, messagesOf, question, questions} from './questions.mjs';
import {Server} from './server.mjs';

const model = 'vl2-nano';
const hello = [{role: 'user', content: 'What is the title?'}];
let server;
let client;

before(async () => {
  server = await Server.start(['--weights', 'f32', '--context', '1024']);
  client = new OpenAI({baseURL: `${server.url}/v1`, apiKey: 'unused', maxRetries: 0});
});
after(async () => assert.deepEqual(await server.stop(), {code: 0, signal: null}));

test('the bundled questions, all at once, get the answers of the reference', async () => {
  const all = questions({margin: 0.01});
  assert.ok(all.length > 60);
  const answers = await Promise.all(all.map((one) => client.chat.completions.create(
      {model, messages: messagesOf(one), temperature: 0, constrain_boxes: false})));
  for (const [i, answer] of answers.entries()) {
    const {id, output, output_ids, prompt_tokens} = all[i];
    assert.equal(answer.choices[0].message.content, output, `question ${id}`);
    assert.equal(answer.choices[0].finish_reason, 'stop', `question ${id}`);
    assert.equal(answer.usage.prompt_tokens, prompt_tokens, `question ${id}`);
    assert.equal(answer.usage.completion_tokens, output_ids.length + 1, `question ${id}`);
  }
});

test('an answer has every field of a chat completion', async () => {
  const answer = await client.chat.completions.create({model, messages: hello, max_tokens: 3});
  assert.match(answer.id, /^chatcmpl-/);
  assert.equal(answer.object, 'chat.completion');
  assert.equal(answer.model, model);
  assert.match(answer.system_fingerprint, /^vl2-nano-f32-/);
  assert.ok(Math.abs(answer.created - Date.now() / 1000) < 600);
  assert.equal(answer.choices.length, 1);
  assert.equal(answer.choices[0].index, 0);
  assert.equal(answer.choices[0].message.role, 'assistant');
  assert.equal(answer.choices[0].message.refusal, null);
  assert.equal(answer.choices[0].logprobs, null);
  const {usage} = answer;
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
  assert.ok(answer._request_id.startsWith('req_'));
  assert.ok(answer.timings.prompt_ms > 0);
});

test('the same page asked again costs its text only', async () => {
  const first = question(19);
  const ask = (prompt) => client.chat.completions.create(
      {model, messages: messagesOf({images: first.images, prompt}), temperature: 0});
  const before = await ask(first.prompt);
  const again = await ask(first.prompt);
  assert.equal(again.choices[0].message.content, before.choices[0].message.content);
  const {cached_tokens} = again.usage.prompt_tokens_details;
  assert.ok(cached_tokens >= 288 && cached_tokens < again.usage.prompt_tokens, cached_tokens);
  const another = await ask('<image>\nHow many bars are there?');
  assert.ok(another.usage.prompt_tokens_details.cached_tokens >= 288);
});

test('roles, null contents and lists of texts are all read', async () => {
  const answer = await client.chat.completions.create({
    model,
    messages: [
      {role: 'developer', content: 'Be short.'},
      {role: 'user', content: [{type: 'text', text: 'What is'}, {type: 'text', text: 'this?'}]},
      {role: 'assistant', content: null},
      {role: 'user', content: 'Describe the image.'},
    ],
    max_completion_tokens: 2,
  });
  assert.ok(answer.usage.completion_tokens <= 2);
});

test('max_tokens may be larger than what fits', async () => {
  const answer = await client.chat.completions.create(
      {model, messages: hello, max_tokens: 1_000_000, temperature: 0, ...endless});
  assert.equal(answer.choices[0].finish_reason, 'length');
  assert.equal(answer.usage.total_tokens, 1024);
});

test('several answers with seeds are the same ones again', async () => {
  const ask = () => client.chat.completions.create(
      {model, messages: hello, n: 3, seed: 7, temperature: 2, max_tokens: 12, top_p: 0.98});
  const [one, two] = [await ask(), await ask()];
  const texts = (answer) => answer.choices.map((choice) => choice.message.content);
  assert.equal(new Set(texts(one)).size, 3);
  assert.deepEqual(texts(one), texts(two));
  assert.deepEqual(one.choices.map((choice) => choice.index), [0, 1, 2]);
});

test('an answer ends before its stop string', async () => {
  const one = question(37);  // There is a blue hexagon, a black ring and an orange star.
  const answer = await client.chat.completions.create(
      {model, messages: messagesOf(one), temperature: 0, stop: [', a black']});
  assert.equal(answer.choices[0].message.content, 'There is a blue hexagon');
  assert.equal(answer.choices[0].finish_reason, 'stop');
});

test('log-probabilities come with their tokens', async () => {
  const one = question(19);
  const answer = await client.chat.completions.create(
      {model, messages: messagesOf(one), temperature: 0, logprobs: true, top_logprobs: 3});
  const {content} = answer.choices[0].logprobs;
  assert.equal(content.map((token) => token.token).join(''), one.output);
  for (const token of content) {
    assert.ok(token.logprob <= 0);
    assert.equal(token.top_logprobs.length, 3);
    assert.equal(token.top_logprobs[0].logprob, token.logprob);
    const shown = Buffer.from(token.bytes).toString('utf8');
    assert.equal(shown, token.token);
  }
});

test('models are listed, and each tells its limits', async () => {
  const list = await client.models.list();
  assert.deepEqual(list.data.map((one) => one.id), [model]);
  const one = await client.models.retrieve(model);
  assert.equal(one.context_length, 1024);
  assert.deepEqual(one.modalities.input, ['text', 'image']);
  assert.equal(one.weights_format, 'f32');
});

test('completions go on with a text', async () => {
  const prompt = '<|User|>: What is the title?\n\n<|Assistant|>:';
  const answer = await client.completions.create(
      {model, prompt, max_tokens: 5, temperature: 0, logprobs: 2});
  assert.equal(answer.object, 'text_completion');
  const chat = await client.chat.completions.create(
      {model, messages: hello, max_tokens: 5, temperature: 0});
  assert.equal(answer.choices[0].text, chat.choices[0].message.content);
  assert.equal(answer.choices[0].logprobs.tokens.join(''), answer.choices[0].text);

  const stream = await client.completions.create(
      {model, prompt, max_tokens: 5, temperature: 0, stream: true});
  let text = '';
  for await (const chunk of stream) text += chunk.choices[0].text;
  assert.equal(text, answer.choices[0].text);
});
