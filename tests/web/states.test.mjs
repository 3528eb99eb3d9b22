// SPDX-License-Identifier: MIT
// A server that is away, loading, full or locked.
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { Server, until } from "../clients/server.mjs";
import { Reader, withBrowser } from "./browser.mjs";

const LONG = { type: "string", minLength: 3000, maxLength: 3500 };

describe("states", () => {
  let browser;
  let server;
  let reader;
  withBrowser((launched) => (browser = launched));
  afterEach(async () => {
    await reader?.close();
    await server?.kill();
  });

  const banner = (text) => reader.page.getByRole("status").getByText(text);

  it("says that the server is gone, and finds it again", async () => {
    server = await Server.start();
    reader = await Reader.open(browser, server.url);
    await reader.page.getByText("vl2-nano").first().waitFor();
    const { port } = server;
    await server.kill();
    await reader.question.fill("Hello");
    await reader.question.press("Enter");
    await banner("The server does not answer. Trying again…").waitFor();
    assert.ok(await reader.send.isDisabled());
    await reader.screenshot("gone");
    server = await Server.start([], { port });
    await banner("The server does not answer. Trying again…").waitFor({ state: "detached" });
    // The question that was lost can be asked again.
    await reader.button("Try again").click();
    await reader.answer();
    assert.equal(await reader.page.getByText("No answer.").count(), 0);
  });

  it("says that the model is loading", async () => {
    server = await Server.start();
    reader = await Reader.open(browser, server.url);
    let loading = true;
    await reader.page.route("**/health", (route) =>
      loading
        ? route.fulfill({ status: 503, json: { status: "loading" } })
        : route.fulfill({ json: { status: "ok" } }),
    );
    await reader.page.reload();
    await banner("The model is loading…").waitFor();
    loading = false;
    await banner("The model is loading…").waitFor({ state: "detached" });
  });

  it("says that the queue is full", async () => {
    server = await Server.start(["--max-running", "1", "--max-waiting", "0"]);
    reader = await Reader.open(browser, server.url);
    await reader.question.fill("Hello");
    await until("it can be sent", () => reader.send.isEnabled());
    const controller = new AbortController();
    const busy = fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      signal: controller.signal,
      body: JSON.stringify({
        messages: [{ role: "user", content: "Write." }],
        response_format: { type: "json_schema", json_schema: { name: "long", schema: LONG } },
      }),
    }).catch(() => {});
    await until("it is busy", async () => (await server.metrics()).vl2_requests_running === 1);
    await reader.send.click();
    await reader.page.getByText(/The server's queue is full\. Try again in \d+ s\./).waitFor();
    controller.abort();
    await busy;
    await until("it is free", async () => (await server.metrics()).vl2_requests_running === 0);
    await reader.button("Try again").click();
    await reader.answer();
    await reader.page.getByText("2 / 2").waitFor();
  });

  it("asks for a key where the server wants one", async () => {
    server = await Server.start(["--api-key", "secret"]);
    reader = await Reader.open(browser, server.url);
    await banner("The server wants an API key. Enter it in the settings.").waitFor();
    await reader.set("API key", "secret");
    await banner("The server wants an API key. Enter it in the settings.").waitFor({
      state: "detached",
    });
    await reader.ask("Hello");
    await reader.answer();
  });

  it("shows what the server refuses", async () => {
    server = await Server.start();
    reader = await Reader.open(browser, server.url);
    await reader.set("JSON schema of the answer", '{"type": "nonsense"}');
    await reader.question.fill("Hello");
    await until("it can be sent", () => reader.send.isEnabled());
    await reader.send.click();
    await reader.page.getByText(/No answer\..*schema/i).waitFor();
  });
});
