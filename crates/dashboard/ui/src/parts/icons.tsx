// The icons, drawn on a grid of 24 with one stroke.

import type { ReactNode } from "react";

const SHAPES = {
  overview: <path d="M4 19V9m5 10V5m5 14v-7m5 7V8" />,
  events: <path d="M13 3 5 13.5h6L10 21l8-10.5h-6z" />,
  deliveries: <path d="M3 12h13m-5-5 5 5-5 5M20 5v14" />,
  sources: <path d="M21 12H8m5-5-5 5 5 5M4 5v14" />,
  types: <path d="M4 6h9m-9 6h16M4 18h12" />,
  signature: <path d="M12 3 5 6v5c0 4.6 3 8.2 7 10 4-1.8 7-5.4 7-10V6zm-3 9 2.2 2.2L15.5 10" />,
  settings: <path d="M4 7h9m5 0h2M4 17h2m5 0h9M15.5 9.5v-5m-7 15v-5" />,
  webhook: <path d="M9 4v9a4.5 4.5 0 0 0 9 0v-2m0 0-2.5 2.5M18 11l2.5 2.5M9 4H6m3 0h3" />,
  key: <path d="M14.5 9.5a4 4 0 1 1-1.7-3.3 4 4 0 0 1 1.7 3.3ZM13 12.5l7 7m-3-3 2-2" />,
  audit: <path d="M7 3h8l4 4v14H7zM10.5 12h5m-5 4h5M15 3v4h4" />,
  tenants: <path d="M4 21V5l8-2v18m0-12 8 2v10M3 21h18M8 8v0m0 4v0m0 4v0m8-2v0m0 3v0" />,
  nodes: <path d="M4 5h16v5H4zm0 9h16v5H4zM8 7.5v0m0 9v0" />,
  search: <path d="M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm5-2 5 5" />,
  sun: (
    <path d="M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm0-13v1.5m0 15V21m9-9h-1.5M4.5 12H3m15.4-6.4-1.1 1.1M6.7 17.3l-1.1 1.1m12.8 0-1.1-1.1M6.7 6.7 5.6 5.6" />
  ),
  moon: <path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z" />,
  menu: <path d="M4 7h16M4 12h16M4 17h16" />,
  close: <path d="m6 6 12 12M18 6 6 18" />,
  copy: <path d="M9 9h11v11H9zM5 15H4V4h11v1" />,
  check: <path d="m5 12.5 4.5 4.5L19 7.5" />,
  cross: <path d="m7 7 10 10M17 7 7 17" />,
  retry: <path d="M20 11a8 8 0 1 0-2.3 6.3M20 5v6h-6" />,
  plus: <path d="M12 5v14M5 12h14" />,
  trash: <path d="M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13m-6.5 4v5.5m3-5.5v5.5" />,
  pause: <path d="M9 6v12m6-12v12" />,
  play: <path d="m8 5 11 7-11 7z" />,
  power: <path d="M12 3v8m4.5-5.5a8 8 0 1 1-9 0" />,
  send: <path d="m21 3-8 18-3-8-7-3zM10 13 21 3" />,
  more: <path d="M6 12v0m6 0v0m6 0v0" />,
  back: <path d="m15 5-7 7 7 7" />,
  right: <path d="m9 5 7 7-7 7" />,
  down: <path d="m5 9 7 7 7-7" />,
  warning: <path d="M12 4 2.5 20h19zm0 6v5m0 2.5v0" />,
  info: <path d="M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-10v5.5M12 8v0" />,
  clock: <path d="M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-14v5l3.5 2" />,
  download: <path d="M12 4v11m-5-5 5 5 5-5M5 20h14" />,
  upload: <path d="M12 16V5M7 10l5-5 5 5M5 20h14" />,
  out: <path d="M14 4h6v16h-6M10 8l-4 4 4 4m-4-4h9" />,
  link: <path d="M14 4h6v6m0-6-9 9M10 5H5v14h14v-5" />,
  eye: (
    <path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12Zm9.5 3a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z" />
  ),
  filter: <path d="M4 5h16l-6 8v6l-4 1.5V13z" />,
} as const satisfies Record<string, ReactNode>;

export type IconName = keyof typeof SHAPES;

/** An icon beside a word; alone, its button has the name. */
export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      aria-hidden="true"
      className="icon"
      fill="none"
      focusable="false"
      height={size}
      stroke="currentColor"
      strokeLinecap="round"
      strokeLinejoin="round"
      strokeWidth="1.8"
      viewBox="0 0 24 24"
      width={size}
    >
      {SHAPES[name]}
    </svg>
  );
}
