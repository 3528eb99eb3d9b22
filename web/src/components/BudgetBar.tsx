// SPDX-License-Identifier: MIT
import { useSignal } from "@preact/signals";
import type { PromptCost } from "../api/wire";
import { budget, budgetFault, dropOldTurns, fits, useFewerTiles } from "../chat/budget";
import { shownChat } from "../chat/chats";
import { draft } from "../chat/draft";
import { t } from "../language/language";
import styles from "./BudgetBar.module.css";
import { Button } from "./Button";

/** How much of the context the prompt takes and what is left for the answer. */
export function BudgetBar() {
  const known = budget.value;
  if (budgetFault.value && draft.value.text) return <p class={styles.fault}>{budgetFault.value}</p>;
  if (!known) return <span class={styles.bar} />;
  const { cost } = known;
  const text = `${cost.input_tokens} / ${cost.context_length}`;
  return (
    <div class={styles.budget}>
      <div
        class={styles.bar}
        role="meter"
        aria-label={t("budget")}
        aria-valuemin={0}
        aria-valuemax={cost.context_length}
        aria-valuenow={Math.min(cost.input_tokens, cost.context_length)}
        aria-valuetext={`${text}, ${cost.tokens_left} ${t("budgetAnswer")}`}
      >
        {partsOf(cost).map((part) => (
          <Part key={part.kind} cost={cost} {...part} />
        ))}
      </div>
      <span class={styles.numbers}>
        {text} · {cost.tokens_left} {t("budgetAnswer")}
      </span>
      {!fits(cost) && <DoesNotFit cost={cost} />}
    </div>
  );
}

interface TokensOf {
  kind: "history" | "pictures" | "text";
  tokens: number;
}

/** What was said before, and the question's own pictures and text with its frame. */
function partsOf(cost: PromptCost): TokensOf[] {
  const question = cost.messages.at(-1);
  const pictures = question?.image_tokens.reduce((sum, tokens) => sum + tokens, 0) ?? 0;
  const text = question?.text_tokens ?? 0;
  return [
    { kind: "history", tokens: cost.input_tokens - pictures - text },
    { kind: "pictures", tokens: pictures },
    { kind: "text", tokens: text },
  ];
}

const NAMES = {
  history: "budgetHistory",
  pictures: "budgetPictures",
  text: "budgetText",
} as const;

function Part({ cost, kind, tokens }: TokensOf & { cost: PromptCost }) {
  const whole = Math.max(cost.context_length, cost.input_tokens);
  return (
    <span
      class={styles[kind]}
      style={{ width: `${(tokens / whole) * 100}%` }}
      title={`${t(NAMES[kind])}: ${tokens}`}
    />
  );
}

function DoesNotFit({ cost }: { cost: PromptCost }) {
  const still = useSignal(false);
  const tried = (helped: boolean) => (still.value = !helped);
  return (
    <div class={styles.warning} role="alert">
      <p>
        {t("fitsNot", { context: cost.context_length, tokens: cost.input_tokens })}
        {still.value && ` ${t("fitsNotStill")}`}
      </p>
      <Button label={t("fewerTiles")} onClick={() => void useFewerTiles().then(tried)} />
      {shownChat.value.turns.length > 0 && (
        <Button label={t("dropOldTurns")} onClick={() => void dropOldTurns().then(tried)} />
      )}
    </div>
  );
}
