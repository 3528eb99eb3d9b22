// SPDX-License-Identifier: MIT
import { askAgain, running } from "../chat/asking";
import type { Fault } from "../chat/model";
import { t } from "../language/language";
import { Button } from "./Button";
import styles from "./Turn.module.css";

/** Why there is no answer, or only a part of one, and a way to try again. */
export function AnswerFault({ fault, question }: { fault: Fault; question: string }) {
  return (
    <div class={styles.fault} role="alert">
      <p>
        <strong>{t("failed")}.</strong> {explanation(fault)}
      </p>
      <Button
        icon="redo"
        label={t("resend")}
        disabled={running.value !== null}
        onClick={() => void askAgain(question)}
      />
    </div>
  );
}

function explanation(fault: Fault): string {
  if (fault.kind === "queue") return t("queueFull", { seconds: fault.retryAfterSeconds ?? 1 });
  if (fault.kind === "key") return t("serverLocked");
  return fault.message;
}
