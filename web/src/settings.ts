// SPDX-License-Identifier: MIT
// What the reader has set, kept by the browser.
import { effect, signal } from "@preact/signals";

export interface Settings {
  temperature: number;
  topP: number;
  repetitionPenalty: number;
  maxTokens: number;
  seed: number | null; // null: another one for each answer
  maxTiles: number | null; // null: as the model was made for
  system: string;
  schema: string; // a JSON schema, or nothing
  probabilities: boolean;
  apiKey: string;
  language: "auto" | "en" | "zh";
  theme: "auto" | "light" | "dark";
}

type Sampling = Pick<Settings, "temperature" | "topP" | "repetitionPenalty" | "maxTokens">;

export const PRESETS: Record<"exact" | "demo", Sampling> = {
  // The most probable token every time: the same question, the same answer.
  exact: { temperature: 0, topP: 1, repetitionPenalty: 1, maxTokens: 512 },
  // What the original's Gradio demo begins with.
  demo: { temperature: 0.1, topP: 0.9, repetitionPenalty: 1.1, maxTokens: 2048 },
};

const DEFAULTS: Settings = {
  ...PRESETS.exact,
  seed: null,
  maxTiles: null,
  system: "",
  schema: "",
  probabilities: true,
  apiKey: "",
  language: "auto",
  theme: "auto",
};

const KEY = "vl2-settings";

function load(): Settings {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Settings>) };
  } catch {
    return DEFAULTS;
  }
}

export const settings = signal<Settings>(load());

export function change(part: Partial<Settings>): void {
  settings.value = { ...settings.value, ...part };
}

export function keepSettings(): void {
  effect(() => {
    try {
      localStorage.setItem(KEY, JSON.stringify(settings.value));
    } catch {
      // A browser that keeps nothing still shows the page.
    }
    const { theme } = settings.value;
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  });
}

/** What is wrong with the schema, or null. */
export function schemaFault(schema: string): string | null {
  if (schema.trim() === "") return null;
  try {
    JSON.parse(schema);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
