// SPDX-License-Identifier: MIT
// Boxes: where they stand, and what can be done with them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { nano, until } from "../clients/server.mjs";
import { demo, pixelsOf, withPage } from "./browser.mjs";

const FIRST_COLOUR = [0xd6, 0x20, 0x4e];

function evalCase(task) {
  const lines = readFileSync(`${nano}/eval/eval.jsonl`, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line)).find((one) => one.task === task);
}

/** What the server itself says about the same question. */
async function boxOf(server, path, question) {
  const url = `data:image/png;base64,${readFileSync(path).toString("base64")}`;
  const content = [
    { type: "image_url", image_url: { url } },
    { type: "text", text: question },
  ];
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ messages: [{ role: "user", content }], max_tokens: 64 }),
  });
  return (await response.json()).choices[0].message.grounding[0].box;
}

describe("grounding", () => {
  let reader;
  let server;
  withPage((...opened) => ([reader, server] = opened), { viewport: { width: 1200, height: 1000 } });

  async function askFor(path, question) {
    await reader.attach(path);
    await reader.ask(question);
    await reader.answer();
    return reader.page.locator("[data-picture]");
  }

  for (const task of ["ground_shape", "ground_bar"]) {
    it(`draws the box of ${task} where the model put it`, async () => {
      const { images, prompt } = evalCase(task);
      const path = `${nano}/eval/${images[0]}`;
      const question = prompt.replace("<image>\n", "");
      const box = await boxOf(server, path, question);
      const figure = await askFor(path, question);
      await reader.page.mouse.move(0, 0);
      const png = await figure.screenshot();
      const { width, height } = await figure.boundingBox();
      const [left, top, right, bottom] = box.map((v, i) => (v / 999) * (i % 2 ? height : width));
      const middle = [(left + right) / 2, (top + bottom) / 2];
      const on = [
        [left + 1.5, middle[1]],
        [right - 1.5, middle[1]],
        [middle[0], bottom - 1.5],
      ];
      for (const colour of await pixelsOf(reader.page, png, on)) {
        const apart = colour.map((value, i) => Math.abs(value - FIRST_COLOUR[i]));
        assert.ok(Math.max(...apart) < 30, `${colour} on the box ${box}`);
      }
      const [outside] = await pixelsOf(reader.page, png, [[middle[0], bottom + 6]]);
      assert.notDeepEqual(outside, FIRST_COLOUR);
    });
  }

  it("lights up the box of a word, and the word of a box", async () => {
    const figure = await askFor(demo("shapes_boxes.png"), "<|ref|>the gray diamond<|/ref|>.");
    const word = reader.answers.locator("[data-colour]");
    const box = figure.getByRole("button", { name: "Boxes: the gray diamond" });
    const background = (locator) =>
      locator.evaluate((node) => getComputedStyle(node).backgroundColor);
    await reader.page.mouse.move(0, 0);
    const dark = [await background(word), await background(box)];
    await word.hover();
    assert.notEqual(await background(box), dark[1]);
    await box.hover();
    assert.notEqual(await background(word), dark[0]);
    assert.equal(
      await word.evaluate((node) => node.style.getPropertyValue("--mark")),
      await box.evaluate((node) => node.style.getPropertyValue("--mark")),
    );
    await reader.screenshot("boxes");
  });

  it("asks about what a box holds", async () => {
    const figure = await askFor(demo("shapes_boxes.png"), "<|ref|>the gray diamond<|/ref|>.");
    await figure.getByRole("button", { name: "Boxes: the gray diamond" }).click();
    await reader.page.getByRole("button", { name: /Ask about this part/ }).click();
    const part = reader.draftPictures.locator("img");
    await part.waitFor();
    const size = await part.evaluate(async (image) => {
      await image.decode();
      return [image.naturalWidth, image.naturalHeight];
    });
    const whole = await figure.locator("img").evaluate((image) => image.naturalWidth);
    assert.ok(size[0] > 20 && size[0] < whole / 2, `${size} of ${whole}`);
    await reader.ask("What color is the diamond?");
    await reader.answer();
  });

  it("writes a box drawn by hand into the question", async () => {
    await reader.attach(demo("shapes.png"));
    await reader.button("Open shapes.png").click();
    await reader.button("Draw a box").click();
    const area = await reader.page.locator("[data-drawing]").boundingBox();
    const at = (x, y) => [area.x + area.width * x, area.y + area.height * y];
    await reader.page.mouse.move(...at(0.25, 0.5));
    await reader.page.mouse.down();
    await reader.page.mouse.move(...at(0.4, 0.6));
    await reader.page.mouse.move(...at(0.5, 0.75));
    await reader.page.mouse.up();
    const markup = await reader.question.inputValue();
    const box = /^<\|ref\|><\|\/ref\|><\|det\|>\[\[(\d+), (\d+), (\d+), (\d+)\]\]<\|\/det\|>$/.exec(
      markup,
    );
    assert.ok(box, markup);
    for (const [index, wanted] of [250, 500, 500, 749].entries())
      assert.ok(Math.abs(Number(box[index + 1]) - wanted) <= 4, markup);
  });

  it("draws a box with keys alone", async () => {
    await reader.attach(demo("shapes.png"));
    await reader.button("Open shapes.png").press("Enter");
    await reader.button("Draw a box").press("Enter");
    const drawing = reader.page.getByRole("application");
    await until("it has the focus", () =>
      drawing.evaluate((element) => element === document.activeElement),
    );
    for (const key of ["ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowLeft", "Enter"])
      await reader.page.keyboard.press(key);
    assert.equal(
      await reader.question.inputValue(),
      "<|ref|><|/ref|><|det|>[[420, 420, 600, 620]]<|/det|>",
    );
  });

  it("zooms into a picture and out again", async () => {
    await askFor(demo("shapes_boxes.png"), "<|ref|>the gray diamond<|/ref|>.");
    await reader.page
      .getByRole("button", { name: /^Open Image 1/ })
      .last()
      .click();
    const image = reader.page.getByRole("dialog").locator("img");
    await image.waitFor();
    const before = (await image.boundingBox()).width;
    await reader.button("Zoom in").click();
    assert.ok((await image.boundingBox()).width > before * 1.3);
    await reader.page.getByRole("dialog").getByRole("group").press("0");
    assert.ok(Math.abs((await image.boundingBox()).width - before) < 1);
    await reader.screenshot("viewer");
    await reader.page.keyboard.press("Escape");
    await image.waitFor({ state: "detached" });
  });

  it("saves the picture with its boxes", async () => {
    await askFor(demo("shapes_boxes.png"), "<|ref|>the gray diamond<|/ref|>.");
    const saved = reader.page.waitForEvent("download");
    await reader.button("Download with boxes").click();
    const file = await saved;
    assert.equal(file.suggestedFilename(), "shapes_boxes-boxes.png");
    const png = readFileSync(await file.path());
    const box = await boxOf(server, demo("shapes_boxes.png"), "<|ref|>the gray diamond<|/ref|>.");
    const width = png.readUInt32BE(16);
    const height = png.readUInt32BE(20);
    const place = [(box[2] / 999) * width, ((box[1] + box[3]) / 2 / 999) * height];
    const [colour] = await pixelsOf(reader.page, png, [place]);
    assert.deepEqual(colour, FIRST_COLOUR);
  });

  it("saves a page of its own with pictures and boxes, without script", async () => {
    await askFor(demo("shapes_boxes.png"), "<|ref|>the gray diamond<|/ref|>.");
    const saved = reader.page.waitForEvent("download");
    await reader.button("Save as web page").click();
    const html = readFileSync(await (await saved).path(), "utf8");
    assert.doesNotMatch(html, /<script|onerror=|(src|href)="(?!data:image)/);
    const page = await reader.context.newPage();
    await page.setContent(html);
    assert.equal(await page.locator("svg rect").count(), 1);
    assert.equal(await page.locator("svg text").textContent(), "the gray diamond");
    assert.ok(
      (await page.locator("svg image").first().getAttribute("href")).startsWith("data:image/png"),
    );
  });
});
