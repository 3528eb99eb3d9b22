// SPDX-License-Identifier: MIT
import { useSignal } from "@preact/signals";
import { addPages, openPdfs } from "../chat/draft";
import { t } from "../language/language";
import { pagesFrom } from "../pictures/pages";
import type { Pdf } from "../pictures/pdf";
import { Button } from "./Button";
import styles from "./PdfPages.module.css";

/** Asks which pages of a PDF are to be shown to the model. */
export function PdfPages({ pdf }: { pdf: Pdf }) {
  const text = useSignal("1");
  const busy = useSignal(false);
  const pages = pagesFrom(text.value, pdf.pageCount);
  const add = () => {
    if (!pages) return;
    busy.value = true;
    void addPages(pdf, pages);
  };
  const remove = () => (openPdfs.value = openPdfs.value.filter((other) => other !== pdf));
  return (
    <div class={styles.pages}>
      <label>
        {t("pdfPages", { name: pdf.name, count: pdf.pageCount })}{" "}
        <input
          value={text.value}
          size={8}
          aria-invalid={pages === null}
          onInput={(event) => (text.value = event.currentTarget.value)}
        />
      </label>
      <Button label={t("add")} disabled={!pages || busy.value} onClick={add} />
      <Button kind="quiet" label={t("cancel")} onClick={remove} />
      {!pages && <span role="alert">{t("pagesWrong", { count: pdf.pageCount })}</span>}
    </div>
  );
}
