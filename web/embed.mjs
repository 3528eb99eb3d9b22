// SPDX-License-Identifier: MIT
// Packs a built page for the program: node embed.mjs DIST OUT writes OUT/page.bin, the compressed
// files one after the other, and OUT/page_files.cc, the table of them.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".pdf": "application/pdf",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
  ".bcmap": "application/octet-stream",
};

function* filesBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else yield path;
  }
}

const [dist, out] = process.argv.slice(2);
const parts = [];
const rows = [];
let offset = 0;
for (const file of [...filesBelow(dist)].sort()) {
  const name = "/" + relative(dist, file);
  const type = TYPES[extname(name)];
  if (!type) throw new Error(`${name}: no content type is known for it`);
  const bytes = readFileSync(file);
  const etag = createHash("sha256").update(bytes).digest("hex").slice(0, 24);
  const zipped = gzipSync(bytes, { level: 9 });
  const path = name === "/index.html" ? "/" : name;
  rows.push(
    `    {"${path}", "${type}", "\\"${etag}\\"", {vl2_page_data + ${offset}, ${zipped.length}}},`,
  );
  parts.push(zipped);
  offset += zipped.length;
}
writeFileSync(join(out, "page.bin"), Buffer.concat(parts));
writeFileSync(
  join(out, "page_files.cc"),
  `// Made by web/embed.mjs.
#include "server/page_route.h"

extern "C" const char vl2_page_data[];

namespace vl2 {

std::span<const PageFile> page_files() noexcept {
  static const PageFile files[] = {
${rows.join("\n")}
  };
  return files;
}

}  // namespace vl2
`,
);
