// SPDX-License-Identifier: MIT
// The model is shown what the reader sees.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pixelsOf, withPage } from "./browser.mjs";

// Turned by a quarter, says this EXIF.
const EXIF = Buffer.concat([
  Buffer.from("Exif\0\0", "latin1"),
  Buffer.from("4d4d002a00000008000101120003000000010006000000000000", "hex"),
]);

describe("pictures", () => {
  let reader;
  withPage((opened) => (reader = opened));

  /** A picture of 40 x 20 pixels, its left half red, the rest see-through where that is possible. */
  async function draw(type) {
    const data = await reader.page.evaluate(async (wanted) => {
      const canvas = new OffscreenCanvas(40, 20);
      const context = canvas.getContext("2d");
      context.fillStyle = "#f00";
      context.fillRect(0, 0, 20, 20);
      const blob = await canvas.convertToBlob({ type: wanted });
      return [...new Uint8Array(await blob.arrayBuffer())];
    }, type);
    return Buffer.from(data);
  }

  /** The bytes that the server gets for a file. */
  async function sent(name, mimeType, buffer) {
    await reader.page
      .locator('input[type="file"][accept^="image"]')
      .setInputFiles({ name, mimeType, buffer });
    await reader.draftPictures.waitFor();
    const asked = reader.page.waitForRequest("**/v1/chat/completions");
    await reader.ask("What is it?");
    const [part] = (await asked).postDataJSON().messages[0].content;
    await reader.answer();
    const [, type, base64] = /^data:(.*);base64,(.*)$/.exec(part.image_url.url);
    return { type, bytes: Buffer.from(base64, "base64") };
  }

  it("sends plain pictures as they are", async () => {
    const jpeg = await draw("image/jpeg");
    const { type, bytes } = await sent("plain.jpg", "image/jpeg", jpeg);
    assert.equal(type, "image/jpeg");
    assert.deepEqual(bytes, jpeg);
  });

  it("turns what the browser shows turned", async () => {
    const jpeg = await draw("image/jpeg");
    const length = Buffer.from([0xff, 0xe1, 0, EXIF.length + 2]);
    const turned = Buffer.concat([jpeg.subarray(0, 2), length, EXIF, jpeg.subarray(2)]);
    const { type, bytes } = await sent("turned.jpg", "image/jpeg", turned);
    assert.equal(type, "image/png");
    assert.deepEqual([bytes.readUInt32BE(16), bytes.readUInt32BE(20)], [20, 40]);
  });

  it("puts what is see-through on white", async () => {
    const { type, bytes } = await sent("clear.png", "image/png", await draw("image/png"));
    assert.equal(type, "image/png");
    const [left, right] = await pixelsOf(reader.page, bytes, [
      [5, 10],
      [35, 10],
    ]);
    assert.deepEqual(left, [255, 0, 0]);
    assert.deepEqual(right, [255, 255, 255]);
  });
});
