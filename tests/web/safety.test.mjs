// SPDX-License-Identifier: MIT
// Answers and names of files are nobody's friends.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { demo, Reader, withServer } from "./browser.mjs";

const HOSTILE = [
  '<img src=x onerror="alert(1)">',
  "<script>alert(2)</script>",
  '<iframe src="javascript:alert(3)"></iframe>',
  "[link](javascript:alert(4)) [entity](java&#115;cript:alert(5)) [data](data:text/html,x)",
  "![picture](http://evil.example/track.png)",
  "<|ref|><b onmouseover=alert(6)>bold</b><|/ref|><|det|>[[1, 2, 300, 400]]<|/det|>",
  "$\\href{javascript:alert(7)}{x}$ $\\includegraphics{http://evil.example/f.png}$",
  "| <svg onload=alert(8)> | b |\n|---|---|\n| `<b>` | 2 |",
  "**fine**",
].join("\n\n");

function streamOf(text) {
  const chunk = (delta, finish) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] })}\n\n`;
  return chunk({ content: text }, null) + chunk({}, "stop") + "data: [DONE]\n\n";
}

describe("safety", () => {
  let browser;
  let server;
  withServer((...started) => ([browser, server] = started));

  it("shows hostile answers as text and fetches nothing for them", async () => {
    const reader = await Reader.open(browser, server.url);
    await reader.page.route("**/v1/chat/completions", (route) =>
      route.fulfill({ contentType: "text/event-stream", body: streamOf(HOSTILE) }),
    );
    await reader.page.locator('input[type="file"][accept^="image"]').setInputFiles({
      name: '"><img src=x onerror=alert(9)>.png',
      mimeType: "image/png",
      buffer: readFileSync(demo("sign.png")),
    });
    await reader.ask("<img src=x onerror=alert(10)>");
    const answer = await reader.answer();
    await answer.locator("strong", { hasText: "fine" }).waitFor();
    await answer.locator("math").first().waitFor();
    assert.equal(await reader.page.locator('img[src="x"], iframe, [onerror], [onload]').count(), 0);
    const links = await answer
      .locator("[href]")
      .evaluateAll((all) => all.map((a) => a.getAttribute("href")));
    assert.deepEqual(links, ["http://evil.example/track.png"]);
    assert.match(await answer.innerText(), /<script>alert\(2\)<\/script>/);
    assert.deepEqual(reader.faults, []);
    await reader.close();
  });

  it("renders Markdown, tables, code and formulas", async () => {
    const reader = await Reader.open(browser, server.url);
    const text =
      "# Title\n\n| a | b |\n|--:|---|\n| 1 | 2 |\n\n```python\nprint(1)\n```\n\n$x^2$ and \\(y\\)\n\n" +
      "$$\\frac{a}{b}$$\n\n1. one\n2. two\n\n5 < 6 &amp; costs $5 and $6";
    await reader.page.route("**/v1/chat/completions", (route) =>
      route.fulfill({ contentType: "text/event-stream", body: streamOf(text) }),
    );
    await reader.ask("Show");
    const answer = await reader.answer();
    await answer.getByRole("heading", { name: "Title" }).waitFor();
    assert.equal(await answer.locator("td").count(), 2);
    assert.equal(await answer.locator("pre code").innerText(), "print(1)");
    await answer.locator("mfrac").waitFor();
    assert.equal(await answer.locator("math").count(), 3);
    assert.match(await answer.innerText(), /5 < 6 & costs \$5 and \$6/);
    assert.deepEqual(reader.faults, []);
    await reader.close();
  });

  it("is sent with a strict policy and lasting names", async () => {
    const page = await fetch(server.url);
    const policy = page.headers.get("content-security-policy");
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    const html = await page.text();
    assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)/);
    const [script] = /\/assets\/[\w-]+\.js/.exec(html);
    const first = await fetch(server.url + script);
    assert.match(first.headers.get("cache-control"), /immutable/);
    const again = await fetch(server.url + script, {
      headers: { "if-none-match": first.headers.get("etag") },
    });
    assert.equal(again.status, 304);
    assert.equal((await fetch(server.url + script, { method: "HEAD" })).status, 200);
    assert.equal((await fetch(server.url + script, { method: "POST" })).status, 405);
    assert.equal((await fetch(`${server.url}/assets/../../etc/passwd`)).status, 404);
  });
});
