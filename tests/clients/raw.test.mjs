// SPDX-License-Identifier: MIT
// What no well-behaved client sends, with curl: broken, huge and strange requests.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {promisify} from 'node:util';

import {Server, until} from './server.mjs';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'vl2-raw-'));
const origin = 'https://page.example';
let server;

before(async () => {
  server = await Server.start(['--cors-origin', origin, '--max-body', '8']);
});
after(async () => {
  rmSync(folder, {recursive: true});
  assert.deepEqual(await server.stop(), {code: 0, signal: null});
});

// Status, headers (in small letters) and body.
async function curl(path, ...options) {
  const {stdout} = await run('curl', ['-sS', '-i', '--max-time', '120', ...options,
                                      server.url + path], {maxBuffer: 1 << 28});
  let [head, ...rest] = stdout.split('\r\n\r\n');
  while (head.startsWith('HTTP/1.1 100')) [head, ...rest] = rest;
  const headers = Object.fromEntries(head.split('\r\n').slice(1).map(
      (line) => [line.split(':')[0].toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
  return {status: Number(head.split(' ')[1]), headers, body: rest.join('\r\n\r\n')};
}

function post(body, ...options) {
  const file = join(folder, 'body');
  writeFileSync(file, body);
  return curl('/v1/chat/completions', '-H', 'Content-Type: application/json',
              '--data-binary', `@${file}`, ...options);
}

async function refused(body, status, code, ...options) {
  const answer = await post(body, ...options);
  assert.equal(answer.status, status, answer.body);
  const {error} = JSON.parse(answer.body);
  assert.equal(error.code, code);
  assert.deepEqual(Object.keys(error), ['message', 'type', 'param', 'code']);
  assert.match(answer.headers['x-request-id'], /^req_/);
}

const hello = '{"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}';

test('JSON that is none', async () => {
  for (const body of ['', '{', '{"messages": ', '{"a": 01}', "{'a': 1}", '\0\0\0', Buffer.from('{"a": "\xff"}', 'latin1'),
                      '[1, 2', 'null', '"text"', '[]', '{"a": 1e999}', `${hello}}`])
    await refused(body, 400, 'invalid_json');
});

test('JSON that is nested deeply', async () => {
  await refused('['.repeat(1_000_000), 400, 'invalid_json');
  await refused('{"a":'.repeat(500_000), 400, 'invalid_json');
  await refused(`{"messages": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 400, 'invalid_json');
});

test('JSON with very many members and values', async () => {
  const members = Array.from({length: 300_000}, (_, i) => `"k${i}": 0`).join(',');
  await refused(`{${members}}`, 400, 'invalid_json');
  await refused(`{"messages": [${'0,'.repeat(1_000_000)}0]}`, 400, 'invalid_json');
});

test('a body of 100 MB is refused by its length and as it comes, and is not kept', async () => {
  const before = server.memory();
  const body = Buffer.alloc(100 << 20, ' ');
  await refused(body, 413, 'request_too_large');
  await refused(body, 413, 'request_too_large', '-H', 'Expect:');
  await refused(body, 413, 'request_too_large', '-H', 'Transfer-Encoding: chunked');
  assert.ok(server.memory() - before < 64 << 20);
});

test('bodies in other forms', async () => {
  const form = await curl('/v1/chat/completions', '-F', 'messages=hello');
  assert.equal(form.status, 415);
  const packed = await post(hello, '-H', 'Content-Encoding: gzip');
  assert.equal(packed.status, 415);
  const plain = await post(hello, '-H', 'Content-Type: text/plain');
  assert.equal(plain.status, 200);
});

test('methods and paths that are not there', async () => {
  assert.equal((await curl('/v1/chat/completions')).status, 405);
  assert.equal((await curl('/v1/models', '-X', 'DELETE')).status, 405);
  assert.equal((await curl('/v1/nothing')).status, 404);
  assert.equal((await curl(`/${'a'.repeat(5000)}`)).status, 404);
  assert.equal((await curl('/', '-H', `X-Large: ${'a'.repeat(100_000)}`)).status, 431);
  assert.equal((await curl('/health', '-I')).status, 200);
});

test('pages of one origin may ask, with the headers of the package', async () => {
  const asked = 'authorization,content-type,x-stainless-os,x-stainless-retry-count';
  const preflight = await curl('/v1/chat/completions', '-X', 'OPTIONS', '-H', `Origin: ${origin}`,
                               '-H', 'Access-Control-Request-Method: POST',
                               '-H', `Access-Control-Request-Headers: ${asked}`);
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers['access-control-allow-origin'], origin);
  assert.equal(preflight.headers['access-control-allow-headers'], asked);
  const answer = await post(hello, '-H', `Origin: ${origin}`);
  assert.equal(answer.headers['access-control-allow-origin'], origin);
  assert.match(answer.headers['access-control-expose-headers'], /x-request-id/);
  const other = await post(hello, '-H', 'Origin: https://other.example');
  assert.equal(other.headers['access-control-allow-origin'], undefined);
});

test('a refused body ends with its own line in the log, without its contents', async () => {
  await refused('{"messages": "a secret"}', 400, 'invalid_type');
  const answer = await post(hello);
  assert.equal(answer.status, 200);
  const id = answer.headers['x-request-id'];
  const lines = () => server.log.split('\n').slice(0, -1).filter((line) => line.includes(`id=${id} `));
  await until('the line has come', () => lines().length > 0);
  assert.equal(lines().length, 1);
  assert.match(lines()[0], / status=200 .* prompt_tokens=\d+ .* completion_tokens=1 /);
  assert.doesNotMatch(server.log, /secret|Hello/);
});

test('everything is still there afterwards', async () => {
  const models = await curl('/v1/models');
  assert.equal(JSON.parse(models.body).data[0].id, 'vl2-nano');
  const metrics = await curl('/metrics');
  assert.match(metrics.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  assert.match(metrics.body, /^vl2_http_requests_total\{route="none",status="404"\} [1-9]/m);
  assert.equal((await curl('/health')).status, 200);
  assert.match((await curl('/version')).body, /"vl2\.cpp"/);
});
