// SPDX-License-Identifier: MIT
// Times and what is typical of many of them.

export class Clock {
  constructor() { this.start = performance.now(); }
  milliseconds() { return performance.now() - this.start; }
  seconds() { return this.milliseconds() / 1000; }
}

export function quantiles(times) {
  const sorted = Float64Array.from(times).sort();
  const at = (share) => (
    sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
  return {p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1)};
}
