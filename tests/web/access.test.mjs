// SPDX-License-Identifier: MIT
// For everybody: keyboards, screen readers, small screens, dark rooms, two languages.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { afterEach, describe, it } from "node:test";
import { until } from "../clients/server.mjs";
import { demo, Reader, withServer } from "./browser.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds, from the serious on. */
async function seriousFaults(page) {
  // The page's own policy allows no script but its own; the debugger may.
  await page.evaluate(AXE);
  const { violations, passes } = await page.evaluate(() => window.axe.run(document));
  assert.ok(passes.length > 10, "axe looked at the page");
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join(" | ")}`,
    );
}

describe("access", () => {
  let browser;
  let server;
  let reader;
  withServer((...started) => ([browser, server] = started));
  afterEach(async () => reader?.close());

  async function fillChat() {
    await reader.attach(demo("shapes_boxes.png"));
    await reader.ask("<|ref|>the gray diamond<|/ref|>.");
    await reader.answer();
    await reader.attach(demo("wide.png"));
    await reader.draftPictures.getByText(/tiles|图块/).waitFor();
  }

  for (const colorScheme of ["light", "dark"]) {
    it(`has no serious fault in ${colorScheme} colours`, async () => {
      reader = await Reader.open(browser, server.url, { colorScheme });
      await reader.page.getByText("vl2-nano").first().waitFor();
      await reader.screenshot(`start-${colorScheme}`);
      assert.deepEqual(await seriousFaults(reader.page), []);
      await fillChat();
      await reader.screenshot(`chat-${colorScheme}`);
      assert.deepEqual(await seriousFaults(reader.page), []);
      await reader.button("Show tokens").click();
      assert.deepEqual(await seriousFaults(reader.page), []);
      await reader.button("Settings").click();
      await reader.page.getByRole("dialog").waitFor();
      await reader.screenshot(`settings-${colorScheme}`);
      assert.deepEqual(await seriousFaults(reader.page), []);
      await reader.page.keyboard.press("Escape");
      await reader.page
        .getByRole("button", { name: /^Open Image 1/ })
        .first()
        .click();
      await reader.page.getByRole("dialog").waitFor();
      assert.deepEqual(await seriousFaults(reader.page), []);
    });
  }

  it("fits a phone", async () => {
    reader = await Reader.open(browser, server.url, {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    });
    await fillChat();
    const wide = await reader.page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 390, `${wide} pixels wide`);
    await reader.screenshot("phone");
    assert.deepEqual(await seriousFaults(reader.page), []);
    assert.ok(!(await reader.button("New chat").isVisible()));
    await reader.button("Chats").click();
    await reader.button("New chat").click();
    await reader.page.getByRole("heading", { name: "Show it a picture" }).waitFor();
  });

  it("speaks Chinese", async () => {
    reader = await Reader.open(browser, server.url, { locale: "zh-CN" });
    await reader.page.getByRole("heading", { name: "给它看一张图片" }).waitFor();
    assert.equal(await reader.page.evaluate(() => document.documentElement.lang), "zh");
    await reader.screenshot("chinese");
    assert.deepEqual(await seriousFaults(reader.page), []);
  });

  it("needs no mouse", async () => {
    reader = await Reader.open(browser, server.url);
    const { keyboard } = reader.page;
    const focused = () =>
      reader.page.evaluate(
        () => document.activeElement.textContent || document.activeElement.ariaLabel,
      );
    await until("the mode has the focus", async () => {
      await keyboard.press("Tab");
      return (await focused()) === "Find an object";
    });
    await keyboard.press("Enter");
    await reader.draftPictures.waitFor();
    // The prompt is there, and what is to be written over is selected.
    assert.equal(await reader.question.inputValue(), "<|ref|>the gray diamond<|/ref|>.");
    await keyboard.type("the diamond");
    await until("it can be sent", () => reader.send.isEnabled());
    await keyboard.press("Enter");
    await reader.answer();
    const word = reader.answers.locator("[data-colour]");
    await word.focus();
    const box = reader.page.getByRole("button", { name: "Boxes: the diamond" });
    assert.notEqual(await box.evaluate((node) => getComputedStyle(node).boxShadow), "none");
  });

  it("has a preset with the defaults of the original's demo", async () => {
    reader = await Reader.open(browser, server.url);
    await reader.button("Settings").click();
    await reader.button("Original demo").click();
    const value = (label) => reader.page.getByLabel(label, { exact: true }).inputValue();
    assert.equal(await value("Temperature"), "0.1");
    assert.equal(await value("Top-p"), "0.9");
    assert.equal(await value("Repetition penalty"), "1.1");
    await reader.page.reload();
    await reader.button("Settings").click();
    assert.equal(await value("Temperature"), "0.1");
  });
});
