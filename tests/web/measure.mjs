// SPDX-License-Identifier: MIT
// What the page weighs and how soon it can be used: VL2_PROGRAM=build/vl2 node measure.mjs
import { launch } from "./browser.mjs";
import { Server } from "../clients/server.mjs";

const ROUNDS = 5;

async function compressedBytes(url) {
  const response = await fetch(url, { method: "HEAD", headers: { "accept-encoding": "gzip" } });
  return Number(response.headers.get("content-length"));
}

/** Sizes of the scripts that the page begins with, and of those that come later. */
async function sizes(server) {
  const html = await (await fetch(server.url)).text();
  const first = [...new Set(html.match(/\/assets\/[\w.-]+\.(js|css)/g))];
  // Scripts name those that they load later.
  const later = [];
  for (const path of first) await follow(path);
  async function follow(path) {
    const text = await (await fetch(server.url + path)).text();
    for (const [, name] of text.matchAll(/["'`](?:\.\/|\/?assets\/)([\w.-]+\.m?js)["'`]/g)) {
      const other = `/assets/${name}`;
      if (first.includes(other) || later.includes(other)) continue;
      if (!(await fetch(server.url + other, { method: "HEAD" })).ok) continue;
      later.push(other);
      await follow(other);
    }
  }
  for (const [when, paths] of [
    ["at once", first],
    ["when needed", later],
  ])
    for (const path of paths)
      console.log(`${when}: ${path} ${await compressedBytes(server.url + path)} bytes compressed`);
}

/** Milliseconds from the request to a question field, in a browser that has nothing in its cache. */
async function timeToUse(browser, server, slowness) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const debug = await context.newCDPSession(page);
  await debug.send("Emulation.setCPUThrottlingRate", { rate: slowness });
  await page.addInitScript(() => {
    const look = () => {
      if (document.querySelector("textarea")) window.usableAt ??= performance.now();
      else requestAnimationFrame(look);
    };
    look();
  });
  await page.goto(server.url);
  await page.waitForFunction(() => window.usableAt);
  const times = await page.evaluate(() => ({
    usable: window.usableAt,
    painted: performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
  }));
  await context.close();
  return times;
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

const server = await Server.start();
const browser = await launch();
await sizes(server);
for (const slowness of [1, 4]) {
  const rounds = [];
  for (let i = 0; i < ROUNDS; ++i) rounds.push(await timeToUse(browser, server, slowness));
  const usable = median(rounds.map((round) => round.usable)).toFixed(0);
  const painted = median(rounds.map((round) => round.painted ?? Number.NaN)).toFixed(0);
  console.log(
    `processor ${slowness}x slower: usable after ${usable} ms, first paint ${painted} ms (median of ${ROUNDS})`,
  );
}
await browser.close();
await server.kill();
