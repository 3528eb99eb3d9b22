// SPDX-License-Identifier: MIT

/** "2, 5-7" of `count` pages; null for what cannot be understood. */
export function pagesFrom(text: string, count: number): number[] | null {
  const pages: number[] = [];
  for (const part of text.split(/[,，、]/)) {
    const range = /^\s*(\d+)\s*(?:[-–]\s*(\d+)\s*)?$/.exec(part);
    if (!range) return null;
    const first = Number(range[1]);
    const last = Number(range[2] ?? range[1]);
    if (first < 1 || last > count || first > last) return null;
    for (let page = first; page <= last; ++page) pages.push(page);
  }
  return pages;
}
