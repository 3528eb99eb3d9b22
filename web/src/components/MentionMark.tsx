// SPDX-License-Identifier: MIT
import type { Mention } from "../grounding/markup";
import { pointedAt, type Region } from "../grounding/regions";
import styles from "./MentionMark.module.css";

interface Props {
  mention: Mention;
  place: string; // its key
  region: Region | undefined; // the first of its boxes
}

/** A label of the answer, in the colour of its boxes. */
export function MentionMark({ mention, place, region }: Props) {
  if (!region) return <span class={styles.plain}>{mention.label}</span>;
  const point = (here: boolean) => () => (pointedAt.value = here ? place : null);
  return (
    <span
      class={`${styles.mark} ${pointedAt.value === place ? styles.lit : ""}`}
      style={{ "--mark": region.colour.line }}
      tabIndex={0}
      data-colour={region.colour.name}
      onPointerEnter={point(true)}
      onPointerLeave={point(false)}
      onFocus={point(true)}
      onBlur={point(false)}
    >
      {mention.label || "▢"}
      {mention.boxes.length > 1 && <sub>{mention.boxes.length}</sub>}
    </span>
  );
}
