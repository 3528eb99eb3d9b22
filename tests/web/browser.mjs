// SPDX-License-Identifier: MIT
// The page in Debian's Chromium, and what a reader does there.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, afterEach, before, beforeEach } from "node:test";
import { chromium } from "playwright-core";
import { nano, Server } from "../clients/server.mjs";

export const PATIENCE_MS = Number(process.env.VL2_PATIENCE_MS ?? 60_000);

export function launch() {
  return chromium.launch({
    executablePath: process.env.VL2_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb"],
  });
}

/** The page as somebody sees it; notes everything that should not happen. */
export class Reader {
  static async open(browser, url, options = {}) {
    const reader = new Reader();
    reader.url = url;
    reader.context = await browser.newContext({
      viewport: { width: 1200, height: 800 },
      locale: "en-GB",
      ...options,
    });
    reader.context.setDefaultTimeout(PATIENCE_MS);
    reader.page = await reader.context.newPage();
    // Answers that a slow machine has done soon.
    await reader.page.addInitScript(() => {
      if (!localStorage.getItem("vl2-settings"))
        localStorage.setItem("vl2-settings", JSON.stringify({ maxTokens: 64 }));
    });
    reader.watch();
    await reader.page.goto(url);
    return reader;
  }

  faults = [];

  watch() {
    const { page } = this;
    page.on("pageerror", (error) => this.faults.push(`error: ${error.message}`));
    page.on("dialog", (dialog) => {
      this.faults.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("console", (message) => {
      if (/Content Security Policy|TrustedScript|Trusted Type/.test(message.text()))
        this.faults.push(`policy: ${message.text()}`);
    });
    page.on("request", (request) => {
      const to = request.url();
      if (!to.startsWith(this.url) && !/^(blob|data):/.test(to)) this.faults.push(`request: ${to}`);
    });
  }

  close() {
    return this.context.close();
  }

  get question() {
    return this.page.getByLabel("Your question", { exact: true });
  }
  get answers() {
    return this.page.getByRole("region", { name: "Answer" });
  }
  get send() {
    return this.page.getByRole("button", { name: "Send" });
  }
  get draftPictures() {
    return this.page.locator("form ol > li");
  }
  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  attach(...paths) {
    return this.page.locator('input[type="file"][accept^="image"]').setInputFiles(paths);
  }

  async ask(text) {
    await this.question.fill(text);
    await this.send.click();
  }

  /** The last answer once it is complete. */
  async answer() {
    const last = this.answers.last();
    await this.button("Send").waitFor();
    await last.and(this.page.locator('[aria-busy="false"]')).waitFor();
    return last;
  }

  async set(label, value) {
    await this.button("Settings").click();
    await this.page.getByLabel(label, { exact: true }).fill(value);
    await this.page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  }

  async screenshot(name) {
    const folder = process.env.VL2_WEB_IMAGES;
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${name}.png`) });
  }
}

/** A browser for all tests of a suite. */
export function withBrowser(take) {
  let browser;
  before(async () => {
    browser = await launch();
    take(browser);
  });
  after(() => browser?.close());
}

/** A browser and a server for all tests of a suite. */
export function withServer(take) {
  let browser;
  let server;
  withBrowser((launched) => (browser = launched));
  before(async () => {
    server = await Server.start();
    take(browser, server);
  });
  after(() => server?.kill());
}

/** For each test a page of its own, where nothing may happen that should not. */
export function withPage(take, options = {}) {
  let browser;
  let server;
  let reader;
  withServer((...started) => ([browser, server] = started));
  beforeEach(async () => {
    reader = await Reader.open(browser, server.url, options);
    take(reader, server);
  });
  afterEach(async () => {
    assert.deepEqual(reader.faults, []);
    await reader.close();
  });
}

export function demo(name) {
  return join(nano, "demo", name);
}

/** Gives a file to the page the way a paste or a drop does. */
export async function transfer(page, kind, path, name = basename(path)) {
  const data = readFileSync(path).toString("base64");
  await page.evaluate(
    ({ kind, data, name }) => {
      const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
      const carried = new DataTransfer();
      carried.items.add(new File([bytes], name, { type: "image/png" }));
      const event =
        kind === "paste"
          ? new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true })
          : new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true });
      document.body.dispatchEvent(event);
    },
    { kind, data, name },
  );
}

/** A PDF whose pages each show their number in large letters. */
export function pdfOf(pageCount) {
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Count ${pageCount} /Kids [${Array.from({ length: pageCount }, (_, i) => `${4 + 2 * i} 0 R`).join(" ")}] >>`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  ];
  for (let page = 1; page <= pageCount; ++page) {
    const content = `BT /F1 90 Tf 60 100 Td (PAGE ${page}) Tj ET`;
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 300] /Contents ${3 + 2 * page} 0 R ` +
        "/Resources << /Font << /F1 3 0 R >> >> >>",
      `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    );
  }
  let text = "%PDF-1.4\n";
  const places = objects.map((object, index) => {
    const at = text.length;
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return at;
  });
  const table = text.length;
  const rows = places.map((at) => `${String(at).padStart(10, "0")} 00000 n \n`).join("");
  text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}`;
  text += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${table}\n%%EOF\n`;
  return Buffer.from(text, "latin1");
}

/** The colour of one pixel of a PNG, [r, g, b]; several places at once. */
export function pixelsOf(page, png, places) {
  return page.evaluate(
    async ({ data, places }) => {
      const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const context = canvas.getContext("2d");
      context.drawImage(bitmap, 0, 0);
      return places.map(([x, y]) => [
        ...context.getImageData(Math.round(x), Math.round(y), 1, 1).data.slice(0, 3),
      ]);
    },
    { data: png.toString("base64"), places },
  );
}
