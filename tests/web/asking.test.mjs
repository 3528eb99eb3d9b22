// SPDX-License-Identifier: MIT
// Questions, answers, and what becomes of them.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { until } from "../clients/server.mjs";
import { demo, pdfOf, transfer, withPage } from "./browser.mjs";

// Keeps the model writing for some seconds.
const LONG = JSON.stringify({ type: "string", minLength: 3000, maxLength: 3500 });

describe("asking", () => {
  let reader;
  let server;
  withPage((...opened) => ([reader, server] = opened));

  it("shows a chosen picture as the model sees it, and answers", async () => {
    await reader.attach(demo("sign.png"));
    await reader.draftPictures.getByText("1 × 1 tiles + overview").waitFor();
    await reader.draftPictures.getByText("313 tokens").waitFor();
    await reader.ask("What does the text say?");
    assert.match(await (await reader.answer()).innerText(), /TEA/);
    await reader.screenshot("answer");
  });

  it("sends a question once, however fast Send is pressed", async () => {
    await reader.attach(demo("sign.png"));
    await reader.question.fill("What does the text say?");
    await until("it can be sent", () => reader.send.isEnabled());
    await reader.send.evaluate((button) => [button.click(), button.click()]);
    await reader.answer();
    assert.equal(await reader.answers.count(), 1);
  });

  it("takes pictures from the clipboard and from a drop, in order", async () => {
    await transfer(reader.page, "paste", demo("pair_1.png"));
    await reader.draftPictures.getByText("Image 1").waitFor();
    await transfer(reader.page, "drop", demo("pair_2.png"));
    await reader.draftPictures.getByText("Image 2").waitFor();
    assert.match(await reader.draftPictures.nth(1).innerText(), /pair_2\.png/);
    await reader.button("Move pair_2.png to the left").click();
    assert.match(await reader.draftPictures.nth(0).innerText(), /pair_2\.png/);
    await reader.button("Move pair_2.png to the right").click();
    await reader.ask(
      "This is image_1: <image>\nThis is image_2: <image>\nWhich image has more stars?",
    );
    assert.match(await (await reader.answer()).innerText(), /image_1/);
  });

  it("puts the place of a picture where the caret is", async () => {
    await reader.attach(demo("sign.png"));
    await reader.question.fill("Look at . What is it?");
    await reader.question.evaluate((field) => field.setSelectionRange(8, 8));
    await reader.button("Insert place of a picture").click();
    assert.equal(await reader.question.inputValue(), "Look at <image>. What is it?");
    assert.ok(await reader.button("Insert place of a picture").isDisabled());
  });

  it("shows the chosen pages of a PDF", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "vl2-web-")), "paper.pdf");
    writeFileSync(file, pdfOf(3));
    await reader.attach(file);
    await reader.page.getByLabel(/paper\.pdf has 3 pages/).fill("1, 4");
    await reader.page.getByText("up to 3").waitFor();
    await reader.page.getByLabel(/paper\.pdf has 3 pages/).fill("1, 3");
    await reader.button("Add").click();
    await reader.draftPictures.nth(1).waitFor();
    assert.match(await reader.draftPictures.nth(1).innerText(), /paper\.pdf · 3/);
    const dark = await reader.draftPictures
      .nth(0)
      .locator("img")
      .evaluate(async (image) => {
        await image.decode();
        const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
        const context = canvas.getContext("2d");
        context.drawImage(image, 0, 0);
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
        return data.filter((value, index) => index % 4 === 0 && value < 128).length;
      });
    assert.ok(dark > 1000, `${dark} dark pixels of text`);
  });

  it("says which files are no pictures", async () => {
    await reader.page.locator('input[type="file"][accept^="image"]').setInputFiles({
      name: "notes.png",
      mimeType: "image/png",
      buffer: Buffer.from("no picture"),
    });
    await reader.page.getByText("This cannot be read as a picture: notes.png").waitFor();
  });

  it("shows the answer as it grows, and stops the computation when told to", async () => {
    await reader.set("JSON schema of the answer", LONG);
    await reader.set("Most tokens of an answer", "3500");
    await reader.ask("Write.");
    const answer = reader.answers.last();
    await until("the answer begins", async () => (await answer.innerText()).length > 20);
    assert.equal(await answer.getAttribute("aria-busy"), "true");
    await reader.button("Stop").click();
    await answer.getByText("Stopped.").waitFor();
    await until("nothing runs", async () => (await server.metrics()).vl2_requests_running === 0);
    await until("the log says so", () =>
      /path=\/v1\/chat\/completions status=499/.test(server.log),
    );
  });

  it("answers again, and keeps all versions", async () => {
    await reader.set("Temperature", "1");
    await reader.attach(demo("shapes.png"));
    await reader.ask("Describe the image.");
    await reader.answer();
    await reader.button("Answer again").click();
    await reader.page.getByText("2 / 2").waitFor();
    await reader.answer();
    await reader.button("Previous version").click();
    await reader.page.getByText("1 / 2").waitFor();
  });

  it("edits an earlier question into a branch of its own", async () => {
    await reader.attach(demo("bar_chart.png"));
    await reader.ask("What is the title?");
    assert.match(await (await reader.answer()).innerText(), /RAIN/);
    await reader.button("Edit").click();
    assert.equal(await reader.question.inputValue(), "What is the title?");
    await reader.ask("How many bars are there?");
    assert.match(await (await reader.answer()).innerText(), /2/);
    await reader.button("Previous version").first().click();
    await reader.answers.getByText("RAIN").waitFor();
    await reader.button("Branch off").click();
    await until(
      "there are two chats",
      async () => (await reader.page.locator("nav li").count()) === 2,
    );
  });

  it("keeps chats and pictures over a reload", async () => {
    await reader.attach(demo("sign.png"));
    await reader.ask("What is the last letter?");
    await reader.answer();
    await reader.page.reload();
    await reader.answers.getByText("A", { exact: true }).waitFor();
    const width = () =>
      reader.page
        .locator("main img")
        .first()
        .evaluate((image) => image.naturalWidth);
    await until("the picture is shown", async () => (await width()) > 0);
    await reader.ask("What does the text say?");
    await reader.answer();
    assert.equal(await reader.page.getByRole("alert").count(), 0);
  });

  it("deletes a chat when asked twice", async () => {
    await reader.ask("Hello");
    await reader.answer();
    await reader.button("Delete chat: Hello").click();
    await reader.button("Delete?").click();
    await reader.page.getByRole("heading", { name: "Show it a picture" }).waitFor();
    await reader.page.reload();
    await reader.page.getByRole("heading", { name: "Show it a picture" }).waitFor();
    assert.equal(await reader.page.locator("nav li").count(), 0);
  });

  it("saves a chat and opens it again", async () => {
    await reader.attach(demo("sign.png"));
    await reader.ask("What does the text say?");
    await reader.answer();
    const saved = reader.page.waitForEvent("download");
    await reader.button("Save as JSON").click();
    const file = await (await saved).path();
    const copy = join(mkdtempSync(join(tmpdir(), "vl2-web-")), "chat.json");
    writeFileSync(copy, readFileSync(file));
    await reader.page.locator('input[type="file"][accept^=".json"]').setInputFiles(copy);
    await until(
      "there are two chats",
      async () => (await reader.page.locator("nav li").count()) === 2,
    );
    await reader.answers.getByText("TEA").waitFor();
    await reader.page.locator('input[type="file"][accept^=".json"]').setInputFiles({
      name: "x.json",
      mimeType: "application/json",
      buffer: Buffer.from("{}"),
    });
    await reader.page.getByText("This is no saved chat.").waitFor();
  });

  it("shows how sure it was of each token", async () => {
    await reader.attach(demo("sign.png"));
    await reader.ask("What does the text say?");
    await reader.answer();
    await reader.button("Show tokens").click();
    const token = reader.page.getByRole("note").first();
    await token.hover();
    await token.getByText("Confidence").waitFor();
    assert.equal(await token.locator("code").count(), 5);
    await reader.screenshot("tokens");
  });

  it("holds the answer to a JSON schema", async () => {
    const schema = { type: "object", properties: { n: { enum: [1, 2] } }, required: ["n"] };
    await reader.set("JSON schema of the answer", JSON.stringify(schema));
    await reader.ask("Hello");
    assert.match(await (await reader.answer()).innerText(), /\{\s*"n":\s*[12]\s*\}/);
  });

  it("tells what answers, and how fast", async () => {
    await reader.ask("Hello");
    await reader.answer();
    await reader.page.locator("header summary").click();
    const facts = reader.page.locator("header dl");
    assert.match(
      await facts.innerText(),
      /vl2-nano[\s\S]*bf16[\s\S]*tokens\/s[\s\S]*ms[\s\S]*cached/,
    );
  });
});
