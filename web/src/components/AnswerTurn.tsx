// SPDX-License-Identifier: MIT
import { useSignal } from "@preact/signals";
import { askAgain, running } from "../chat/asking";
import { branchOff } from "../chat/chats";
import { NO_FACTS, type Chat, type Turn } from "../chat/model";
import { plainText } from "../grounding/markup";
import { mentionKey, regionsOf, type Region } from "../grounding/regions";
import { t } from "../language/language";
import { pictureOf } from "../pictures/store";
import { Markdown } from "../rendering/Markdown";
import { settings } from "../settings";
import { AnnotatedPicture } from "./AnnotatedPicture";
import { AnswerFault } from "./AnswerFault";
import { Button } from "./Button";
import { CopyButton } from "./CopyButton";
import { MentionMark } from "./MentionMark";
import { TokenView } from "./TokenView";
import styles from "./Turn.module.css";
import { Versions } from "./Versions";

interface Props {
  chat: Chat;
  turn: Turn;
  question: string;
  pictures: string[]; // all that the model was shown, in their order
  writing: boolean;
}

export function AnswerTurn({ chat, turn, question, pictures, writing }: Props) {
  const tokensShown = useSignal(false);
  const facts = turn.facts ?? NO_FACTS;
  const regions = regionsOf(turn.text, question, pictures.length, facts.regions);
  const withBoxes = [...new Set(regions.map((region) => region.picture))].sort((a, b) => a - b);
  return (
    <section class={styles.answer} aria-label={t("answer")} aria-busy={writing}>
      <div aria-live="polite">
        {tokensShown.value ? (
          <TokenView tokens={facts.tokens} />
        ) : (
          <Markdown
            text={turn.text}
            showMention={(mention, index) => (
              <MentionMark
                mention={mention}
                place={mentionKey(turn.id, index)}
                region={regions.find((region) => region.mention === index)}
              />
            )}
          />
        )}
        {writing && <span class={styles.cursor} />}
      </div>
      {withBoxes.length > 0 && (
        <div class={styles.shownPictures}>
          {withBoxes.map((index) => (
            <BoxedPicture
              key={index}
              turn={turn.id}
              id={pictures[index]!}
              number={index + 1}
              regions={regions.filter((region) => region.picture === index)}
            />
          ))}
        </div>
      )}
      {facts.finish === "length" && <p class={styles.note}>{t("answerCut")}</p>}
      {facts.finish === "stopped" && <p class={styles.note}>{t("answerStopped")}</p>}
      {facts.finish === null && !facts.fault && !writing && (
        <p class={styles.note}>{t("answerBroken")}</p>
      )}
      {facts.fault && <AnswerFault fault={facts.fault} question={turn.parent!} />}
      {!writing && <Actions chat={chat} turn={turn} tokensShown={tokensShown} />}
    </section>
  );
}

interface ActionProps {
  chat: Chat;
  turn: Turn;
  tokensShown: { value: boolean };
}

function Actions({ chat, turn, tokensShown }: ActionProps) {
  const { tokens } = turn.facts ?? NO_FACTS;
  const fixed = settings.value.temperature === 0;
  return (
    <div class={styles.actions}>
      <Versions chat={chat} turn={turn} />
      <CopyButton text={plainText(turn.text)} />
      <Button
        kind="quiet"
        icon="redo"
        label={t("askAgain")}
        title={fixed ? t("askAgainSame") : t("askAgain")}
        iconOnly
        disabled={running.value !== null}
        onClick={() => void askAgain(turn.parent!)}
      />
      <Button
        kind="quiet"
        icon="branch"
        label={t("branch")}
        title={t("branchHelp")}
        iconOnly
        onClick={() => branchOff(turn.id)}
      />
      {tokens.length > 0 && (
        <Button
          kind="quiet"
          icon="tokens"
          label={t("tokensView")}
          iconOnly
          aria-pressed={tokensShown.value}
          onClick={() => (tokensShown.value = !tokensShown.value)}
        />
      )}
    </div>
  );
}

interface BoxedProps {
  turn: string;
  id: string;
  number: number;
  regions: Region[];
}

function BoxedPicture({ turn, id, number, regions }: BoxedProps) {
  const picture = pictureOf(id);
  if (!picture) return null;
  return <AnnotatedPicture turn={turn} picture={picture} number={number} regions={regions} />;
}
