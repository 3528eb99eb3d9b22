// SPDX-License-Identifier: MIT
import type { Signal } from "@preact/signals";
import { cloneElement, type VNode } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { t } from "../language/language";
import { change, PRESETS, schemaFault, settings, type Settings } from "../settings";
import { Button } from "./Button";
import { NumberField, OptionalNumberField } from "./NumberField";
import styles from "./SettingsDrawer.module.css";

export function SettingsDrawer({ shown }: { shown: Signal<boolean> }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = shown.value;
  useEffect(() => {
    if (open) dialog.current!.showModal();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      class={styles.drawer}
      aria-label={t("settings")}
      onClose={() => (shown.value = false)}
    >
      {open && (
        <>
          <header class={styles.head}>
            <h2>{t("settings")}</h2>
            <Button
              kind="quiet"
              icon="close"
              label={t("close")}
              iconOnly
              onClick={() => dialog.current!.close()}
            />
          </header>
          <Sampling />
          <Prompting />
          <Looks />
        </>
      )}
    </dialog>
  );
}

function Sampling() {
  const { temperature, topP, repetitionPenalty, maxTokens, seed, maxTiles } = settings.value;
  return (
    <>
      <div class={styles.presets} role="group" aria-label={t("preset")}>
        <Button label={t("exactPreset")} onClick={() => change(PRESETS.exact)} />
        <Button label={t("demoPreset")} onClick={() => change(PRESETS.demo)} />
      </div>
      <NumberField
        label={t("temperature")}
        value={temperature}
        min={0}
        max={2}
        step={0.05}
        onChange={(value) => change({ temperature: value })}
      />
      <NumberField
        label={t("topP")}
        value={topP}
        min={0}
        max={1}
        step={0.05}
        onChange={(value) => change({ topP: value })}
      />
      <NumberField
        label={t("repetitionPenalty")}
        value={repetitionPenalty}
        min={0.5}
        max={2}
        step={0.05}
        onChange={(value) => change({ repetitionPenalty: value })}
      />
      <NumberField
        label={t("maxTokens")}
        value={maxTokens}
        min={1}
        max={1_000_000}
        step={1}
        onChange={(value) => change({ maxTokens: value })}
      />
      <OptionalNumberField
        label={t("seed")}
        empty={t("seedAuto")}
        value={seed}
        min={0}
        max={2 ** 31}
        onChange={(value) => change({ seed: value })}
      />
      <OptionalNumberField
        label={t("maxTiles")}
        empty={t("maxTilesAuto")}
        value={maxTiles}
        min={1}
        max={64}
        onChange={(value) => change({ maxTiles: value })}
      />
    </>
  );
}

function Prompting() {
  const { system, schema, probabilities, apiKey } = settings.value;
  const fault = schemaFault(schema);
  return (
    <>
      <Field label={t("system")} help={t("systemHelp")}>
        <textarea
          rows={2}
          value={system}
          onInput={(e) => change({ system: e.currentTarget.value })}
        />
      </Field>
      <Field label={t("schema")} help={fault ?? t("schemaHelp")} faulty={fault !== null}>
        <textarea
          rows={4}
          spellcheck={false}
          value={schema}
          aria-invalid={fault !== null}
          onInput={(e) => change({ schema: e.currentTarget.value })}
        />
      </Field>
      <label class={styles.check}>
        <input
          type="checkbox"
          checked={probabilities}
          onChange={(e) => change({ probabilities: e.currentTarget.checked })}
        />
        <span>
          {t("probabilities")}
          <small>{t("probabilitiesHelp")}</small>
        </span>
      </label>
      <Field label={t("apiKey")} help={t("apiKeyHelp")}>
        <input
          type="password"
          autocomplete="off"
          value={apiKey}
          onInput={(e) => change({ apiKey: e.currentTarget.value })}
        />
      </Field>
    </>
  );
}

function Looks() {
  const { language, theme } = settings.value;
  return (
    <>
      <Field label={t("language")}>
        <select
          value={language}
          onChange={(e) => change({ language: e.currentTarget.value as Settings["language"] })}
        >
          <option value="auto">{t("languageAuto")}</option>
          <option value="en">English</option>
          <option value="zh">中文</option>
        </select>
      </Field>
      <Field label={t("theme")}>
        <select
          value={theme}
          onChange={(e) => change({ theme: e.currentTarget.value as Settings["theme"] })}
        >
          <option value="auto">{t("themeAuto")}</option>
          <option value="light">{t("themeLight")}</option>
          <option value="dark">{t("themeDark")}</option>
        </select>
      </Field>
    </>
  );
}

interface FieldProps {
  label: string;
  help?: string;
  faulty?: boolean;
  children: VNode<{ id?: string; "aria-describedby"?: string }>;
}

function Field({ label, help, faulty, children }: FieldProps) {
  const id = useId();
  return (
    <div class={styles.field}>
      <label for={id}>{label}</label>
      {cloneElement(children, { id, ...(help ? { "aria-describedby": `${id}-help` } : {}) })}
      {help && (
        <small id={`${id}-help`} class={faulty ? styles.fault : undefined}>
          {help}
        </small>
      )}
    </div>
  );
}
