// Charts: a frame with table, CSV and PNG for any of them, and lines and bars over time by uPlot, which is loaded here
// and nowhere else.
import { html, useEffect, useRef, useState } from "/lib/preact.js";
import { DataTable, download, toCsv, useId } from "./parts.js";

/**
 * A chart with its title, a table of its numbers, and both as files. `columns` and `rows` are those of DataTable; a
 * column's `csv(row)` (else `cell`) is its value in the CSV. `png()` returns a Promise of a Blob.
 */
export function ChartFigure({ title, note, columns, rows, rowKey, file, png, children }) {
  const [asTable, setAsTable] = useState(false);
  const id = useId();
  const saveCsv = () => download(`${file}.csv`, toCsv(columns.map((column) => column.title),
    rows.map((row) => columns.map((column) => (column.csv || column.cell)(row)))), "text/csv");
  const savePng = async () => download(`${file}.png`, await png());
  return html`<section class="v-card v-figure" aria-labelledby=${id}>
    <header class="v-figure-head">
      <h2 id=${id}>${title}</h2>
      <div class="v-figure-tools">
        <button type="button" class="button small" aria-pressed=${asTable ? "true" : "false"}
                onClick=${() => setAsTable(!asTable)}>Table<span class="visually-hidden"> of ${title}</span></button>
        <button type="button" class="button small"
          onClick=${saveCsv}>CSV<span class="visually-hidden"> of ${title}</span></button>
        ${png && html`<button type="button" class="button small" disabled=${asTable} onClick=${savePng}
          >PNG<span class="visually-hidden"> of ${title}</span></button>`}
      </div>
    </header>
    ${note && html`<p class="v-hint">${note}</p>`}
    ${asTable ? html`<${DataTable} caption=${title} columns=${columns} rows=${rows} rowKey=${rowKey} />` : children}
  </section>`;
}

let library;

/** uPlot and its style sheet, fetched on first use. */
function loadLibrary() {
  library ||= new Promise((resolve, reject) => {
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = "/lib/uplot.css";
    sheet.onload = () => import("/lib/uplot.js").then((module) => resolve(module.default), reject);
    sheet.onerror = () => reject(new Error("the chart library could not be loaded"));
    document.head.append(sheet);
  });
  library.catch(() => { library = undefined; });
  return library;
}

/** The colours that classes have in the present theme: `inkOf(element, ["v-ink-1"])`. */
export function inkOf(element, names) {
  const probe = document.createElement("span");
  probe.hidden = true;
  element.append(probe);
  const inks = names.map((name) => {
    probe.className = name;
    return getComputedStyle(probe).color;
  });
  probe.remove();
  return inks;
}

/** Calls `run` when the colours of the page may have changed. Returns the end. */
export function onThemeChange(run) {
  const media = matchMedia("(prefers-color-scheme: dark)");
  const observer = new MutationObserver(run);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "class"] });
  media.addEventListener("change", run);
  return () => {
    observer.disconnect();
    media.removeEventListener("change", run);
  };
}

const translucent = (ink, alpha) => ink.replace(/^rgba?\(([^,]+),([^,]+),([^,)]+).*\)$/, `rgba($1,$2,$3,${alpha})`);
const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;

/** Ticks at points of the data, as many as have room. */
function ticksAtPoints(x, width) {
  const step = Math.max(1, Math.ceil((x.length * 5.4 * rem()) / Math.max(1, width)));
  return x.filter((_, index) => (x.length - 1 - index) % step === 0);
}

function seriesOptions(uPlot, series, index, inks) {
  const stroke = inks[index];
  const bars = series.filter((each) => each.kind === "bars");
  const place = bars.indexOf(series[index]);
  const base = { label: series[index].label, stroke, width: 2, points: { show: false },
    value: (_, value) => (value === null || value === undefined ? "" : String(value)) };
  if (place < 0) return { ...base, fill: translucent(stroke, 0.14), paths: uPlot.paths.linear() };
  const align = bars.length === 1 ? 0 : place === 0 ? -1 : 1;
  return { ...base, width: 0, fill: stroke,
    paths: uPlot.paths.bars({ size: [0.8 / bars.length, 28], align, gap: 1, radius: 0.2 }) };
}

function chartOptions(uPlot, element, { x, series, tick, full }) {
  const inks = inkOf(element, series.map((each) => each.ink));
  const [text, line] = inkOf(element, ["v-ink-text", "v-ink-line"]);
  const font = `${0.75 * rem()}px system-ui, sans-serif`;
  const half = x.length > 1 ? (x[1] - x[0]) / 2 : 43200;
  const axis = { stroke: text, font, ticks: { show: false } };
  return {
    width: Math.max(200, element.clientWidth),
    height: Math.max(11.5 * rem(), Math.min(300, element.clientWidth * 0.5)),
    legend: { live: true },
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    scales: {
      x: { time: false, range: () => [x[0] - half, x[x.length - 1] + half] },
      y: { range: (_, __, most) => [0, Math.max(4, Math.ceil(most * 1.08))] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 2.1 * rem(), splits: (chart) => ticksAtPoints(x, chart.width),
        values: (_, splits) => splits.map(tick) },
      { ...axis, grid: { stroke: line, width: 1 }, size: 2.8 * rem(), space: 2.2 * rem(),
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000, 100000] },
    ],
    series: [{ label: "", value: (_, value) => (value === null || value === undefined ? "" : full(value)) },
      ...series.map((_, index) => seriesOptions(uPlot, series, index, inks))],
  };
}

/**
 * Lines and bars over time. `x`: seconds since 1970, ascending; `series`: `{label, values, ink (a class), kind: "bars" or
 * "line"}`, at most two of them bars; `tick(x)` and `full(x)`: a point's time, short and whole. `handle.current.png()`
 * makes a picture.
 */
export function TimeChart({ title, summary, x, series, tick, full, handle }) {
  const box = useRef(null);
  const chart = useRef(null);
  const [failed, setFailed] = useState(false);
  const signature = JSON.stringify([x, series]);
  useEffect(() => {
    let ended = false;
    let observer;
    const build = (uPlot) => {
      if (ended || !box.current) return;
      chart.current?.destroy();
      const options = chartOptions(uPlot, box.current, { x, series, tick, full });
      chart.current = new uPlot(options, [x, ...series.map((each) => each.values)], box.current);
    };
    let endTheme;
    loadLibrary().then((uPlot) => {
      if (ended) return;
      build(uPlot);
      endTheme = onThemeChange(() => build(uPlot));
      let width = box.current.clientWidth;
      observer = new ResizeObserver(() => {
        if (!box.current || Math.abs(box.current.clientWidth - width) < 2) return;
        width = box.current.clientWidth;
        build(uPlot);
      });
      observer.observe(box.current);
    }).catch(() => !ended && setFailed(true));
    return () => {
      ended = true;
      endTheme?.();
      observer?.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, [signature, tick, full]);
  if (handle) handle.current = { png: () => picture(title, chart.current, series, box.current) };
  if (failed) return html`<p class="v-hint">The chart could not be drawn. Its numbers are in the table.</p>`;
  return html`<div class="v-chart" ref=${box} role="img" aria-label=${summary}></div>`;
}

/** The chart with title and legend as a PNG. */
function picture(title, chart, series, element) {
  const source = chart.ctx.canvas;
  const scale = source.width / Math.max(1, chart.width);
  const head = 64 * scale;
  const { canvas, pen } = sheet(source.width, source.height + head, element, title, scale);
  const inks = inkOf(element, series.map((each) => each.ink));
  const [text] = inkOf(element, ["v-ink-text"]);
  let left = 12 * scale;
  pen.font = `${12 * scale}px system-ui, sans-serif`;
  series.forEach((each, index) => {
    pen.fillStyle = inks[index];
    pen.fillRect(left, 40 * scale, 12 * scale, 12 * scale);
    pen.fillStyle = text;
    pen.fillText(each.label, left + 18 * scale, 51 * scale);
    left += 34 * scale + pen.measureText(each.label).width;
  });
  pen.drawImage(source, 0, head);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** An empty picture in the page's colours, with a title: `{canvas, pen}`. */
export function sheet(width, height, element, title, scale) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d");
  const [paper, ink] = inkOf(element, ["v-ink-paper", "v-ink-strong"]);
  pen.fillStyle = paper;
  pen.fillRect(0, 0, width, height);
  pen.fillStyle = ink;
  pen.font = `600 ${16 * scale}px system-ui, sans-serif`;
  pen.fillText(title, 12 * scale, 26 * scale);
  return { canvas, pen };
}

/** Shares as bars, each with its number: `rows`: `{key, label, value, note?}`. */
export function BarList({ rows, label }) {
  const most = Math.max(1, ...rows.map((row) => row.value));
  return html`<ul class="v-bars" aria-label=${label}>
    ${rows.map((row) => html`<li key=${row.key}>
      <span class="v-bar-label"><bdi>${row.label}</bdi></span>
      <span class="v-bar" aria-hidden="true">
        <i class=${row.ink || "v-ink-1"} style=${{ width: `${(100 * row.value) / most}%` }}></i></span>
      <span class="v-bar-value">${row.value}${row.note && html`<small> ${row.note}</small>`}</span>
    </li>`)}
  </ul>`;
}

/** The bars of a BarList with a title, as a PNG. */
export function barsPicture(title, rows) {
  const scale = Math.max(1, devicePixelRatio || 1);
  const element = document.getElementById("main");
  const line = 30;
  const [width, head, label, number] = [760, 48, 190, 150];
  const { canvas, pen } = sheet(width * scale, (head + rows.length * line + 12) * scale, element, title, scale);
  const [text, ...inks] = inkOf(element, ["v-ink-text", ...rows.map((row) => row.ink || "v-ink-1")]);
  const most = Math.max(1, ...rows.map((row) => row.value));
  const room = width - label - number - 24;
  pen.scale(scale, scale);
  pen.font = "13px system-ui, sans-serif";
  rows.forEach((row, index) => {
    const y = head + index * line;
    pen.fillStyle = text;
    pen.fillText(fitted(pen, row.label, label - 14), 12, y + 18);
    pen.fillText(`${row.value}${row.note ? ` ${row.note}` : ""}`, label + room + 12, y + 18);
    pen.fillStyle = inks[index];
    pen.fillRect(label, y + 7, Math.max(1, (room * row.value) / most), 14);
  });
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** As much of `text` as has room. */
function fitted(pen, text, width) {
  const letters = [...text];
  while (letters.length > 1 && pen.measureText(`${letters.join("")}…`).width > width) letters.pop();
  return letters.length < [...text].length ? `${letters.join("")}…` : text;
}
