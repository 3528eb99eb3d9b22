// SPDX-License-Identifier: MIT
import type { PictureCost } from "../api/wire";
import { budget } from "../chat/budget";
import { draft, movePicture, removePicture } from "../chat/draft";
import { t } from "../language/language";
import type { ShownPicture } from "../pictures/store";
import { Button } from "./Button";
import styles from "./DraftPictures.module.css";
import { showPicture } from "./PictureViewer";

/** The question's pictures, each as the model will see it and with what that costs. */
export function DraftPictures() {
  const { pictures } = draft.value;
  if (pictures.length === 0) return null;
  const counted = budget.value?.draftPictures === pictures.length ? budget.value.cost.images : [];
  const costs = counted.slice(counted.length - pictures.length);
  return (
    <ol class={styles.pictures}>
      {pictures.map((picture, index) => (
        <DraftPicture
          key={picture.id}
          picture={picture}
          index={index}
          count={pictures.length}
          cost={costs[index]}
        />
      ))}
    </ol>
  );
}

interface Props {
  picture: ShownPicture;
  index: number;
  count: number;
  cost: PictureCost | undefined;
}

function DraftPicture({ picture, index, count, cost }: Props) {
  const { name } = picture;
  return (
    <li class={styles.picture}>
      <button
        type="button"
        class={styles.open}
        aria-label={t("openPicture", { name })}
        onClick={() => showPicture(picture, [])}
      >
        <TiledPicture url={picture.url} cost={cost} />
      </button>
      <strong>{t("picture", { number: index + 1 })}</strong>
      <span class={styles.name} title={name}>
        {name}
      </span>
      {cost && (
        <span class={styles.cost}>
          {t("tiles", cost.tiles)}
          <br />
          {t("tokens", { count: cost.tokens })}
        </span>
      )}
      <span class={styles.actions}>
        {count > 1 && (
          <Button
            kind="quiet"
            icon="left"
            label={t("moveLeft", { name })}
            iconOnly
            disabled={index === 0}
            onClick={() => movePicture(picture.id, -1)}
          />
        )}
        <Button
          kind="quiet"
          icon="close"
          label={t("remove", { name })}
          iconOnly
          onClick={() => removePicture(picture.id)}
        />
        {count > 1 && (
          <Button
            kind="quiet"
            icon="right"
            label={t("moveRight", { name })}
            iconOnly
            disabled={index === count - 1}
            onClick={() => movePicture(picture.id, 1)}
          />
        )}
      </span>
    </li>
  );
}

/** The local view: the picture in the middle of its grid of square tiles. */
function TiledPicture({ url, cost }: { url: string; cost: PictureCost | undefined }) {
  const { across, down } = cost?.tiles ?? { across: 1, down: 1 };
  const lines = [
    ...Array.from({ length: across - 1 }, (_, i) => `M${i + 1} 0V${down}`),
    ...Array.from({ length: down - 1 }, (_, i) => `M0 ${i + 1}H${across}`),
  ];
  return (
    <span
      class={styles.tiled}
      style={{ aspectRatio: `${across} / ${down}` }}
      data-tiles={cost ? `${across}x${down}` : undefined}
    >
      <img src={url} alt="" />
      <svg viewBox={`0 0 ${across} ${down}`} preserveAspectRatio="none" aria-hidden="true">
        <path d={lines.join("")} vector-effect="non-scaling-stroke" />
      </svg>
    </span>
  );
}
