// SPDX-License-Identifier: MIT
import { CopyButton } from "../components/CopyButton";
import styles from "./Markdown.module.css";

export function CodeBlock({ text, language }: { text: string; language: string }) {
  return (
    <div class={styles.code}>
      <div class={styles.codeHead}>
        <span>{language}</span>
        <CopyButton text={text} />
      </div>
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
    </div>
  );
}
