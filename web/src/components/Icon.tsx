// SPDX-License-Identifier: MIT
const PATHS = {
  add: "M12 5v14M5 12h14",
  branch: "M6 3v12M6 15a3 3 0 1 0 .1 0M18 3a3 3 0 1 0 .1 0M18 9c0 5-5 5-9 8",
  check: "M4 12l5 6L20 6",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  crop: "M6 2v16h16M2 6h16v16",
  download: "M12 3v12M7 11l5 5 5-5M4 20h16",
  draw: "M4 4h16v16H4zM4 4h3v3H4zM17 17h3v3h-3z",
  edit: "M4 20l1-5L16 4l4 4L9 19z",
  gear: "M4 7h9M17 7h3M15 4v6M4 17h3M11 17h9M9 14v6",
  left: "M15 5l-7 7 7 7",
  menu: "M4 6h16M4 12h16M4 18h16",
  minus: "M5 12h14",
  open: "M4 20V6h6l2 3h8v11z",
  place: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4",
  redo: "M19 12a7 7 0 1 1-2-5M19 3v5h-5",
  right: "M9 5l7 7-7 7",
  send: "M12 20V5M5 11l7-7 7 7",
  stop: "M7 7h10v10H7z",
  tokens: "M4 7h5v10H4zM11 7h3v10h-3zM16 7h4v10h-4z",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
  whole: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
};
export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg width="18" height="18" viewBox="0 0 24 24" aria-hidden="true">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        stroke-width="2"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
