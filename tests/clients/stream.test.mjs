// SPDX-License-Identifier: MIT
// Streams with the openai package: pieces, usage, breaking off, and trying again.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import OpenAI from 'openai';

import {endless, messagesOf, question} from './questions.mjs';
import {Server, until} from './server.mjs';

const model = 'vl2-nano';
const chats = 'vl2_http_requests_total{route="/v1/chat/completions",';
const talk = {model, messages: [{role: 'user', content: 'Describe the image.'}], temperature: 0};
// Eight answers to the end of the context: much longer than a test that breaks them off.
const work = {...talk, ...endless, n: 8};
let server;
let client;

before(async () => {
  server = await Server.start(['--max-running', '16', '--max-waiting', '0']);
  client = new OpenAI({baseURL: `${server.url}/v1`, apiKey: 'unused', maxRetries: 0});
});
after(async () => assert.deepEqual(await server.stop(), {code: 0, signal: null}));

// A stream that has begun.
async function begin(request) {
  const stream = await client.chat.completions.create({...request, stream: true});
  const chunks = stream[Symbol.asyncIterator]();
  assert.equal((await chunks.next()).done, false);
  return stream;
}

function atWork(answers) {
  return until(`${answers} answers are at work`,
               async () => (await server.metrics()).vl2_requests_running === answers);
}

test('the pieces of a stream make the whole answer', async () => {
  const request = {model, messages: messagesOf(question(8)), temperature: 0};
  const whole = await client.chat.completions.create(request);
  const chunks = [];
  for await (const chunk of await client.chat.completions.create({...request, stream: true}))
    chunks.push(chunk);
  const text = chunks.map((chunk) => chunk.choices[0].delta.content ?? '').join('');
  assert.equal(text, whole.choices[0].message.content);
  assert.ok(chunks.length > 8);
  assert.equal(chunks[0].choices[0].delta.role, 'assistant');
  assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
  assert.ok(chunks.every((chunk) => chunk.object === 'chat.completion.chunk'));
  assert.ok(chunks.every((chunk) => !('usage' in chunk)));
  assert.deepEqual(chunks.map((chunk) => chunk.choices[0].finish_reason),
                   [...Array(chunks.length - 1).fill(null), 'stop']);
});

test('the last chunk has the usage, if that is asked for', async () => {
  const stream = await client.chat.completions.create(
      {...talk, max_tokens: 4, stream: true, stream_options: {include_usage: true}});
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  const last = chunks.pop();
  assert.deepEqual(last.choices, []);
  assert.equal(last.usage.total_tokens, last.usage.prompt_tokens + last.usage.completion_tokens);
  assert.ok(last.usage.completion_tokens >= 1 && last.usage.completion_tokens <= 4);
  assert.ok(chunks.every((chunk) => chunk.usage === null));
});

test('the stream runner of the package collects an answer', async () => {
  const runner = client.chat.completions.stream({model, messages: messagesOf(question(19))});
  const seen = [];
  runner.on('content', (delta) => seen.push(delta));
  assert.equal(await runner.finalContent(), 'SCORES');
  assert.equal(seen.join(''), 'SCORES');
  assert.equal((await runner.finalChatCompletion()).choices[0].finish_reason, 'stop');
});

test('log-probabilities stream with their pieces', async () => {
  const request = {model, messages: messagesOf(question(19)), temperature: 0, logprobs: true,
                   top_logprobs: 2};
  const whole = await client.chat.completions.create(request);
  const tokens = [];
  for await (const chunk of await client.chat.completions.create({...request, stream: true}))
    tokens.push(...(chunk.choices[0].logprobs?.content ?? []));
  assert.deepEqual(tokens, whole.choices[0].logprobs.content);
});

test('a stream that is aborted stops being computed', async () => {
  const stream = await begin(work);
  await atWork(8);
  stream.controller.abort();
  await server.idle();
  const metrics = await server.metrics();
  assert.equal(metrics[`${chats}status="499"}`], 1);
  assert.equal(metrics.vl2_kv_pages_used, 0);
});

test('an answer that nobody waits for any more stops being computed', async () => {
  const abort = new AbortController();
  const answer = client.chat.completions.create(work, {signal: abort.signal});
  const broken = assert.rejects(answer, OpenAI.APIUserAbortError);
  await atWork(8);
  abort.abort();
  await broken;
  await server.idle();
  assert.equal((await server.metrics())[`${chats}status="499"}`], 2);
});

test('a full server says 429 and when to come back; clients come back by themselves', async () => {
  const busy = [await begin(work), await begin(work)];
  await assert.rejects(client.chat.completions.create({...talk, max_tokens: 1}), (error) => {
    assert.ok(error instanceof OpenAI.RateLimitError);
    assert.equal(error.status, 429);
    assert.equal(error.code, 'queue_full');
    assert.ok(Number(error.headers.get('retry-after')) > 0);
    return true;
  });
  const patient = new OpenAI({baseURL: `${server.url}/v1`, apiKey: 'unused', maxRetries: 60});
  const answer = patient.chat.completions.create({...talk, max_tokens: 1});
  await until('the client was refused too',
              async () => (await server.metrics())[`${chats}status="429"}`] > 1);
  busy[0].controller.abort();
  assert.equal((await answer).usage.completion_tokens, 1);
  busy[1].controller.abort();
  await server.idle();
});
