// SPDX-License-Identifier: MIT
import { useState } from "preact/hooks";
import { t } from "../language/language";
import { Button } from "./Button";

const SHOWN_MS = 1500;

export function CopyButton({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await writeToClipboard(text);
    setCopied(true);
    window.setTimeout(() => setCopied(false), SHOWN_MS);
  };
  return (
    <Button
      kind="quiet"
      icon={copied ? "check" : "copy"}
      label={copied ? t("copied") : t("copy")}
      iconOnly
      onClick={() => void copy()}
    />
  );
}

async function writeToClipboard(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Without https there is no clipboard but this one.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
