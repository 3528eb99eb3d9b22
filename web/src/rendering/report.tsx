// SPDX-License-Identifier: MIT
// A chat as a web page of its own: pictures and boxes inside, no script, nothing to be fetched.
import { render } from "preact";
import type { Chat, Turn } from "../chat/model";
import { pathOf } from "../chat/tree";
import { regionsOf, uprightBox, type Region } from "../grounding/regions";
import { language, t } from "../language/language";
import { dataUrlOf, fetchPicture } from "../pictures/store";
import { Markdown } from "./Markdown";
import reportStyle from "./report.css?raw";

interface EmbeddedPicture {
  name: string;
  url: string;
  width: number;
  height: number;
}

export async function chatAsHtml(chat: Chat): Promise<string> {
  const path = pathOf(chat);
  const pictures = new Map<string, EmbeddedPicture>();
  for (const id of path.flatMap((turn) => turn.pictures)) {
    const picture = await fetchPicture(id);
    if (picture) pictures.set(id, { ...picture, url: await dataUrlOf(picture) });
  }
  const page = document.implementation.createHTMLDocument(chat.title || "vl2");
  page.documentElement.lang = language.value;
  addMeta(page, { charset: "utf-8" });
  addMeta(page, {
    "http-equiv": "Content-Security-Policy",
    content: "default-src 'none'; img-src data:; style-src 'unsafe-inline'",
  });
  addMeta(page, { name: "viewport", content: "width=device-width, initial-scale=1" });
  render(<Report chat={chat} path={path} pictures={pictures} />, page.body);
  await formulasAreThere(page);
  // The style is for the file: as an element here it would meet the policy of the page itself.
  const style = `<style>${reportStyle}</style></head>`;
  return `<!doctype html>\n${page.documentElement.outerHTML.replace("</head>", style)}\n`;
}

function addMeta(page: Document, attributes: Record<string, string>): void {
  const meta = page.createElement("meta");
  for (const [name, value] of Object.entries(attributes)) meta.setAttribute(name, value);
  page.head.prepend(meta);
}

/** Their library may have to be loaded first. Without it they stay as they were written. */
async function formulasAreThere(page: Document): Promise<void> {
  const formulas = [...page.querySelectorAll("[data-formula]")];
  for (let waited = 0; waited < 5000; waited += 20) {
    if (formulas.every((formula) => formula.querySelector("math"))) return;
    await new Promise((resolve) => window.setTimeout(resolve, 20));
  }
}

interface Props {
  chat: Chat;
  path: Turn[];
  pictures: Map<string, EmbeddedPicture>;
}

function Report({ chat, path, pictures }: Props) {
  return (
    <main>
      <h1>{chat.title || t("unnamed")}</h1>
      {path.map((turn, index) =>
        turn.role === "user" ? (
          <section class="question">
            {turn.pictures.map((id) => (
              <ReportPicture picture={pictures.get(id)} regions={[]} />
            ))}
            <p class="text">{turn.text}</p>
          </section>
        ) : (
          <ReportAnswer turn={turn} before={path.slice(0, index)} pictures={pictures} />
        ),
      )}
    </main>
  );
}

interface AnswerProps {
  turn: Turn;
  before: Turn[];
  pictures: Map<string, EmbeddedPicture>;
}

function ReportAnswer({ turn, before, pictures }: AnswerProps) {
  const shown = before.flatMap((earlier) => earlier.pictures);
  const question = before.at(-1)?.text ?? "";
  const regions = regionsOf(turn.text, question, shown.length, turn.facts?.regions ?? []);
  const withBoxes = [...new Set(regions.map((region) => region.picture))];
  return (
    <section class="answer">
      <Markdown
        text={turn.text}
        showMention={(mention, index) => {
          const region = regions.find((one) => one.mention === index);
          return <mark style={region && { borderColor: region.colour.line }}>{mention.label}</mark>;
        }}
      />
      {withBoxes.map((index) => (
        <ReportPicture
          picture={pictures.get(shown[index]!)}
          regions={regions.filter((region) => region.picture === index)}
        />
      ))}
    </section>
  );
}

function ReportPicture({
  picture,
  regions,
}: {
  picture: EmbeddedPicture | undefined;
  regions: Region[];
}) {
  if (!picture) return null;
  return (
    <figure>
      <svg viewBox={`0 0 ${picture.width} ${picture.height}`} width={picture.width}>
        <image href={picture.url} width={picture.width} height={picture.height} />
        {regions.map((region) => (
          <BoxShape region={region} width={picture.width} height={picture.height} />
        ))}
      </svg>
      <figcaption>{picture.name}</figcaption>
    </figure>
  );
}

function BoxShape({ region, width, height }: { region: Region; width: number; height: number }) {
  const [x1, y1, x2, y2] = uprightBox(region.box);
  const size = Math.max(12, Math.max(width, height) / 40);
  const top = (y1 / 999) * height;
  return (
    <g fill={region.colour.line} stroke={region.colour.line}>
      <rect
        x={(x1 / 999) * width}
        y={top}
        width={((x2 - x1) / 999) * width}
        height={((y2 - y1) / 999) * height}
        fill="none"
        stroke-width={size / 5}
      />
      <text x={(x1 / 999) * width} y={top > size ? top - size / 3 : top + size} font-size={size}>
        {region.label}
      </text>
    </g>
  );
}
