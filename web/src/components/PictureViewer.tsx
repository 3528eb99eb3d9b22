// SPDX-License-Identifier: MIT
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { insertText } from "../chat/draft";
import { saveBlob } from "../chat/exchange";
import { annotated } from "../grounding/drawing";
import { markupOf, type Box } from "../grounding/markup";
import type { Region } from "../grounding/regions";
import { t } from "../language/language";
import type { ShownPicture } from "../pictures/store";
import { Boxes } from "./Boxes";
import { Button } from "./Button";
import styles from "./PictureViewer.module.css";
import { usePanAndZoom } from "./usePanAndZoom";

interface Shown {
  picture: ShownPicture;
  regions: Region[];
}
const shown = signal<Shown | null>(null);

export function showPicture(picture: ShownPicture, regions: Region[]): void {
  shown.value = { picture, regions };
}

/** A picture as large as the window, to be looked at closely and drawn on. */
export function PictureViewer() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = shown.value !== null;
  useEffect(() => {
    if (open) dialog.current?.showModal();
  }, [open]);
  if (!shown.value) return null;
  const { picture, regions } = shown.value;
  return (
    <dialog
      ref={dialog}
      class={styles.viewer}
      aria-label={picture.name}
      onClose={() => (shown.value = null)}
    >
      <Viewer picture={picture} regions={regions} onClose={() => dialog.current?.close()} />
    </dialog>
  );
}

function Viewer({ picture, regions, onClose }: Shown & { onClose: () => void }) {
  const [drawing, setDrawing] = useState(false);
  const stage = useRef<HTMLDivElement>(null);
  const view = usePanAndZoom(stage, !drawing);
  const download = async () => {
    saveBlob(await annotated(picture, regions), picture.name.replace(/\.\w+$/, "") + "-boxes.png");
  };
  const take = (box: Box) => {
    insertText(markupOf("", [box]));
    onClose();
  };
  return (
    <>
      <div class={styles.bar}>
        <span class={styles.name}>{picture.name}</span>
        <Button icon="minus" label={t("zoomOut")} iconOnly onClick={() => view.zoomBy(1 / 1.4)} />
        <Button icon="add" label={t("zoomIn")} iconOnly onClick={() => view.zoomBy(1.4)} />
        <Button icon="whole" label={t("zoomWhole")} iconOnly onClick={view.reset} />
        <Button
          icon="draw"
          label={t("drawBox")}
          iconOnly
          aria-pressed={drawing}
          onClick={() => setDrawing(!drawing)}
        />
        <Button icon="download" label={t("download")} iconOnly onClick={() => void download()} />
        <Button icon="close" label={t("close")} iconOnly onClick={onClose} />
      </div>
      {drawing && <p class={styles.hint}>{t("drawBoxHelp")}</p>}
      <div
        ref={stage}
        class={styles.stage}
        tabIndex={0}
        role="group"
        aria-label={picture.name}
        onKeyDown={view.onKeyDown}
      >
        <div class={styles.sheet} style={{ transform: view.transform }}>
          <img
            src={picture.url}
            alt={picture.name}
            width={picture.width}
            height={picture.height}
            draggable={false}
          />
          <Boxes turn="viewer" regions={regions} />
          {drawing && <DrawingLayer onDrawn={take} />}
        </div>
      </div>
    </>
  );
}

const KEYS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
const KEY_STEP = 20; // thousandths
const FIRST_BOX: Box = [400, 400, 600, 600];

/** Turns a drag, or arrow keys and Enter, into a box in thousandths of the picture. */
function DrawingLayer({ onDrawn }: { onDrawn: (box: Box) => void }) {
  const [start, setStart] = useState<[number, number] | null>(null);
  const [end, setEnd] = useState<[number, number] | null>(null);
  const within = (value: number) => Math.min(999, Math.max(0, value));
  const placeOf = (event: PointerEvent): [number, number] => {
    const area = (event.currentTarget as Element).getBoundingClientRect();
    const part = (value: number) => Math.round(Math.min(1, Math.max(0, value)) * 999);
    return [
      part((event.clientX - area.left) / area.width),
      part((event.clientY - area.top) / area.height),
    ];
  };
  const box: Box | null = start && end && boxBetween(start, end);
  const begin = (event: PointerEvent) => {
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    setStart(placeOf(event));
    setEnd(placeOf(event));
  };
  const layer = useRef<HTMLDivElement>(null);
  useEffect(() => layer.current?.focus(), []);
  const onKeyDown = (event: KeyboardEvent) => {
    const way = KEYS[event.key];
    if (!way && event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation(); // the keys move the picture too
    if (!way) return finish();
    const by = way.map((part) => (box ? part * KEY_STEP : 0));
    const [left, top, right, bottom] = box ?? FIRST_BOX;
    if (!event.shiftKey) setStart([within(left + by[0]!), within(top + by[1]!)]);
    else setStart([left, top]);
    setEnd([within(right + by[0]!), within(bottom + by[1]!)]);
  };
  const finish = () => {
    if (box && box[2] > box[0] && box[3] > box[1]) onDrawn(box);
    setStart(null);
    setEnd(null);
  };
  return (
    <div
      ref={layer}
      class={styles.drawing}
      data-drawing
      tabIndex={0}
      role="application"
      aria-label={t("drawBoxHelp")}
      onKeyDown={onKeyDown}
      onPointerDown={begin}
      onPointerMove={(event) => start && setEnd(placeOf(event))}
      onPointerUp={finish}
      onPointerCancel={() => setStart(null)}
    >
      {box && (
        <div
          class={styles.drawn}
          style={{
            left: `${(box[0] / 999) * 100}%`,
            top: `${(box[1] / 999) * 100}%`,
            width: `${((box[2] - box[0]) / 999) * 100}%`,
            height: `${((box[3] - box[1]) / 999) * 100}%`,
          }}
        />
      )}
      <output class={styles.place}>{box?.join(", ")}</output>
    </div>
  );
}

function boxBetween(a: [number, number], b: [number, number]): Box {
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
}
