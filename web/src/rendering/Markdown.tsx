// SPDX-License-Identifier: MIT
import type { Token, Tokens } from "marked";
import type { ComponentChildren, JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Mention } from "../grounding/markup";
import { CodeBlock } from "./CodeBlock";
import { Formula } from "./Formula";
import { lex, withoutEntities, type FormulaToken, type MentionToken } from "./lexer";
import styles from "./Markdown.module.css";

/** How a mention of the answer is shown; told its number among the mentions. */
export type ShowMention = (mention: Mention, index: number) => ComponentChildren;

export function Markdown({ text, showMention }: { text: string; showMention: ShowMention }) {
  const tokens = useMemo(() => lex(text), [text]);
  let mentions = 0;
  const context: Context = { showMention: (mention) => showMention(mention, mentions++) };
  return <div class={styles.markdown}>{render(tokens, context)}</div>;
}

interface Context {
  showMention: (mention: Mention) => ComponentChildren;
}

function render(tokens: Token[] | undefined, context: Context): ComponentChildren[] {
  return (tokens ?? []).map((token) => renderToken(token, context));
}

function renderToken(token: Token, context: Context): ComponentChildren {
  const inside = () => render((token as Tokens.Generic).tokens, context);
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "paragraph":
      return <p>{inside()}</p>;
    case "heading":
      return renderHeading((token as Tokens.Heading).depth, inside());
    case "strong":
      return <strong>{inside()}</strong>;
    case "em":
      return <em>{inside()}</em>;
    case "del":
      return <del>{inside()}</del>;
    case "blockquote":
      return <blockquote>{inside()}</blockquote>;
    case "br":
      return <br />;
    case "hr":
      return <hr />;
    case "code":
      return (
        <CodeBlock
          text={(token as Tokens.Code).text}
          language={(token as Tokens.Code).lang ?? ""}
        />
      );
    case "codespan":
      return <code>{(token as Tokens.Codespan).text}</code>;
    case "list":
      return renderList(token as Tokens.List, context);
    case "table":
      return renderTable(token as Tokens.Table, context);
    case "link":
      return renderLink((token as Tokens.Link).href, inside());
    case "image":
      // Nothing is fetched because an answer says so.
      return renderLink((token as Tokens.Image).href, [(token as Tokens.Image).text || "image"]);
    case "mention":
      return context.showMention((token as MentionToken).mention);
    case "formulaBlock":
    case "formula":
      return (
        <Formula
          formula={(token as FormulaToken).formula}
          display={(token as FormulaToken).display}
        />
      );
    case "text":
      return (token as Tokens.Text).tokens
        ? inside()
        : withoutEntities((token as Tokens.Text).text);
    case "escape":
      return (token as Tokens.Escape).text;
    default:
      return token.raw; // HTML among it: shown as the text that it is
  }
}

function renderHeading(depth: number, children: ComponentChildren[]): JSX.Element {
  // The page has its own first and second level.
  const Heading = (["h3", "h4", "h5", "h6"] as const)[Math.min(depth, 4) - 1] ?? "h6";
  return <Heading>{children}</Heading>;
}

function renderList(list: Tokens.List, context: Context): JSX.Element {
  const items = list.items.map((item) => (
    <li>
      {item.task && (
        <input type="checkbox" checked={item.checked === true} disabled aria-hidden="true" />
      )}
      {render(item.tokens, context)}
    </li>
  ));
  return list.ordered ? <ol start={Number(list.start) || 1}>{items}</ol> : <ul>{items}</ul>;
}

function renderTable(table: Tokens.Table, context: Context): JSX.Element {
  const cell = (Tag: "th" | "td") => (from: Tokens.TableCell) => (
    <Tag class={from.align ? styles[from.align] : undefined}>{render(from.tokens, context)}</Tag>
  );
  return (
    <div class={styles.table} tabIndex={0} role="group">
      <table>
        <thead>
          <tr>{table.header.map(cell("th"))}</tr>
        </thead>
        <tbody>
          {table.rows.map((row) => (
            <tr>{row.map(cell("td"))}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function renderLink(href: string, children: ComponentChildren[]): ComponentChildren {
  if (!/^(https?:|mailto:)/i.test(href)) return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow" title={href}>
      {children}
    </a>
  );
}
