// SPDX-License-Identifier: MIT
import { serverStatus } from "../api/status";
import { shownChat } from "../chat/chats";
import { pathOf } from "../chat/tree";
import { t } from "../language/language";
import styles from "./StatusCorner.module.css";

/** What answers, and how fast the last answer of the chat was. */
export function StatusCorner() {
  const { state, model, running, waiting } = serverStatus.value;
  const facts = pathOf(shownChat.value).findLast((turn) => turn.facts?.usage)?.facts;
  const speed = facts?.timings?.predicted_per_second;
  return (
    <details class={styles.corner}>
      <summary>
        <span class={`${styles.light} ${styles[state]}`} aria-hidden="true" />
        <span class={styles.name}>{model?.id ?? t("status")}</span>
        {speed !== undefined && speed > 0 && (
          <span class={styles.speed}>
            {speed.toFixed(1)} {t("speed")}
          </span>
        )}
      </summary>
      <dl class={styles.facts}>
        {model && (
          <>
            <dt>{t("model")}</dt>
            <dd>{model.id}</dd>
            <dt>{t("weights")}</dt>
            <dd>
              {model.weights_format}, {(model.weights_bytes / 2 ** 20).toFixed(0)} MiB
            </dd>
            <dt>{t("instructionSet")}</dt>
            <dd>{model.instruction_set}</dd>
          </>
        )}
        {facts?.usage && (
          <>
            <dt>{t("speed")}</dt>
            <dd>{speed?.toFixed(1) ?? "–"}</dd>
            <dt>{t("firstToken")}</dt>
            <dd>{facts.firstTokenMs === null ? "–" : `${facts.firstTokenMs.toFixed(0)} ms`}</dd>
            <dt>{t("cached")}</dt>
            <dd>
              {facts.usage.prompt_tokens_details.cached_tokens} / {facts.usage.prompt_tokens}
            </dd>
          </>
        )}
        <dt>{t("status")}</dt>
        <dd>{t("queue", { running, waiting })}</dd>
      </dl>
    </details>
  );
}
