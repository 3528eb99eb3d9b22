// SPDX-License-Identifier: MIT
// The question that is being written.
import { signal } from "@preact/signals";
import { isPdf, pictureFrom, PictureFault } from "../pictures/load";
import type { Pdf } from "../pictures/pdf";
import { holdPicture, keepPicture, type ShownPicture } from "../pictures/store";
import { askQuestion } from "./asking";
import { shownChat } from "./chats";
import type { Picture, Turn } from "./model";

export interface Draft {
  text: string;
  pictures: ShownPicture[];
  editing: Turn | null; // a question that was sent before; its new text begins another branch
}

const EMPTY: Draft = { text: "", pictures: [], editing: null };

export const draft = signal<Draft>(EMPTY);
/** PDF files whose pages are still to be chosen. */
export const openPdfs = signal<Pdf[]>([]);
/** Names of files that could not be read. */
export const unreadable = signal<string[]>([]);
/** What is selected in the text, told by its field; told to it after a change from outside. */
export const selection = signal<{ start: number; end: number }>({ start: 0, end: 0 });
/** Counts the changes after which the field is to have the focus. */
export const focusWanted = signal(0);

export function changeDraft(part: Partial<Draft>): void {
  draft.value = { ...draft.value, ...part };
}

/** The turn after which the draft will stand. */
export function draftParent(): string | null {
  const { editing } = draft.value;
  return editing ? editing.parent : shownChat.value.leaf;
}

export function setText(text: string, selected?: { start: number; end: number }): void {
  changeDraft({ text });
  selection.value = selected ?? { start: text.length, end: text.length };
  ++focusWanted.value;
}

export function insertText(text: string): void {
  const { text: before } = draft.value;
  const start = Math.min(selection.value.start, before.length);
  const end = Math.min(Math.max(selection.value.end, start), before.length);
  const caret = start + text.length;
  setText(before.slice(0, start) + text + before.slice(end), { start: caret, end: caret });
}

export function addPicture(picture: Picture): void {
  changeDraft({ pictures: [...draft.value.pictures, holdPicture(picture)] });
}

export async function addFiles(files: Iterable<File>): Promise<void> {
  unreadable.value = [];
  for (const file of files) {
    try {
      if (isPdf(file)) await addPdf(file);
      else addPicture(await pictureFrom(file, file.name));
    } catch (error) {
      if (!(error instanceof PictureFault)) throw error;
      unreadable.value = [...unreadable.value, error.message];
    }
  }
}

async function addPdf(file: File): Promise<void> {
  const { openPdf } = await import("../pictures/pdf");
  const pdf = await openPdf(file);
  openPdfs.value = [...openPdfs.value, pdf];
  if (pdf.pageCount === 1) await addPages(pdf, [1]);
}

export async function addPages(pdf: Pdf, pages: number[]): Promise<void> {
  const { pictureOfPage } = await import("../pictures/pdf");
  openPdfs.value = openPdfs.value.filter((other) => other !== pdf);
  for (const page of pages) addPicture(await pictureOfPage(pdf, page));
  void pdf.document.loadingTask.destroy();
}

export function removePicture(id: string): void {
  changeDraft({ pictures: draft.value.pictures.filter((picture) => picture.id !== id) });
}

/** Moves a picture by so many places. */
export function movePicture(id: string, by: number): void {
  const pictures = [...draft.value.pictures];
  const from = pictures.findIndex((picture) => picture.id === id);
  const to = from + by;
  if (from < 0 || to < 0 || to >= pictures.length) return;
  const [moved] = pictures.splice(from, 1);
  pictures.splice(to, 0, moved!);
  changeDraft({ pictures });
}

export function editTurn(turn: Turn, pictures: ShownPicture[]): void {
  changeDraft({ pictures, editing: turn });
  setText(turn.text);
}

export function clearDraft(): void {
  draft.value = EMPTY;
  openPdfs.value = [];
  unreadable.value = [];
}

export async function sendDraft(): Promise<void> {
  const { text, pictures } = draft.value;
  const parent = draftParent();
  // Nothing is waited for before the draft is gone: it could be sent twice.
  const kept = Promise.all(pictures.map(keepPicture));
  clearDraft();
  await askQuestion(
    parent,
    text,
    pictures.map((picture) => picture.id),
  );
  await kept;
}
