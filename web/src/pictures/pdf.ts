// SPDX-License-Identifier: MIT
// Pages of PDF files as pictures. The library is loaded with the first PDF.
import type { PDFDocumentProxy } from "pdfjs-dist";
import workerUrl from "pdfjs-dist/build/pdf.worker.min.mjs?url";
import { newId, type Picture } from "../chat/model";
import { blobOf } from "../grounding/drawing";
import { PictureFault } from "./load";

export interface Pdf {
  name: string;
  pageCount: number;
  document: PDFDocumentProxy;
}

// Somewhat more than the model's largest view, 1152 pixels a side.
const LONG_SIDE = 1536;

declare global {
  const PDF_MAPS: string; // where the library's character maps are
  interface Window {
    trustedTypes?: {
      createPolicy(
        name: string,
        rules: { createScriptURL(url: string): string },
      ): { createScriptURL(url: string): string };
    };
  }
}

let worker: Promise<unknown> | undefined;

async function library() {
  const pdfjs = await import("pdfjs-dist");
  worker ??= Promise.resolve().then(() => {
    const policy = window.trustedTypes?.createPolicy("vl2-worker", {
      createScriptURL: () => workerUrl,
    });
    pdfjs.GlobalWorkerOptions.workerPort = new Worker(
      policy?.createScriptURL(workerUrl) ?? workerUrl,
      { type: "module" },
    );
  });
  await worker;
  return pdfjs;
}

export async function openPdf(file: File): Promise<Pdf> {
  const pdfjs = await library();
  try {
    const document = await pdfjs.getDocument({
      data: await file.arrayBuffer(),
      cMapUrl: PDF_MAPS,
      cMapPacked: true,
      isEvalSupported: false,
      useWasm: false,
    }).promise;
    return { name: file.name, pageCount: document.numPages, document };
  } catch {
    throw new PictureFault(file.name);
  }
}

export async function pictureOfPage(pdf: Pdf, number: number): Promise<Picture> {
  const page = await pdf.document.getPage(number);
  const size = page.getViewport({ scale: 1 });
  const viewport = page.getViewport({ scale: LONG_SIDE / Math.max(size.width, size.height) });
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(viewport.width));
  canvas.height = Math.max(1, Math.round(viewport.height));
  await page.render({ canvas, viewport, background: "#fff" }).promise;
  const name = `${pdf.name} · ${number}`;
  return {
    id: newId(),
    name,
    width: canvas.width,
    height: canvas.height,
    blob: await blobOf(canvas),
  };
}
