// SPDX-License-Identifier: MIT
import type { ComponentChildren, JSX } from "preact";
import styles from "./Button.module.css";
import { Icon, type IconName } from "./Icon";

type Props = Omit<JSX.IntrinsicElements["button"], "children" | "class"> & {
  icon?: IconName;
  label: string; // read aloud, and shown where there are no children
  kind?: "plain" | "primary" | "quiet" | "danger";
  iconOnly?: boolean;
  children?: ComponentChildren;
};

export function Button({ icon, label, kind = "plain", iconOnly, children, ...rest }: Props) {
  return (
    <button
      type="button"
      {...rest}
      class={`${styles.button} ${styles[kind]} ${iconOnly ? styles.iconOnly : ""}`}
      aria-label={iconOnly ? label : undefined}
      title={rest.title ?? (iconOnly ? label : undefined)}
    >
      {icon && <Icon name={icon} />}
      {!iconOnly && <span>{children ?? label}</span>}
    </button>
  );
}
