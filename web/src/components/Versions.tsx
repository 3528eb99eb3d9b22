// SPDX-License-Identifier: MIT
import { showBranch } from "../chat/chats";
import type { Chat, Turn } from "../chat/model";
import { siblingsOf } from "../chat/tree";
import { t } from "../language/language";
import { Button } from "./Button";

/** Arrows between a turn and its alternatives. */
export function Versions({ chat, turn }: { chat: Chat; turn: Turn }) {
  const versions = siblingsOf(chat, turn);
  if (versions.length < 2) return null;
  const index = versions.indexOf(turn);
  const go = (to: number) => showBranch(versions[to]!.id);
  return (
    <>
      <Button
        kind="quiet"
        icon="left"
        label={t("previous")}
        iconOnly
        disabled={index === 0}
        onClick={() => go(index - 1)}
      />
      <span aria-label={t("ofVersions", { index: index + 1, count: versions.length })} role="img">
        {index + 1} / {versions.length}
      </span>
      <Button
        kind="quiet"
        icon="right"
        label={t("next")}
        iconOnly
        disabled={index === versions.length - 1}
        onClick={() => go(index + 1)}
      />
    </>
  );
}
