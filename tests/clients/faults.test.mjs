// SPDX-License-Identifier: MIT
// What goes wrong in production: clients that vanish or stall, and a server that is told to end.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {
  closeSync, cpSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, truncateSync,
} from 'node:fs';
import net from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';

import {endless, messagesOf, question, questions} from './questions.mjs';
import {freePort, nano, Server, until} from './server.mjs';

const chat = '/v1/chat/completions';
const talk = {messages: [{role: 'user', content: 'Describe the image.'}], temperature: 0};
const work = {...talk, ...endless};
const picture = {messages: messagesOf(question(19)), temperature: 0};

async function withServer(options, use, more) {
  const server = await Server.start(options, more);
  try {
    await use(server);
    if (!server.exit) assert.deepEqual(await server.stop(), {code: 0, signal: null});
  } finally {
    server.signal('SIGKILL');
  }
}

// A connection that has sent `text`, and counts and keeps what comes back while it is read.
class RawClient {
  static async open(server, text) {
    const client = new RawClient();
    client.socket = net.connect(server.port, '127.0.0.1');
    await new Promise((resolve) => client.socket.once('connect', resolve));
    client.received = '';
    client.closed = false;
    client.socket.on('error', () => {}).on('close', () => { client.closed = true; });
    client.socket.write(text);
    return client;
  }
  read() {
    this.socket.setEncoding('latin1').on('data', (text) => { this.received += text; });
    return this;
  }
  // Gone without a farewell.
  vanish() { this.socket.resetAndDestroy(); }
}

function rawRequest(body) {
  const text = JSON.stringify(body);
  return `POST ${chat} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

async function answerOf(server, request) {
  const response = await server.post(chat, request);
  assert.equal(response.status, 200);
  return (await response.json()).choices[0].message.content;
}

// Whole streams: their events.
async function streamOf(server, request) {
  const response = await server.post(chat, {...request, stream: true});
  const text = await response.text();
  return text.split('\n\n').filter((event) => event.startsWith('data: '));
}

// Asks until the answer is 503. A connection may be closed just when it is to be used again.
function refusal(ask) {
  return until('it refuses', async () => {
    try {
      const response = await ask();
      return response.status === 503 && response;
    } catch {
      return null;
    }
  });
}

const running = async (server) => (await server.metrics()).vl2_requests_running;

test('clients that vanish cost nothing: at work, in the queue, and with a picture', async () => {
  await withServer(['--max-running', '4', '--max-waiting', '200'], async (server) => {
    for (const stream of [true, false]) {
      const clients = [];
      for (let i = 0; i < 20; ++i) {
        clients.push(await RawClient.open(server, rawRequest({...work, stream, seed: i})));
        clients.push(await RawClient.open(server, rawRequest({...picture, ...endless, stream})));
      }
      await until('they have come', async () => {
        const metrics = await server.metrics();
        return metrics.vl2_requests_running + metrics.vl2_requests_waiting === 40;
      });
      for (const client of clients) client.vanish();
      await server.idle();
    }
    const metrics = await server.metrics();
    assert.equal(metrics.vl2_kv_pages_used, 0);
    assert.equal(metrics[`vl2_http_requests_total{route="${chat}",status="499"}`], 80);
    assert.equal(await answerOf(server, picture), 'SCORES');
  });
});

test('clients that vanish in the middle of a request are not missed', async () => {
  await withServer([], async (server) => {
    const whole = rawRequest(picture);
    for (let i = 1; i < 40; ++i) {
      const part = whole.slice(0, Math.floor(whole.length * i / 40));
      (await RawClient.open(server, part)).vanish();
    }
    assert.equal(await answerOf(server, picture), 'SCORES');
  });
});

test('a client that does not read keeps nobody waiting, and is given up', async () => {
  await withServer([], async (server) => {
    // Tens of megabytes, more than the system takes for it.
    const flood = {...work, stream: true, logprobs: true, top_logprobs: 20, n: 8};
    const stalled = await RawClient.open(server, rawRequest(flood));
    await until('it is at work', async () => await running(server) === 8);
    assert.equal(await answerOf(server, picture), 'SCORES');
    const before = server.memory();
    await server.idle();
    assert.ok(server.memory() - before < 128 << 20);
    await until('the server has said so', () => server.log.includes('status=499'));
    stalled.vanish();
  });
});

test('half requests that fill all connections are thrown out in time', async () => {
  await withServer(['--max-connections', '8'], async (server) => {
    const halves = [];
    for (let i = 0; i < 12; ++i)
      halves.push((await RawClient.open(server, `POST ${chat} HTTP/1.1\r\nX-Slow: `)).read());
    // Drop by drop, so that they are never idle.
    const drip = setInterval(() => halves.forEach(({socket}) => socket.write('a')), 500);
    try {
      await until('the server has room again', async () => {
        try {
          return (await fetch(`${server.url}/health`)).ok;
        } catch {
          return false;
        }
      });
      await until('all of them are closed', () => halves.every((half) => half.closed));
    } finally {
      clearInterval(drip);
    }
    const told = halves.filter((half) => half.received.startsWith('HTTP/1.1 408 '));
    assert.ok(told.length >= 8 - 1, halves.map((half) => half.received).join('\n'));
    assert.equal(await answerOf(server, picture), 'SCORES');
  });
});

test('killed and started again on its port, it answers the same', async () => {
  let port;
  let before;
  await withServer([], async (server) => {
    port = server.port;
    before = await answerOf(server, {...work, max_tokens: 50});
    const streams = Array.from({length: 4}, () => streamOf(server, work));
    const broken = Promise.all(streams.map((stream) => assert.rejects(stream)));
    await until('it is at work', async () => await running(server) === 4);
    server.signal('SIGKILL');
    assert.deepEqual(await server.ended, {code: null, signal: 'SIGKILL'});
    await broken;
  });
  await withServer([], async (server) => {
    assert.equal(await answerOf(server, {...work, max_tokens: 50}), before);
  }, {port});
});

test('told to end, it finishes what is at work and takes nothing new', async () => {
  await withServer(['--drain-timeout', '600'], async (server) => {
    const alone = await streamOf(server, {...work, max_tokens: 500});
    const contents = (events) => events.slice(0, -1).map((event) => {
      const {choices: [choice]} = JSON.parse(event.slice(6));
      return [choice.delta, choice.finish_reason];
    });
    const streams = Array.from({length: 8}, () => streamOf(server, {...work, max_tokens: 500}));
    await until('they are at work', async () => await running(server) === 8);
    server.signal('SIGTERM');
    const health = await refusal(() => fetch(`${server.url}/health`));
    assert.equal((await health.json()).status, 'draining');
    const refused = await refusal(() => server.post(chat, talk));
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    assert.equal((await refused.json()).error.code, 'draining');
    for (const events of await Promise.all(streams)) {
      assert.equal(events.at(-1), 'data: [DONE]');
      assert.deepEqual(contents(events), contents(alone));
    }
    assert.deepEqual(await server.ended, {code: 0, signal: null});
    assert.match(server.log, /draining signal=SIGTERM/);
  });
});

test('told to end with little time, it breaks answers off and says so in them', async () => {
  await withServer(['--drain-timeout', '0'], async (server) => {
    const stream = streamOf(server, {...work, n: 8});
    await until('it is at work', async () => await running(server) === 8);
    server.signal('SIGTERM');
    const {error} = JSON.parse((await stream).at(-1).slice(6));
    assert.equal(error.code, 'cancelled');
    assert.deepEqual(await server.ended, {code: 0, signal: null});
  });
});

test('told twice, it ends at once', async () => {
  await withServer(['--drain-timeout', '600'], async (server) => {
    const stream = assert.rejects(streamOf(server, {...work, n: 16}));
    await until('it is at work', async () => await running(server) === 16);
    server.signal('SIGTERM');
    await until('it has heard it', () => server.log.includes('draining'));
    server.signal('SIGTERM');
    assert.deepEqual(await server.ended, {code: 130, signal: null});
    await stream;
  });
});

for (const [kind, make] of [
  ['as downloaded', (folder) => cpSync(nano, folder, {recursive: true})],
  ['packed, which is mapped', (folder) => execFileSync(
      process.env.VL2_PROGRAM, ['quantize', nano, folder, '--recipe', 'int8'], {stdio: 'ignore'})],
]) {
  test(`a model folder that disappears is not missed: ${kind}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vl2-model-'));
    const model = join(folder, 'vl2-nano');
    make(model);
    try {
      await withServer([], async (server) => {
        rmSync(folder, {recursive: true});
        assert.equal(await answerOf(server, picture), 'SCORES');
        assert.equal((await fetch(`${server.url}/v1/models`)).status, 200);
      }, {model});
    } finally {
      rmSync(folder, {recursive: true, force: true});
    }
  });
}

test('a log that cannot be written, on a full disk, stops nothing', async () => {
  const logFile = openSync('/dev/full', 'w');
  try {
    await withServer([], async (server) => {
      assert.equal(await answerOf(server, picture), 'SCORES');
      assert.equal((await server.post(chat, {})).status, 400);
    }, {port: await freePort(), logFile});
  } finally {
    closeSync(logFile);
  }
});

const fromDisk = async (server) => (await server.metrics())['vl2_picture_tiles_total{from="disk"}'];

test('killed while it writes its disk cache, it answers the same from what is there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vl2-cache-'));
  const pages = questions({margin: 1}).slice(0, 8).map(
      (one) => ({messages: messagesOf(one), temperature: 0}));
  const outputs = questions({margin: 1}).slice(0, 8).map((one) => one.output);
  const ask = (server) => Promise.all(pages.map((page) => answerOf(server, page)));
  const options = ['--cache-dir', folder];
  try {
    await withServer(options, async (server) => {
      assert.deepEqual(await ask(server), outputs);
      server.signal('SIGKILL');
      await server.ended;
    });
    // Half files, as a crash of the whole machine leaves them.
    for (const name of readdirSync(folder).filter((file) => statSync(join(folder, file)).size > 9))
      if (name.charCodeAt(0) % 2) truncateSync(join(folder, name), 9);
    await withServer(options, async (server) => {
      assert.deepEqual(await ask(server), outputs);
      assert.deepEqual(await server.stop(), {code: 0, signal: null});
    });
    await withServer(options, async (server) => {
      assert.deepEqual(await ask(server), outputs);
      assert.equal((await server.metrics())['vl2_picture_tiles_total{from="tower"}'], 0);
      assert.ok(await fromDisk(server) > 0);
    });
  } finally {
    rmSync(folder, {recursive: true});
  }
});

test('a disk cache that cannot be written is warned of, and stops nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vl2-cache-'));
  // Files of a few kilobytes and not more, where the system would end a program that is not asked.
  const through = ['sh', '-c', 'trap "" XFSZ; ulimit -f 4; exec "$@"', 'sh'];
  try {
    await withServer(['--cache-dir', folder], async (server) => {
      assert.equal(await answerOf(server, picture), 'SCORES');
      await until('it has warned', () => /warning .*vl2-cache-/.test(server.log));
      assert.equal(await answerOf(server, picture), 'SCORES');
      assert.equal(await fromDisk(server), 0);
    }, {through});
    await withServer(['--cache-dir', folder], async (server) => {
      assert.equal(await answerOf(server, picture), 'SCORES');
      assert.equal(await fromDisk(server), 0);
    });
  } finally {
    rmSync(folder, {recursive: true});
  }
});
