// SPDX-License-Identifier: MIT
import type { Token } from "../chat/model";
import { t } from "../language/language";
import styles from "./TokenView.module.css";

const UNSURE = 0.5;

/** The answer token by token: hover one for its probability and what else it might have been. */
export function TokenView({ tokens }: { tokens: Token[] }) {
  return (
    <p class={styles.tokens}>
      {tokens.map((token, index) => (
        <span
          key={index}
          class={`${styles.token} ${token.probability < UNSURE ? styles.unsure : ""}`}
          tabIndex={0}
          aria-label={`${token.text}: ${percent(token.probability)}`}
          role="note"
        >
          {token.text}
          <span class={styles.tip} role="tooltip">
            {t("confidence")} {percent(token.probability)}
            <span class={styles.others}>
              {token.others.map((other, rank) => (
                <span key={rank} class={styles.other}>
                  <code>{visible(other.text)}</code> <span>{percent(other.probability)}</span>
                </span>
              ))}
            </span>
          </span>
        </span>
      ))}
    </p>
  );
}

function percent(probability: number): string {
  return `${(probability * 100).toFixed(1)} %`;
}

function visible(text: string): string {
  return text.replace(/ /g, "␣").replace(/\n/g, "⏎") || "∅";
}
