// SPDX-License-Identifier: MIT
import { useEffect, useRef } from "preact/hooks";
import { running } from "../chat/asking";
import { shownChat } from "../chat/chats";
import { pathOf, sentPart } from "../chat/tree";
import { t } from "../language/language";
import { AnswerTurn } from "./AnswerTurn";
import { ChatHead } from "./ChatHead";
import styles from "./ChatView.module.css";
import { Modes } from "./Modes";
import { QuestionTurn } from "./QuestionTurn";

export function ChatView() {
  const chat = shownChat.value;
  const path = pathOf(chat);
  const sent = sentPart(chat, path);
  const view = useRef<HTMLDivElement>(null);
  useStayAtEnd(view, chat.id, path.length, path.at(-1)?.text);
  if (path.length === 0) {
    return (
      <div class={styles.view} ref={view}>
        <section class={styles.empty}>
          <h2>{t("emptyTitle")}</h2>
          <p>{t("emptyText")}</p>
          <Modes withExamples />
        </section>
      </div>
    );
  }
  return (
    <div class={styles.view} ref={view}>
      <ChatHead chat={chat} />
      {path.map((turn, index) => {
        const before = path.slice(0, index);
        const unsent = index < path.length - sent.length;
        return (
          <div key={turn.id} class={unsent ? styles.unsent : undefined}>
            {turn.role === "user" ? (
              <QuestionTurn chat={chat} turn={turn} />
            ) : (
              <AnswerTurn
                chat={chat}
                turn={turn}
                question={before.at(-1)?.text ?? ""}
                pictures={sentPart(chat, before).flatMap((earlier) => earlier.pictures)}
                writing={running.value?.turn === turn.id}
              />
            )}
            {unsent && index === path.length - sent.length - 1 && (
              <p class={styles.leftOut}>{t("leftOut")}</p>
            )}
          </div>
        );
      })}
    </div>
  );
}

/** Follows the growing answer, unless the reader has scrolled up. */
function useStayAtEnd(
  view: { current: HTMLDivElement | null },
  chat: string,
  turns: number,
  lastText: string | undefined,
): void {
  const atEnd = useRef(true);
  useEffect(() => {
    const element = view.current!;
    const note = () => {
      const left = element.scrollHeight - element.scrollTop - element.clientHeight;
      atEnd.current = left < 80;
    };
    element.addEventListener("scroll", note, { passive: true });
    const grown = new ResizeObserver(() => {
      if (atEnd.current) element.scrollTop = element.scrollHeight;
    });
    for (const child of element.children) grown.observe(child);
    return () => {
      element.removeEventListener("scroll", note);
      grown.disconnect();
    };
  }, [chat, turns]);
  useEffect(() => {
    atEnd.current = true;
    view.current!.scrollTop = view.current!.scrollHeight;
  }, [chat, turns]);
  useEffect(() => {
    if (atEnd.current) view.current!.scrollTop = view.current!.scrollHeight;
  }, [lastText]);
}
