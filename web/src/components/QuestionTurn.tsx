// SPDX-License-Identifier: MIT
import { running } from "../chat/asking";
import { editTurn } from "../chat/draft";
import type { Chat, Turn } from "../chat/model";
import { t } from "../language/language";
import { fetchPicture, pictureOf, type ShownPicture } from "../pictures/store";
import { Button } from "./Button";
import { CopyButton } from "./CopyButton";
import { showPicture } from "./PictureViewer";
import styles from "./Turn.module.css";
import { Versions } from "./Versions";

export function QuestionTurn({ chat, turn }: { chat: Chat; turn: Turn }) {
  const edit = async () => {
    const pictures = await Promise.all(turn.pictures.map(fetchPicture));
    editTurn(
      turn,
      pictures.filter((picture): picture is ShownPicture => picture !== undefined),
    );
  };
  return (
    <section class={styles.question} aria-label={t("you")}>
      {turn.pictures.length > 0 && (
        <ol class={styles.pictures}>
          {turn.pictures.map((id, index) => (
            <Thumbnail key={id} id={id} number={index + 1} />
          ))}
        </ol>
      )}
      {turn.text && <p class={styles.text}>{turn.text}</p>}
      <div class={styles.actions}>
        <Versions chat={chat} turn={turn} />
        <CopyButton text={turn.text} />
        <Button
          kind="quiet"
          icon="edit"
          label={t("edit")}
          iconOnly
          disabled={running.value !== null}
          onClick={() => void edit()}
        />
      </div>
    </section>
  );
}

function Thumbnail({ id, number }: { id: string; number: number }) {
  const picture = pictureOf(id);
  const label = t("picture", { number });
  if (!picture) return <li>{label}</li>;
  return (
    <li>
      <button
        type="button"
        class={styles.thumbnail}
        aria-label={t("openPicture", { name: `${label}, ${picture.name}` })}
        onClick={() => showPicture(picture, [])}
      >
        <img src={picture.url} alt="" />
      </button>
      <span>{label}</span>
    </li>
  );
}
