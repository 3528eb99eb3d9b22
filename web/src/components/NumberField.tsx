// SPDX-License-Identifier: MIT
import styles from "./SettingsDrawer.module.css";

interface Props {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  onChange: (value: number) => void;
}

export function NumberField({ label, value, min, max, step, onChange }: Props) {
  const take = (text: string) => {
    const number = Number(text);
    if (text !== "" && number >= min && number <= max) onChange(number);
  };
  return (
    <label class={styles.number}>
      <span>{label}</span>
      <input
        type="number"
        value={value}
        min={min}
        max={max}
        step={step}
        onChange={(event) => take(event.currentTarget.value)}
      />
    </label>
  );
}

interface OptionalProps {
  label: string;
  empty: string; // what no number means
  value: number | null;
  min: number;
  max: number;
  onChange: (value: number | null) => void;
}

export function OptionalNumberField({ label, empty, value, min, max, onChange }: OptionalProps) {
  const take = (text: string) => {
    const number = Number(text);
    if (text === "") onChange(null);
    else if (Number.isInteger(number) && number >= min && number <= max) onChange(number);
  };
  return (
    <label class={styles.number}>
      <span>{label}</span>
      <input
        type="number"
        value={value ?? ""}
        placeholder={empty}
        min={min}
        max={max}
        step={1}
        onChange={(event) => take(event.currentTarget.value)}
      />
    </label>
  );
}
