// SPDX-License-Identifier: MIT
import { useSignal } from "@preact/signals";
import { addChat, beginChat, listedChats, removeChat, showChat, shownChat } from "../chat/chats";
import { chatFromJson } from "../chat/exchange";
import type { Chat } from "../chat/model";
import { t } from "../language/language";
import { Button } from "./Button";
import styles from "./ChatList.module.css";
import { FileButton } from "./FileButton";

export function ChatList({ onChosen }: { onChosen: () => void }) {
  const failed = useSignal(false);
  const begin = () => {
    beginChat();
    onChosen();
  };
  const open = async (files: File[]) => {
    try {
      for (const file of files) addChat(await chatFromJson(await file.text()));
      failed.value = false;
      onChosen();
    } catch {
      failed.value = true;
    }
  };
  return (
    <div class={styles.list}>
      <Button icon="add" label={t("newChat")} onClick={begin} />
      <ul>
        {listedChats.value.map((chat) => (
          <Entry key={chat.id} chat={chat} onChosen={onChosen} />
        ))}
      </ul>
      <FileButton
        icon="open"
        label={t("importChat")}
        accept=".json,application/json"
        onFiles={(files) => void open(files)}
      />
      {failed.value && (
        <p role="alert" class={styles.fault}>
          {t("importFailed")}
        </p>
      )}
    </div>
  );
}

function Entry({ chat, onChosen }: { chat: Chat; onChosen: () => void }) {
  const sure = useSignal(false);
  const title = chat.title || t("unnamed");
  const show = () => {
    showChat(chat.id);
    onChosen();
  };
  return (
    <li class={styles.entry}>
      <button
        type="button"
        class={styles.name}
        aria-current={chat.id === shownChat.value.id ? "true" : undefined}
        onClick={show}
      >
        {title}
      </button>
      {sure.value ? (
        <Button
          kind="danger"
          label={t("deleteSure")}
          onClick={() => void removeChat(chat.id)}
          onBlur={() => (sure.value = false)}
        />
      ) : (
        <Button
          kind="quiet"
          icon="trash"
          label={`${t("deleteChat")}: ${title}`}
          iconOnly
          onClick={() => (sure.value = true)}
        />
      )}
    </li>
  );
}
