// SPDX-License-Identifier: MIT
import { computed, effect } from "@preact/signals";
import { settings } from "../settings";
import { en } from "./en";
import { zh } from "./zh";

export type TextKey = keyof typeof en;

export const language = computed<"en" | "zh">(() => {
  const wanted = settings.value.language;
  if (wanted !== "auto") return wanted;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
});

/** A text of the page in the reader's language; {names} in it are filled in. */
export function t(key: TextKey, values: Record<string, string | number> = {}): string {
  const text = (language.value === "zh" ? zh : en)[key];
  return text.replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all));
}

export function tellLanguage(): void {
  effect(() => {
    document.documentElement.lang = language.value;
  });
}
