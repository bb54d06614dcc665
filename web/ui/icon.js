// Icons as simple strokes on a grid of 24. They are decoration: the control that holds one has the name.
import { html } from "/lib/preact.js";

const circle = (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;
const box = (x, y, w, h, r = 2) => `M${x + r} ${y}h${w - 2 * r}a${r} ${r} 0 0 1 ${r} ${r}v${h - 2 * r}a${r} ${r} 0 0 1 ${-r} ${r}h${2 * r - w}`
  + `a${r} ${r} 0 0 1 ${-r} ${-r}v${2 * r - h}a${r} ${r} 0 0 1 ${r} ${-r}z`;

const paths = {
  add: "M12 5v14M5 12h14",
  alert: "M12 4 2.8 19.5h18.4zM12 10v4.5M12 17.2v.1",
  all: "M8.5 6.5H20M8.5 12H20M8.5 17.5H20M4.2 6.5h.1M4.2 12h.1M4.2 17.5h.1",
  back: "M19 12H5M11 6l-6 6 6 6",
  bell: "M6 10a6 6 0 0 1 12 0c0 5 2 6.5 2 6.5H4S6 15 6 10M10 20a2.2 2.2 0 0 0 4 0",
  calendar: `${box(4, 5, 16, 15)}M4 10h16M8.5 3v4M15.5 3v4`,
  chart: "M5 20V11M12 20V4M19 20v-6",
  chat: "M5 5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-5 4v-4H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2z",
  check: "M5 12.5l4.5 4.5L19 7.5",
  chevron: "M9 6l6 6-6 6",
  clock: `${circle(12, 12, 8.5)}M12 7.5V12l3 2`,
  close: "M6 6l12 12M18 6L6 18",
  copy: `${box(8, 8, 12, 12)}M16 8V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2h2`,
  done: `${circle(12, 12, 8.5)}M8 12.3l2.8 2.8L16 9.6`,
  down: "M6 9l6 6 6-6",
  edit: "M4 20l1-4L16.5 4.5a2.1 2.1 0 0 1 3 3L8 19zM14.5 6.5l3 3",
  filter: "M4 6h16M7 12h10M10 18h4",
  flag: "M6 21V4M6 5h11l-2 4 2 4H6",
  group: `${box(4, 4, 16, 6)}${box(4, 14, 16, 6)}`,
  help: `${circle(12, 12, 8.5)}M9.6 9.4a2.5 2.5 0 1 1 3.6 2.3c-.8.4-1.2 1-1.2 1.9M12 16.6v.1`,
  history: "M4.5 12a7.5 7.5 0 1 0 2.4-5.5L4 9M4 4.5V9h4.5M12 8v4.3l2.8 1.7",
  info: `${circle(12, 12, 8.5)}M12 11v5M12 8v.1`,
  keyboard: `${box(3, 6, 18, 12)}M7 10h.1M11 10h.1M15 10h.1M8 14h8`,
  link: "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1-1",
  menu: "M4 7h16M4 12h16M4 17h16",
  minus: "M5 12h14",
  moon: "M20 14.5A8 8 0 0 1 9.5 4a8 8 0 1 0 10.5 10.5z",
  more: `${circle(5.5, 12, 0.9)}${circle(12, 12, 0.9)}${circle(18.5, 12, 0.9)}`,
  none: `${circle(12, 12, 8.5)}M6 18L18 6`,
  offline: "M4 4l16 16M8.5 15.5a5 5 0 0 1 5-1.3M5 12a10 10 0 0 1 4-2.4M13 9.1a10 10 0 0 1 6 2.9M2.5 8.5A14 14 0 0 1 6 6.2M10.5 4.700a14 14 0 0 1 11 3.800M12 19v.1",
  operator: `${box(4, 4, 16, 6.5)}${box(4, 13.5, 16, 6.5)}M8 7.2h.1M8 16.700h.1`,
  palette: "M9 9V6a3 3 0 1 0-3 3h12a3 3 0 1 0-3-3v12a3 3 0 1 0 3-3H6a3 3 0 1 0 3 3z",
  plus: "M12 5v14M5 12h14",
  redo: "M15 8h5V3M20 8a8.5 8.5 0 1 0 .5 6",
  refresh: "M20 5v5h-5M19.5 10A8 8 0 1 0 20 14",
  repeat: "M17 3l3.5 3.500L17 10M4 11V9.500a3 3 0 0 1 3-3h13M7 21l-3.5-3.500L7 14M20 13v1.500a3 3 0 0 1-3 3H4",
  restore: "M4.5 12a7.5 7.5 0 1 0 2.4-5.5L4 9M4 4.500V9h4.5",
  search: `${circle(11, 11, 6.5)}M16 16l4.5 4.5`,
  send: "M4 12L20 4.5 15 20l-3.5-6.500zM11.5 13.500L20 4.5",
  settings: `${circle(12, 12, 3)}M12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.600l2.2 2.200M16.2 16.200l2.2 2.200M5.6 18.400l2.2-2.200M16.2 7.800l2.2-2.2`,
  skip: "M5 5l9 7-9 7zM18 5v14",
  snooze: `${circle(12, 13, 7.5)}M9.5 10.500h5l-5 5h5M4 6l3-3M20 6l-3-3`,
  sort: "M7 5v14M4 16l3 3 3-3M17 19V5M14 8l3-3 3 3",
  sun: `${circle(12, 12, 4)}M12 2.500v2M12 19.500v2M2.5 12h2M19.5 12h2M5.3 5.300l1.4 1.400M17.3 17.300l1.4 1.400M5.3 18.700l1.4-1.400M17.3 6.700l1.4-1.4`,
  system: `${box(3, 5, 18, 12)}M9 21h6M12 17v4`,
  tag: "M4 4h8l8 8-8 8-8-8zM8.2 8.200h.1",
  text: "M5 7h14M5 12h14M5 17h8",
  today: `${box(4, 5, 16, 15)}M4 10h16M8.5 3v4M15.5 3v4M9 15l2 2 4-4`,
  tomorrow: `${circle(12, 14, 3.5)}M12 5v3M4 14h2M18 14h2M6.3 8.300l1.4 1.400M17.7 8.300l-1.4 1.400M3 20h18`,
  trash: "M5 7h14M10 4h4M7 7l1 13h8l1-13M10.5 11v5.500M13.5 11v5.5",
  undo: "M9 8H4V3M4 8a8.5 8.5 0 1 1-.5 6",
  upcoming: `${box(4, 5, 16, 15)}M4 10h16M8.5 3v4M15.5 3v4M8 14h.1M12 14h.1M16 14h.1M8 17h.1M12 17h.1`,
  up: "M6 15l6-6 6 6",
  user: `${circle(12, 8, 4)}M4.5 20.500a7.5 7.5 0 0 1 15 0`,
  week: "M4 12h15M13 6l6 6-6 6",
  weekend: "M4 17v-5a2 2 0 0 1 4 0v2h8v-2a2 2 0 0 1 4 0v5zM6 10V7a2 2 0 0 1 2-2h8a2 2 0 0 1 2 2v3M6 17v2M18 17v2",
  zone: `${circle(12, 12, 8.5)}M3.5 12h17M12 3.500c3 3 3 14 0 17M12 3.500c-3 3-3 14 0 17`,
};

/** Names that mean the same picture. */
const others = { bin: "trash", delete: "trash", complete: "check", search2: "search", priority: "flag", reminder: "bell",
  "chevron-right": "chevron", "chevron-down": "down", "chevron-up": "up", "arrow-left": "back", warning: "alert", date: "calendar",
  recurrence: "repeat", tags: "tag", notifications: "bell", preferences: "settings", usage: "chart", conflict: "alert",
  moveup: "up", "next-week": "week", x: "close", dots: "more", list: "all", stop: "none", logout: "back", about: "info" };

export function Icon({ name, size }) {
  const path = paths[name] || paths[others[name]] || paths.none;
  return html`<svg class="icon" viewBox="0 0 24 24" width=${size || null} height=${size || null} fill="none" stroke="currentColor"
    stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false"><path d=${path} /></svg>`;
}
