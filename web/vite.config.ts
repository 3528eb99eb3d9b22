// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type Plugin } from "vite";

const PDF_LIBRARY = "node_modules/pdfjs-dist";
const { version } = JSON.parse(readFileSync(join(PDF_LIBRARY, "package.json"), "utf8")) as {
  version: string;
};
const MAPS = `assets/cmaps-${version}/`;

/** Character maps that many Chinese, Japanese and Korean PDF files rely on. */
function pdfCharacterMaps(): Plugin {
  const folder = join(PDF_LIBRARY, "cmaps");
  return {
    name: "pdf-character-maps",
    generateBundle() {
      for (const name of readdirSync(folder).filter((file) => file.endsWith(".bcmap")))
        this.emitFile({
          type: "asset",
          fileName: MAPS + name,
          source: readFileSync(join(folder, name)),
        });
    },
  };
}

export default defineConfig({
  plugins: [pdfCharacterMaps()],
  define: { PDF_MAPS: JSON.stringify(`/${MAPS}`) },
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2022",
    // Data URLs and inline scripts would not pass the page's Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000,
  },
  server: {
    fs: { allow: [".."] }, // example pictures are those of the bundled model
    proxy: Object.fromEntries(
      ["/v1", "/health", "/metrics"].map((path) => [path, "http://127.0.0.1:8080"]),
    ),
  },
});
