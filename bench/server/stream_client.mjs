// SPDX-License-Identifier: MIT
// Asks for streams and times their pieces. Plain HTTP, so that little of the time is the client's.
import http from 'node:http';

import {Clock} from './clock.mjs';

export class StreamClient {
  constructor(url, connections = 1) {
    const {hostname, port} = new URL(url);
    this.options = {
      host: hostname,
      port,
      method: 'POST',
      path: '/v1/chat/completions',
      agent: new http.Agent({keepAlive: true, maxSockets: connections}),
    };
  }

  close() { this.options.agent.destroy(); }

  // What was answered, as text that two equal answers share, its tokens, and milliseconds: to the
  // first piece, between pieces, and in all.
  async ask(body) {
    const clock = new Clock();
    const response = await this.post(body);
    const answer = [];
    const times = [];
    let usage = null;
    let rest = '';
    response.setEncoding('utf8');
    for await (const text of response) {
      const events = (rest + text).split('\n\n');
      rest = events.pop();
      for (const event of events) {
        if (!event.startsWith('data: {')) continue;
        const chunk = JSON.parse(event.slice('data: '.length));
        if (chunk.error) throw new Error(chunk.error.message);
        usage = chunk.usage ?? usage;
        const [choice] = chunk.choices;
        if (!choice || choice.delta.role) continue;
        times.push(clock.milliseconds());
        answer.push(JSON.stringify([choice.delta, choice.logprobs, choice.finish_reason]));
      }
    }
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}: ${rest}`);
    if (!usage) throw new Error('the stream ended early');
    return {
      answer: answer.join('\n'),
      tokens: usage.completion_tokens,
      first: times[0],
      gaps: times.slice(1).map((time, i) => time - times[i]),
      whole: clock.milliseconds(),
    };
  }

  post(body) {
    return new Promise((resolve, reject) => {
      const headers = {'content-type': 'application/json', 'content-length': Buffer.byteLength(body)};
      const request = http.request({...this.options, headers}, resolve);
      request.on('error', reject);
      request.end(body);
    });
  }
}
