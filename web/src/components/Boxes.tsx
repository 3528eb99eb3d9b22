// SPDX-License-Identifier: MIT
import { mentionKey, pointedAt, uprightBox, type Region } from "../grounding/regions";
import { t } from "../language/language";
import styles from "./Boxes.module.css";

interface Props {
  turn: string;
  regions: Region[];
  onChosen?: (region: Region) => void;
}

/** Boxes with their labels over a picture, whatever size it is shown in. */
export function Boxes({ turn, regions, onChosen }: Props) {
  return (
    <div class={styles.layer}>
      {regions.map((region, index) => (
        <BoxButton key={index} turn={turn} region={region} onChosen={onChosen} />
      ))}
    </div>
  );
}

interface BoxProps {
  turn: string;
  region: Region;
  onChosen: ((region: Region) => void) | undefined;
}

function BoxButton({ turn, region, onChosen }: BoxProps) {
  const place = mentionKey(turn, region.mention);
  const lit = pointedAt.value === place;
  const [left, top, right, bottom] = uprightBox(region.box).map((value) => (value / 999) * 100);
  const point = (here: boolean) => () => (pointedAt.value = here ? place : null);
  return (
    <button
      type="button"
      class={`${styles.box} ${lit ? styles.lit : ""}`}
      style={{
        "--mark": region.colour.line,
        left: `${left}%`,
        top: `${top}%`,
        width: `${right! - left!}%`,
        height: `${bottom! - top!}%`,
      }}
      aria-label={`${t("boxes")}: ${region.label}`}
      onPointerEnter={point(true)}
      onPointerLeave={point(false)}
      onFocus={point(true)}
      onBlur={point(false)}
      onClick={() => onChosen?.(region)}
    >
      {region.label && (
        <span class={`${styles.label} ${top! < 8 ? styles.inside : ""}`}>{region.label}</span>
      )}
    </button>
  );
}
