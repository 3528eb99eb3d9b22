// SPDX-License-Identifier: MIT
// How the server is, asked again and again while the page is looked at.
import { signal } from "@preact/signals";
import { loadHealth, loadMetrics, loadModelFacts } from "./client";
import { asFailure } from "./failure";
import type { ModelFacts } from "./wire";

export type ServerState = "unknown" | "loading" | "ready" | "draining" | "gone" | "locked";

export interface ServerStatus {
  state: ServerState;
  model: ModelFacts | null;
  running: number;
  waiting: number;
}

export const serverStatus = signal<ServerStatus>({
  state: "unknown",
  model: null,
  running: 0,
  waiting: 0,
});

const READY_MS = 10_000;
const WAITING_MS = 1_500;

async function look(): Promise<ServerStatus> {
  const before = serverStatus.value;
  try {
    const health = await loadHealth();
    if (health === "loading" || health === "draining") return { ...before, state: health };
    // After a time of absence another model may be there.
    const model = before.state === "ready" && before.model ? before.model : await loadModelFacts();
    const metrics = await loadMetrics();
    return {
      state: "ready",
      model,
      running: metrics.get("vl2_requests_running") ?? 0,
      waiting: metrics.get("vl2_requests_waiting") ?? 0,
    };
  } catch (error) {
    const failure = asFailure(error);
    if (failure.keyIsMissing) return { ...before, state: "locked" };
    return { ...before, state: failure.status === 503 ? "loading" : "gone" };
  }
}

let timer: number | undefined;
let looking = false;

export async function refreshStatus(): Promise<void> {
  if (looking) return;
  looking = true;
  window.clearTimeout(timer);
  serverStatus.value = await look();
  looking = false;
  if (document.hidden) return;
  const ready = serverStatus.value.state === "ready";
  timer = window.setTimeout(() => void refreshStatus(), ready ? READY_MS : WAITING_MS);
}

export function watchStatus(): void {
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void refreshStatus();
  });
  void refreshStatus();
}
