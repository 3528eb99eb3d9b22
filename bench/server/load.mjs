// SPDX-License-Identifier: MIT
// Many streams at once against `vl2 serve`: no error, every answer the same bytes as alone, and
// how fast. See --help.
import {parseArgs} from 'node:util';

import {messagesOf, questions} from '../../tests/clients/questions.mjs';
import {Server} from '../../tests/clients/server.mjs';
import {Clock, quantiles} from './clock.mjs';
import {StreamClient} from './stream_client.mjs';

const usage = `usage: node bench/server/load.mjs [OPTIONS] [-- OPTIONS OF vl2 serve]

Starts vl2 serve with the bundled model, asks its questions one by one, then many at once, and
compares. Exits with 1 if anything failed or differed.

  --program FILE   the program (default: build/vl2)
  --streams N      requests at once (default: 64)
  --seconds N      how long (default: 60)
  --requests N     so many instead
  --short          only short questions and answers
  --growth MIB     fail if the server's memory grows by more after a tenth of the work
  --json           one JSON object instead of text
`;

const {values, positionals} = parseArgs({
  allowPositionals: true,
  options: {
    program: {type: 'string', default: process.env.VL2_PROGRAM ?? 'build/vl2'},
    streams: {type: 'string', default: '64'},
    seconds: {type: 'string', default: '60'},
    requests: {type: 'string'},
    growth: {type: 'string'},
    short: {type: 'boolean', default: false},
    json: {type: 'boolean', default: false},
    help: {type: 'boolean', default: false},
  },
});
if (values.help) {
  process.stdout.write(usage);
  process.exit(0);
}

// Pictures and texts, short answers and long ones, with and without log-probabilities, which would
// show a difference of one bit.
function requestBodies(short) {
  const bodies = [];
  const add = (request) => bodies.push(JSON.stringify(
      {...request, temperature: 0, stream: true, stream_options: {include_usage: true}}));
  for (const [i, {images, messages}] of questions({margin: 0}).map(
      (question) => ({...question, messages: messagesOf(question)})).entries()) {
    if (i % 3 === 0) add({messages, logprobs: i % 2 === 0, max_tokens: 60});
    if (!short && i % 9 === 0 && images.length === 1)
      add({messages, logit_bias: {1: -100}, max_tokens: 100, logprobs: true});
  }
  const topics = ['Describe the image.', 'What is the title?', 'Count to ten.', 'Hello'];
  for (const content of topics) {
    const messages = [{role: 'user', content}];
    add({messages, max_tokens: 3, logprobs: true});
    if (short) continue;
    add({messages, logit_bias: {1: -100}, max_tokens: 150, logprobs: true});
    add({messages: [{role: 'user', content: `${content} `.repeat(120)}], max_tokens: 40});
  }
  return bodies;
}

const mebibytes = (bytes) => Math.round(bytes / 2 ** 20 * 10) / 10;

async function askAlone(server, bodies) {
  const client = new StreamClient(server.url);
  const answers = [];
  for (const body of bodies) answers.push((await client.ask(body)).answer);
  client.close();
  return answers;
}

// Keeps `streams` requests going until the time or the number is reached.
async function askTogether(server, bodies, alone, {streams, seconds, requests}) {
  const client = new StreamClient(server.url, streams);
  const result = {requests: 0, tokens: 0, errors: [], different: 0, first: [], gaps: [], whole: []};
  const clock = new Clock();
  const share = requests ? () => result.requests / requests : () => clock.seconds() / seconds;
  const memory = [server.memory()];
  let next = 0;
  let left = requests ?? Infinity;
  const more = () => (requests ? left-- > 0 : clock.seconds() < seconds);
  const work = async () => {
    while (more()) {
      const index = next++ % bodies.length;
      try {
        const {answer, tokens, first, gaps, whole} = await client.ask(bodies[index]);
        if (answer !== alone[index]) ++result.different;
        result.tokens += tokens;
        result.first.push(first);
        result.whole.push(whole);
        for (const gap of gaps) if (result.gaps.length < 5_000_000) result.gaps.push(gap);
      } catch (error) {
        result.errors.push(String(error));
        if (server.exit) return;
      }
      ++result.requests;
      if (memory.length < 10 && share() >= memory.length / 10) memory.push(server.memory());
    }
  };
  await Promise.all(Array.from({length: streams}, work));
  result.seconds = clock.seconds();
  client.close();
  await server.idle();
  memory.push(server.memory());
  return {...result, memory};
}

function summary(result, streams) {
  const {first, gaps, whole} = result;
  return {
    streams,
    requests: result.requests,
    seconds: result.seconds,
    errors: result.errors.length,
    different: result.different,
    requests_per_second: result.requests / result.seconds,
    tokens_per_second: result.tokens / result.seconds,
    first_token_ms: quantiles(first),
    between_tokens_ms: quantiles(gaps),
    whole_answer_ms: quantiles(whole),
    memory_mib: result.memory.map(mebibytes),
    growth_mib: mebibytes(result.memory.at(-1) - result.memory[1]),
  };
}

function print(figures) {
  const times = ({p50, p95, p99, max}) => (
    `median ${p50.toFixed(1)}, 95 % ${p95.toFixed(1)}, 99 % ${p99.toFixed(1)}, ` +
    `most ${max.toFixed(1)} ms`);
  console.log(`${figures.requests} requests in ${figures.seconds.toFixed(1)} s, ` +
              `${figures.streams} at once: ${figures.errors} failed, ` +
              `${figures.different} differed from the same request alone`);
  console.log(`${figures.requests_per_second.toFixed(1)} requests/s, ` +
              `${figures.tokens_per_second.toFixed(0)} tokens/s`);
  console.log(`first token     ${times(figures.first_token_ms)}`);
  console.log(`between tokens  ${times(figures.between_tokens_ms)}`);
  console.log(`whole answer    ${times(figures.whole_answer_ms)}`);
  console.log(`memory of the server in MiB, by tenths of the work: ${figures.memory_mib.join(' ')}`);
}

process.env.VL2_PROGRAM = values.program;
const streams = Number(values.streams);
const server = await Server.start(
    ['--quiet', '--max-running', String(streams), '--kv-memory', '64', ...positionals]);
let failed = true;
try {
  const bodies = requestBodies(values.short);
  const alone = await askAlone(server, bodies);
  const result = await askTogether(server, bodies, alone, {
    streams,
    seconds: Number(values.seconds),
    requests: values.requests ? Number(values.requests) : undefined,
  });
  const figures = summary(result, streams);
  if (values.json) console.log(JSON.stringify(figures));
  else print(figures);
  if (result.errors.length > 0) console.log(`the first error: ${result.errors[0]}`);
  const grew = values.growth && figures.growth_mib > Number(values.growth);
  if (grew) console.log(`the server grew by more than ${values.growth} MiB`);
  failed = result.errors.length > 0 || result.different > 0 || grew;
} finally {
  const {code} = await server.stop();
  if (code !== 0) failed = true;
  process.exitCode = failed ? 1 : 0;
}
