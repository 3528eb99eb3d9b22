// SPDX-License-Identifier: MIT
// What a question costs, and what to do when it costs too much.
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { Server, until } from "../clients/server.mjs";
import { demo, Reader, withBrowser } from "./browser.mjs";

/** What the server says of a question about a picture of that size. */
async function costOf(server, text, width, height) {
  const content = [
    { type: "image_url", image_url: { width, height } },
    { type: "text", text },
  ];
  const response = await fetch(`${server.url}/v1/chat/completions/input_tokens`, {
    method: "POST",
    body: JSON.stringify({ messages: [{ role: "user", content }] }),
  });
  return (await response.json()).input_tokens;
}

describe("budget", () => {
  let browser;
  let server;
  let reader;
  withBrowser((launched) => (browser = launched));
  afterEach(async () => {
    await reader?.close();
    await server?.kill();
  });

  async function open(options = []) {
    server = await Server.start(options);
    reader = await Reader.open(browser, server.url);
  }

  it("counts text, pictures and what is left", async () => {
    await open();
    await reader.attach(demo("wide.png"));
    await reader.draftPictures.getByText("2 × 1 tiles + overview").waitFor();
    assert.equal(await reader.page.locator("[data-tiles]").getAttribute("data-tiles"), "2x1");
    await reader.question.fill("How many red shapes are there?");
    const meter = reader.page.getByRole("meter");
    const value = async () => Number(await meter.getAttribute("aria-valuenow"));
    const before = await costOf(server, "How many red shapes are there?", 768, 384);
    await until("the text is counted too", async () => (await value()) === before);
    await reader.page
      .getByText(`${before} / 4096 · ${4096 - before} left for the answer`)
      .waitFor();
    await reader.screenshot("tiles");
    // The same as the answer says afterwards.
    await reader.send.click();
    await reader.answer();
    await reader.page.locator("header summary").click();
    assert.match(await reader.page.locator("header dl").innerText(), new RegExp(` / ${before}\\b`));
  });

  it("offers fewer tiles where a picture is too large", async () => {
    await open(["--context", "400"]);
    await reader.attach(demo("wide.png"));
    await reader.page.getByText(/does not fit into the model's 400 tokens/).waitFor();
    await reader.question.fill("Describe the image.");
    assert.ok(await reader.send.isDisabled());
    await reader.screenshot("too-long");
    await reader.button("Use fewer tiles").click();
    await reader.draftPictures.getByText("1 × 1 tiles + overview").waitFor();
    await until("it fits", () => reader.send.isEnabled());
    await reader.send.click();
    await reader.answer();
  });

  it("offers to leave out old turns where the chat is too long", async () => {
    await open(["--context", "700"]);
    await reader.attach(demo("sign.png"));
    await reader.ask("What does the text say?");
    await reader.answer();
    await reader.attach(demo("sign.png"));
    await reader.ask("What is the last letter?");
    await reader.answer();
    await reader.attach(demo("sign.png"));
    await reader.button("Leave out old turns").click();
    await reader.page.getByText("Turns above are not sent any more.").waitFor();
    await reader.question.fill("What does the text say?");
    await until("it fits", () => reader.send.isEnabled());
    await reader.send.click();
    assert.match(await (await reader.answer()).innerText(), /TEA/);
  });

  it("says so when nothing helps", async () => {
    await open(["--context", "320"]);
    await reader.attach(demo("sign.png"), demo("sign.png"));
    await reader.button("Use fewer tiles").click();
    await reader.page.getByText("Even that would not be enough.").waitFor();
  });
});
