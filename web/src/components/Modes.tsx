// SPDX-License-Identifier: MIT
import { t } from "../language/language";
import { beginMode, MODES } from "../modes";
import { Button } from "./Button";
import styles from "./Modes.module.css";

/** Chips that write a prompt, on an empty page together with a picture to try it on. */
export function Modes({ withExamples }: { withExamples: boolean }) {
  return (
    <div class={withExamples ? styles.modes : styles.row} role="group" aria-label={t("modes")}>
      {MODES.map((mode) => (
        <Button
          key={mode.name}
          label={t(mode.name)}
          onClick={() => void beginMode(mode, withExamples)}
        >
          {withExamples && <img class={styles.example} src={mode.examples[0]} alt="" />}
          {t(mode.name)}
        </Button>
      ))}
    </div>
  );
}
