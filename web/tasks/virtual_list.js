// A list that draws only the rows near the window. Heights are guessed until a row was seen, then remembered.
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "/lib/preact.js";

const guessRow = 58;
const guessHead = 50;
const margin = 350; // pixels that are drawn above and below of the window

/** Where each row begins: tops[i], and the whole height at the end. */
function topsOf(rows, heights) {
  const tops = new Float64Array(rows.length + 1);
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index];
    tops[index + 1] = tops[index] + (heights.get(row.key) || (row.head ? guessHead : guessRow));
  }
  return tops;
}

/** The first index whose row ends below `y`. */
function find(tops, y) {
  let low = 0;
  let high = tops.length - 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tops[middle + 1] <= y) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low);
}

/** `rows`: [{key, head?}], `draw(row)`: an <li>. `handle.current` gets reveal(index). */
export function VirtualList({ rows, draw, label, handle }) {
  const list = useRef();
  const heights = useRef(new Map());
  const [measured, setMeasured] = useState(0);
  const [range, setRange] = useState([0, 30]);
  const tops = useMemo(() => topsOf(rows, heights.current), [rows, measured]);
  const now = useRef();
  now.current = { rows, tops, range };
  const look = () => {
    if (!list.current) return;
    const y = -list.current.getBoundingClientRect().top;
    const { tops: at, range: [from, to], rows: all } = now.current;
    const first = find(at, y - margin);
    const end = find(at, y + innerHeight + margin) + 1;
    const last = end >= all.length ? all.length + 30 : end; // room for rows that are added at the end
    // A few rows more or less are not worth drawing anew.
    if (Math.abs(first - from) > 2 || Math.abs(last - to) > 2 || (first === 0) !== (from === 0)) setRange([first, last]);
  };
  useEffect(() => {
    let frame = 0;
    const onScroll = () => { frame ||= requestAnimationFrame(() => { frame = 0; look(); }); };
    addEventListener("scroll", onScroll, { passive: true });
    addEventListener("resize", onScroll);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", onScroll);
      removeEventListener("resize", onScroll);
    };
  }, []);
  useLayoutEffect(() => {
    look();
    measure();
  });
  const measure = () => {
    let other = false;
    for (const element of list.current.children) {
      const row = now.current.rows[Number(element.dataset.at)];
      const height = element.offsetHeight;
      if (!row || !height) continue;
      if (heights.current.get(row.key) === height) continue;
      other ||= Math.abs((heights.current.get(row.key) || (row.head ? guessHead : guessRow)) - height) > 0.5;
      heights.current.set(row.key, height);
    }
    if (other) setMeasured((count) => count + 1);
  };
  handle.current = { reveal(index) {
    const box = list.current.getBoundingClientRect();
    const top = box.top + tops[index];
    const bottom = box.top + tops[index + 1];
    const bar = 72;
    if (top < bar) scrollBy(0, top - bar - 40);
    else if (bottom > innerHeight - bar) scrollBy(0, bottom - innerHeight + bar + 40);
    look();
  } };
  const [from, to] = [Math.min(range[0], rows.length), Math.min(range[1], rows.length)];
  return html`<ul ref=${list} class="t-list" aria-label=${label} style=${{ paddingTop: `${tops[from] || 0}px`,
    paddingBottom: `${Math.max(0, tops[rows.length] - tops[to])}px` }}>
    ${rows.slice(from, to).map((row, offset) => draw(row, from + offset))}</ul>`;
}
