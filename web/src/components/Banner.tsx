// SPDX-License-Identifier: MIT
import { serverStatus, type ServerState } from "../api/status";
import { storageIsFull } from "../chat/storage";
import { t, type TextKey } from "../language/language";
import styles from "./Banner.module.css";

const TEXTS: Partial<Record<ServerState, TextKey>> = {
  loading: "serverLoading",
  draining: "serverDraining",
  gone: "serverGone",
  locked: "serverLocked",
};

/** Says why nothing can be asked, or what will not last. */
export function Banner() {
  const text = TEXTS[serverStatus.value.state];
  return (
    <div role="status">
      {text && <p class={styles.banner}>{t(text)}</p>}
      {storageIsFull.value && <p class={styles.banner}>{t("storageIsFull")}</p>}
    </div>
  );
}
