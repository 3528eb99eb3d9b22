// SPDX-License-Identifier: MIT
// Refusals as the openai package shows them: class, status, param and code.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import OpenAI from 'openai';

import {dataUrl, pictureBytes} from './questions.mjs';
import {Server} from './server.mjs';

const model = 'vl2-nano';
const hello = [{role: 'user', content: 'Hello'}];
let server;
let client;

before(async () => {
  server = await Server.start(['--api-key', 'first', '--api-key', 'second', '--max-images', '2']);
  client = new OpenAI({baseURL: `${server.url}/v1`, apiKey: 'second', maxRetries: 0});
});
after(async () => assert.deepEqual(await server.stop(), {code: 0, signal: null}));

async function refused(request, {status, kind, param, code, message = /./}) {
  await assert.rejects(client.chat.completions.create({model, messages: hello, ...request}),
                       (error) => {
    assert.ok(error instanceof kind, `${error}`);
    assert.equal(error.status, status);
    assert.equal(error.param, param);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.ok(error.requestID.startsWith('req_'));
    return true;
  });
}

const bad = (param, code, message) => (
  {status: 400, kind: OpenAI.BadRequestError, param, code, message});
const picture = (url) => ({messages: [{role: 'user', content: [
  {type: 'text', text: 'What is this?'}, {type: 'image_url', image_url: {url}}]}]});
const place = 'messages[0].content[1].image_url';

test('a key is needed, and any of the keys will do', async () => {
  for (const apiKey of ['third', 'firs', 'first2', '']) {
    const stranger = new OpenAI({baseURL: `${server.url}/v1`, apiKey, maxRetries: 0});
    await assert.rejects(stranger.models.list(), (error) => {
      assert.ok(error instanceof OpenAI.AuthenticationError);
      assert.equal(error.code, 'invalid_api_key');
      return true;
    });
  }
  const friend = new OpenAI({baseURL: `${server.url}/v1`, apiKey: 'first', maxRetries: 0});
  assert.equal((await friend.models.list()).data.length, 1);
});

test('a model that is not there', async () => {
  await refused({model: 'gpt-5'}, {status: 404, kind: OpenAI.NotFoundError, param: 'model',
                                   code: 'model_not_found'});
  await assert.rejects(client.models.retrieve('gpt-5'), OpenAI.NotFoundError);
});

test('a route that is not there', async () => {
  await assert.rejects(client.embeddings.create({model, input: 'x'}), (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.equal(error.code, 'unknown_url');
    return true;
  });
});

test('messages that are missing or have a wrong type', async () => {
  await refused({messages: undefined}, bad('messages', 'missing_required_parameter'));
  await refused({messages: []}, bad('messages', 'empty_array'));
  await refused({messages: 'Hello'}, bad('messages', 'invalid_type', /an array/));
  await refused({messages: [{role: 'king', content: 'Hello'}]},
                bad('messages[0].role', 'invalid_value', /king/));
  await refused({messages: [{role: 'user'}]},
                bad('messages[0].content', 'missing_required_parameter'));
  await refused({messages: [...hello, {role: 'user', content: 5}]},
                bad('messages[1].content', 'invalid_type'));
  await refused({messages: [{role: 'user', content: [{type: 'input_audio'}]}]},
                bad('messages[0].content[0].type', 'invalid_value'));
});

test('numbers out of their range', async () => {
  await refused({temperature: -1}, bad('temperature', 'decimal_below_min_value'));
  await refused({temperature: 'hot'}, bad('temperature', 'invalid_type'));
  await refused({top_p: 1.5}, bad('top_p', 'decimal_above_max_value'));
  await refused({n: 0}, bad('n', 'integer_below_min_value'));
  await refused({n: 1000}, bad('n', 'integer_above_max_value'));
  await refused({max_tokens: 0}, bad('max_tokens', 'integer_below_min_value'));
  await refused({logit_bias: {x: 1}}, bad('logit_bias', 'invalid_value'));
  await refused({logprobs: true, top_logprobs: 21}, bad('top_logprobs', 'integer_above_max_value'));
  await refused({stop: ''}, bad('stop', 'invalid_value'));
});

test('pictures that cannot be read are named', async () => {
  const bytes = pictureBytes('019_chart_title.png');
  await refused(picture('https://example.org/a.png'), bad(place, 'unsupported_image_url'));
  await refused(picture('file:///etc/passwd'), bad(place, 'unsupported_image_url'));
  await refused(picture('data:image/png;base64,@@@@'), bad(place, 'invalid_base64'));
  await refused(picture('data:image/png,hello'), bad(place, 'invalid_image_url'));
  await refused(picture('data:image/png;base64,aGVsbG8='), bad(place, 'invalid_image'));
  const half = bytes.subarray(0, bytes.length / 2).toString('base64');
  await refused(picture(`data:image/png;base64,${half}`), bad(place, 'invalid_image'));
  await refused(picture(dataUrl('019_chart_title.png').slice(0, -1)), bad(place, 'invalid_base64'));
});

test('a picture whose header promises gigapixels is refused before it is decoded', async () => {
  const bytes = Buffer.from(pictureBytes('019_chart_title.png'));
  bytes.writeUInt32BE(60_000, 16);
  bytes.writeUInt32BE(60_000, 20);
  const before = server.memory();
  await refused(picture(`data:image/png;base64,${bytes.toString('base64')}`),
                bad(place, 'invalid_image'));
  assert.ok(server.memory() - before < 100 << 20);
});

test('too many pictures', async () => {
  const part = {type: 'image_url', image_url: {url: dataUrl('019_chart_title.png')}};
  await refused({messages: [{role: 'user', content: [part, part, part]}]},
                bad('messages[0].content[2].image_url', 'too_many_images', /2/));
});

test('a prompt that does not fit says by how much', async () => {
  await refused({messages: [{role: 'user', content: 'word '.repeat(9000)}]},
                bad('messages', 'context_length_exceeded', /4096/));
});

test('a stream that cannot begin is refused like any other request', async () => {
  await refused({stream: true, temperature: -1}, bad('temperature', 'decimal_below_min_value'));
  await refused({stream_options: {include_usage: true}}, bad('stream_options', 'invalid_value'));
});

test('unknown fields are ignored', async () => {
  const answer = await client.chat.completions.create(
      {model, messages: hello, max_tokens: 1, store: true, user: 'x', service_tier: 'auto',
       parallel_tool_calls: true, metadata: {a: 'b'}, something_of_next_year: [1, {b: 2}]});
  assert.equal(answer.choices.length, 1);
});
