// SPDX-License-Identifier: MIT
// A real `vl2 serve` on a port of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export const MODELS = fileURLToPath(new URL("../../models/", import.meta.url));
export const NANO = `${MODELS}vl2-nano/`;
const PATIENCE_MS = Number(process.env.VL2_PATIENCE_MS ?? 60_000);

export class Server {
  static async start(options = [], port = 0) {
    const server = new Server();
    const program = process.env.VL2_PROGRAM ?? "build/vl2";
    server.process = spawn(
      program,
      ["serve", "-m", `${MODELS}vl2-nano`, "--port", String(port), ...options],
      {
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    server.process.stderr.setEncoding("utf8");
    server.process.stderr.on("data", (text) => (server.log += text));
    server.url = (await server.logged(/listening url=(\S+)/))[1];
    await server.logged(/ ready /);
    return server;
  }

  log = "";

  async logged(pattern) {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = pattern.exec(this.log);
      if (found) return found;
      if (this.process.exitCode !== null || Date.now() > end)
        throw new Error(`the server did not say ${pattern}:\n${this.log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  get port() {
    return new URL(this.url).port;
  }

  async metric(name) {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
  }

  /** As `kill -9`. */
  async stop() {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill("SIGKILL");
    await once(this.process, "exit");
  }
}

export async function until(condition, what) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited too long until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
