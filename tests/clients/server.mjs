// SPDX-License-Identifier: MIT
// A `vl2 serve` process of a test's own, on a port that was free.
import {spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import net from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';

export const nano = fileURLToPath(new URL('../../models/vl2-nano', import.meta.url));

const patience = 120_000;  // milliseconds; the machine may be busy

// Waits until `condition` returns something true, which is returned.
export async function until(what, condition) {
  const end = Date.now() + patience;
  while (Date.now() < end) {
    const value = await condition();
    if (value) return value;
    await sleep(25);
  }
  throw new Error(`waited in vain until ${what}`);
}

// A port that nobody listens on now.
export async function freePort() {
  const listener = net.createServer();
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const {port} = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

export class Server {
  // Starts the program and waits until it answers. `model` may be another folder, `logFile` takes
  // what else would be in `log`, and then `port` must be given; `through` is a command that runs
  // the one behind it.
  static async start(options = [], {model = nano, port = 0, logFile, through = []} = {}) {
    const server = new Server(['-m', model, '--port', String(port), ...options], logFile, through);
    if (logFile !== undefined) server.url = `http://127.0.0.1:${port}`;
    await server.ready();
    return server;
  }

  constructor(options, logFile = 'pipe', through = []) {
    this.log = '';
    this.exit = null;  // {code, signal} once it has ended
    const program = process.env.VL2_PROGRAM;
    if (!program) throw new Error('VL2_PROGRAM names the program under test');
    const env = {...process.env, OMP_WAIT_POLICY: 'passive'};
    delete env.VL2_MODEL;
    const [command, ...words] = [...through, program, 'serve', ...options];
    this.process = spawn(command, words, {env, stdio: ['ignore', 'ignore', logFile]});
    this.process.stderr?.setEncoding('utf8').on('data', (text) => { this.log += text; });
    this.ended = new Promise((resolve) => this.process.on('close', (code, signal) => {
      this.exit = {code, signal};
      resolve(this.exit);
    }));
  }

  async ready() {
    await until('the model is loaded', async () => {
      if (this.exit) throw new Error(`the server ended: ${this.log}`);
      this.url ??= this.log.match(/listening url=(\S+)/)?.[1];
      try {
        return this.url && (await fetch(`${this.url}/health`)).ok;
      } catch {
        return false;  // it does not listen yet
      }
    });
  }

  get port() { return Number(new URL(this.url).port); }

  signal(name) { this.process.kill(name); }

  // Asks it to end; what it exits with.
  async stop() {
    if (!this.exit) this.signal('SIGTERM');
    return await this.ended;
  }

  // As `kill -9`.
  async kill() {
    if (!this.exit) this.signal('SIGKILL');
    return await this.ended;
  }

  async metrics() { return parseMetrics(await (await fetch(`${this.url}/metrics`)).text()); }

  async idle() {
    await until('nothing is at work', async () => {
      const metrics = await this.metrics();
      return metrics.vl2_requests_running === 0 && metrics.vl2_requests_waiting === 0;
    });
  }

  // Resident memory in bytes.
  memory() { return residentBytes(this.process.pid); }

  post(path, body, headers = {}) {
    return fetch(this.url + path, {
      method: 'POST',
      headers: {'content-type': 'application/json', ...headers},
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }
}

export function residentBytes(pid) {
  return Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+) kB/)[1]) * 1024;
}

// Values by name, or by name{labels} as they are written.
export function parseMetrics(text) {
  const metrics = {};
  for (const line of text.split('\n')) {
    const [, name, value] = line.match(/^([^#].*) (\S+)$/) ?? [];
    if (name) metrics[name] = Number(value);
  }
  return metrics;
}
