// SPDX-License-Identifier: MIT
import { useSignal } from "@preact/signals";
import { addPicture, focusWanted } from "../chat/draft";
import { saveBlob } from "../chat/exchange";
import { annotated, cropped } from "../grounding/drawing";
import type { Region } from "../grounding/regions";
import { t } from "../language/language";
import { pictureFrom } from "../pictures/load";
import type { ShownPicture } from "../pictures/store";
import styles from "./AnnotatedPicture.module.css";
import { Boxes } from "./Boxes";
import { Button } from "./Button";
import { showPicture } from "./PictureViewer";

interface Props {
  turn: string;
  picture: ShownPicture;
  number: number; // among the chat's pictures
  regions: Region[];
}

/** A picture with the boxes that an answer speaks of. */
export function AnnotatedPicture({ turn, picture, number, regions }: Props) {
  const chosen = useSignal<Region | null>(null);
  const name = t("picture", { number });
  const download = async () => {
    saveBlob(await annotated(picture, regions), picture.name.replace(/\.\w+$/, "") + "-boxes.png");
  };
  return (
    <figure class={styles.figure}>
      <div class={styles.picture} data-picture={number}>
        <button
          type="button"
          class={styles.open}
          aria-label={t("openPicture", { name: `${name}, ${picture.name}` })}
          onClick={() => showPicture(picture, regions)}
        >
          <img src={picture.url} alt="" width={picture.width} height={picture.height} />
        </button>
        <Boxes turn={turn} regions={regions} onChosen={(region) => (chosen.value = region)} />
      </div>
      <figcaption class={styles.caption}>
        <span>{name}</span>
        <Button
          kind="quiet"
          icon="download"
          label={t("download")}
          iconOnly
          onClick={() => void download()}
        />
        {chosen.value && (
          <Button
            icon="crop"
            label={t("askAboutBox")}
            onClick={() => void askAbout(picture, chosen.value!)}
          >
            {t("askAboutBox")}
            {chosen.value.label && `: ${chosen.value.label}`}
            {chosen.value.probability !== null &&
              ` (${(chosen.value.probability * 100).toFixed(0)} %)`}
          </Button>
        )}
      </figcaption>
    </figure>
  );
}

/** Puts what lies in the box into the question as a picture of its own. */
async function askAbout(picture: ShownPicture, region: Region): Promise<void> {
  const part = await cropped(picture, region.box);
  addPicture(await pictureFrom(part, `${region.label || t("boxes")}.png`));
  ++focusWanted.value;
}
