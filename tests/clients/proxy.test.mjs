// SPDX-License-Identifier: MIT
// The nginx example of deploy/ in front of a server: streams pass piece by piece, and when clients
// go, the server hears it. Skipped where there is no nginx.
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';

import OpenAI from 'openai';

import {endless, messagesOf, question} from './questions.mjs';
import {freePort, Server, until} from './server.mjs';

const nginx = process.env.VL2_NGINX ?? 'nginx';
const model = 'vl2-nano';
const work = {model, messages: [{role: 'user', content: 'Describe the image.'}], ...endless, n: 8};
let skip = false;
try {
  execFileSync(nginx, ['-v'], {stdio: 'ignore'});
} catch {
  skip = `there is no ${nginx}`;
}

let folder;
let server;
let proxy;
let client;

// The example, with TLS and its fixed ports taken out.
function site(port, upstream) {
  return readFileSync(new URL('../../deploy/nginx.conf', import.meta.url), 'utf8')
      .replace('127.0.0.1:8080', `127.0.0.1:${upstream}`)
      .replace('listen 8443 ssl', `listen 127.0.0.1:${port}`)
      .replace(/^.*ssl_certificate.*$/gm, '')
      .replace('rate=5r/s', 'rate=100r/s');
}

before(async () => {
  if (skip) return;
  server = await Server.start();
  folder = mkdtempSync(join(tmpdir(), 'vl2-proxy-'));
  const port = await freePort();
  mkdirSync(join(folder, 'temporary'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${folder}/temporary/${name};`).join(' ');
  writeFileSync(join(folder, 'nginx.conf'), `
    daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/errors;
    events {}
    http { access_log off; ${temporary} ${site(port, server.port)} }`);
  const options = ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'errors')];
  execFileSync(nginx, ['-t', ...options], {stdio: 'pipe'});
  proxy = spawn(nginx, options, {stdio: 'ignore'});
  const url = `http://127.0.0.1:${port}`;
  await until('the proxy answers', async () => {
    try {
      return (await fetch(`${url}/health`)).ok;
    } catch {
      return false;
    }
  });
  client = new OpenAI({baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 0});
});

after(async () => {
  if (skip) return;
  proxy.kill('SIGKILL');
  rmSync(folder, {recursive: true});
  assert.deepEqual(await server.stop(), {code: 0, signal: null});
});

test('answers with pictures pass', {skip}, async () => {
  const answer = await client.chat.completions.create(
      {model, messages: messagesOf(question(19)), temperature: 0});
  assert.equal(answer.choices[0].message.content, 'SCORES');
});

test('streams pass while they are written, and end when the client goes', {skip}, async () => {
  const stream = await client.chat.completions.create({...work, stream: true});
  const chunks = stream[Symbol.asyncIterator]();
  for (let i = 0; i < 20; ++i) assert.equal((await chunks.next()).done, false);
  // A proxy that collected the answer first would have nothing left to wait for.
  assert.equal((await server.metrics()).vl2_requests_running, 8);
  stream.controller.abort();
  await server.idle();
  const gone = 'vl2_http_requests_total{route="/v1/chat/completions",status="499"}';
  assert.equal((await server.metrics())[gone], 1);
});

test('the metrics are not for everybody', {skip}, async () => {
  const response = await fetch(new URL('/metrics', client.baseURL));
  assert.equal(response.status, 403);
});
