// SPDX-License-Identifier: MIT
import { useEffect, useRef } from "preact/hooks";
import styles from "./Markdown.module.css";

/** A formula as MathML, by a library that comes with the first one; until then as it was written. */
export function Formula({ formula, display }: { formula: string; display: boolean }) {
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let here = true;
    void import("temml").then(({ default: temml }) => {
      if (!here || !place.current) return;
      temml.render(formula, place.current, {
        displayMode: display,
        throwOnError: false,
        maxExpand: 200,
        maxSize: [20, 20],
      });
    });
    return () => {
      here = false;
    };
  }, [formula, display]);
  // A new element for another formula: what the library wrote into the old one is not Preact's.
  return (
    <span key={formula} ref={place} data-formula class={display ? styles.display : undefined}>
      {formula}
    </span>
  );
}
