// SPDX-License-Identifier: MIT
import { useEffect, useRef } from "preact/hooks";
import { serverStatus } from "../api/status";
import { running, stop } from "../chat/asking";
import { budget, fits } from "../chat/budget";
import { shownChat } from "../chat/chats";
import {
  addFiles,
  changeDraft,
  clearDraft,
  draft,
  focusWanted,
  insertText,
  openPdfs,
  selection,
  sendDraft,
  unreadable,
} from "../chat/draft";
import { t } from "../language/language";
import { schemaFault, settings } from "../settings";
import { BudgetBar } from "./BudgetBar";
import { Button } from "./Button";
import styles from "./Composer.module.css";
import { DraftPictures } from "./DraftPictures";
import { FileButton } from "./FileButton";
import { Modes } from "./Modes";
import { PdfPages } from "./PdfPages";

function mayBeSent(): boolean {
  const { text, pictures } = draft.value;
  return (
    !running.value &&
    serverStatus.value.state === "ready" &&
    (text.trim() !== "" || pictures.length > 0) &&
    (!budget.value || fits(budget.value.cost)) &&
    schemaFault(settings.value.schema) === null
  );
}

export function Composer() {
  const { text, pictures, editing } = draft.value;
  const send = () => {
    if (mayBeSent()) void sendDraft();
  };
  return (
    <form
      class={styles.composer}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {editing && (
        <p class={styles.notice}>
          {t("editing")} <Button kind="quiet" label={t("cancel")} onClick={clearDraft} />
        </p>
      )}
      {unreadable.value.length > 0 && (
        <p class={styles.fault} role="alert">
          {t("unreadable", { names: unreadable.value.join(", ") })}
        </p>
      )}
      {openPdfs.value.map((pdf) => (
        <PdfPages key={pdf.name} pdf={pdf} />
      ))}
      <DraftPictures />
      {shownChat.value.turns.length > 0 && pictures.length > 0 && <Modes withExamples={false} />}
      <QuestionField onSend={send} />
      <div class={styles.row}>
        <FileButton
          icon="add"
          label={t("addPictures")}
          accept="image/*,application/pdf"
          multiple
          iconOnly
          onFiles={(files) => void addFiles(files)}
        />
        <Button
          icon="place"
          label={t("insertPlace")}
          iconOnly
          disabled={placesIn(text) >= pictures.length}
          onClick={() => insertText("<image>")}
        />
        <BudgetBar />
        {running.value ? (
          <Button kind="danger" icon="stop" label={t("stop")} onClick={stop} />
        ) : (
          <Button
            kind="primary"
            icon="send"
            label={t("send")}
            type="submit"
            disabled={!mayBeSent()}
          />
        )}
      </div>
    </form>
  );
}

function placesIn(text: string): number {
  return text.split("<image>").length - 1;
}

function QuestionField({ onSend }: { onSend: () => void }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const wanted = focusWanted.value;
  useEffect(() => {
    if (wanted === 0) return;
    field.current!.focus();
    field.current!.setSelectionRange(selection.value.start, selection.value.end);
  }, [wanted]);
  const note = () => {
    const { selectionStart, selectionEnd } = field.current!;
    selection.value = { start: selectionStart, end: selectionEnd };
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    onSend();
  };
  return (
    <textarea
      ref={field}
      class={styles.field}
      rows={2}
      aria-label={t("question")}
      placeholder={t("questionHint")}
      value={draft.value.text}
      onInput={(event) => {
        changeDraft({ text: event.currentTarget.value });
        note();
      }}
      onSelect={note}
      onKeyDown={onKeyDown}
    />
  );
}
