// SPDX-License-Identifier: MIT
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { addFiles } from "../chat/draft";
import { t } from "../language/language";
import { Banner } from "./Banner";
import { Button } from "./Button";
import { ChatList } from "./ChatList";
import { ChatView } from "./ChatView";
import { Composer } from "./Composer";
import styles from "./Page.module.css";
import { PictureViewer } from "./PictureViewer";
import { SettingsDrawer } from "./SettingsDrawer";
import { StatusCorner } from "./StatusCorner";

export function Page() {
  const listShown = useSignal(false);
  const settingsShown = useSignal(false);
  const dragged = useSignal(false);
  useEffect(() => takeFiles((over) => (dragged.value = over)), []);
  return (
    <div class={styles.page}>
      <header class={styles.header}>
        <span class={styles.menu}>
          <Button
            kind="quiet"
            icon="menu"
            label={t("menu")}
            iconOnly
            aria-expanded={listShown.value}
            onClick={() => (listShown.value = !listShown.value)}
          />
        </span>
        <h1 class={styles.title}>vl2</h1>
        <StatusCorner />
        <Button
          kind="quiet"
          icon="gear"
          label={t("settings")}
          iconOnly
          onClick={() => (settingsShown.value = true)}
        />
      </header>
      <nav
        class={`${styles.list} ${listShown.value ? styles.listShown : ""}`}
        aria-label={t("chats")}
      >
        <ChatList onChosen={() => (listShown.value = false)} />
      </nav>
      <main class={styles.main}>
        <Banner />
        <ChatView />
        <Composer />
      </main>
      <SettingsDrawer shown={settingsShown} />
      <PictureViewer />
      {dragged.value && <div class={styles.drop}>{t("dropHere")}</div>}
    </div>
  );
}

/** Files that are dropped on the page or pasted anywhere go into the question. */
function takeFiles(showOver: (over: boolean) => void): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") === true;
  window.addEventListener(
    "dragover",
    (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      showOver(true);
    },
    { signal },
  );
  window.addEventListener(
    "dragleave",
    (event) => {
      if (event.relatedTarget === null) showOver(false);
    },
    { signal },
  );
  window.addEventListener(
    "drop",
    (event) => {
      showOver(false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      void addFiles([...event.dataTransfer!.files]);
    },
    { signal },
  );
  window.addEventListener(
    "paste",
    (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      void addFiles(files);
    },
    { signal },
  );
  return () => stop.abort();
}
