// SPDX-License-Identifier: MIT
import { updateChat } from "../chat/chats";
import { chatAsJson, saveFile } from "../chat/exchange";
import type { Chat } from "../chat/model";
import { t } from "../language/language";
import { Button } from "./Button";
import styles from "./ChatHead.module.css";

/** The chat's title, and ways to take it along. */
export function ChatHead({ chat }: { chat: Chat }) {
  const rename = (title: string) => updateChat(chat.id, (before) => ({ ...before, title }));
  const saveJson = async () => saveFile(await chatAsJson(chat), chat, "json", "application/json");
  const saveHtml = async () => {
    const { chatAsHtml } = await import("../rendering/report");
    saveFile(await chatAsHtml(chat), chat, "html", "text/html");
  };
  return (
    <div class={styles.head}>
      <input
        class={styles.title}
        aria-label={t("rename")}
        value={chat.title}
        placeholder={t("unnamed")}
        maxLength={200}
        onChange={(event) => rename(event.currentTarget.value)}
      />
      <Button
        kind="quiet"
        icon="download"
        label={t("exportJson")}
        onClick={() => void saveJson()}
      />
      <Button
        kind="quiet"
        icon="download"
        label={t("exportHtml")}
        onClick={() => void saveHtml()}
      />
    </div>
  );
}
