// SPDX-License-Identifier: MIT
import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

interface View {
  scale: number;
  x: number;
  y: number;
}
const WHOLE: View = { scale: 1, x: 0, y: 0 };
const MOST = 16;
const STEP = 60; // pixels an arrow key moves

function zoomed(view: View, factor: number, x = 0, y = 0): View {
  const scale = Math.min(MOST, Math.max(1, view.scale * factor));
  if (scale === 1) return WHOLE;
  // The point under the pointer stays where it is.
  const by = scale / view.scale;
  return { scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
}

/** Wheel, two fingers, drags and keys move what is on the stage; places count from its middle. */
export function usePanAndZoom(stage: RefObject<HTMLElement | null>, dragMoves: boolean) {
  const [view, setView] = useState<View>(WHOLE);
  useEffect(() => {
    const element = stage.current!;
    const stop = new AbortController();
    const middle = () => {
      const area = element.getBoundingClientRect();
      return [area.left + area.width / 2, area.top + area.height / 2] as const;
    };
    const pointers = new Map<number, PointerEvent>();
    const move = (event: PointerEvent) => {
      const before = pointers.get(event.pointerId);
      if (!before || !dragMoves) return;
      const other = [...pointers.values()].find((pointer) => pointer.pointerId !== event.pointerId);
      pointers.set(event.pointerId, event);
      if (!other) {
        const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
        setView((old) => (old.scale === 1 ? old : { ...old, x: old.x + dx, y: old.y + dy }));
        return;
      }
      const [cx, cy] = middle();
      const apart = (a: PointerEvent) =>
        Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY);
      setView((old) =>
        zoomed(old, apart(event) / apart(before), event.clientX - cx, event.clientY - cy),
      );
    };
    const { signal } = stop;
    element.addEventListener("pointerdown", (event) => pointers.set(event.pointerId, event), {
      signal,
    });
    window.addEventListener("pointermove", move, { signal });
    for (const end of ["pointerup", "pointercancel"] as const)
      window.addEventListener(end, (event) => pointers.delete(event.pointerId), { signal });
    element.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        const [cx, cy] = middle();
        setView((old) =>
          zoomed(old, 1.002 ** -event.deltaY, event.clientX - cx, event.clientY - cy),
        );
      },
      { signal, passive: false },
    );
    return () => stop.abort();
  }, [dragMoves]);

  const shift = (x: number, y: number) =>
    setView((old) => ({ ...old, x: old.x + x, y: old.y + y }));
  const onKeyDown = (event: KeyboardEvent) => {
    const actions: Record<string, () => void> = {
      "+": () => setView((old) => zoomed(old, 1.4)),
      "=": () => setView((old) => zoomed(old, 1.4)),
      "-": () => setView((old) => zoomed(old, 1 / 1.4)),
      "0": () => setView(WHOLE),
      ArrowLeft: () => shift(STEP, 0),
      ArrowRight: () => shift(-STEP, 0),
      ArrowUp: () => shift(0, STEP),
      ArrowDown: () => shift(0, -STEP),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };
  return {
    transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})`,
    zoomBy: (factor: number) => setView((old) => zoomed(old, factor)),
    reset: () => setView(WHOLE),
    onKeyDown,
  };
}
