/** Amounts as bars or columns. The drawing is one picture to a screen reader; the figures are in the table behind it. */

import { el, svg } from "./dom.js";

const ROW = 46;
const TALL = 168;
const FOOT = 22;
const HEAD = 20;
/** Characters of a label that fit beside an amount on a small phone. */
const LABEL = 24;
/** With more columns than this, only the highest says its amount. */
const SAID = 4;

/** `behind`: the table to show on request, where the answer has one of its own. */
export function drawChart(chart, words, rtl, behind) {
  const draw = chart.shape === "columns" ? columns : bars;
  return el(
    "figure",
    { class: "chart" },
    el("figcaption", {}, chart.title),
    draw(chart, rtl),
    el("details", {}, el("summary", {}, words.as_table), behind ?? table(chart, words)),
  );
}

function picture(chart, height, className, ...children) {
  return svg(
    "svg",
    { class: className, width: "100%", height, role: "img", "aria-label": chart.title, focusable: "false" },
    ...children,
  );
}

function bars(chart, rtl) {
  const far = rtl ? "0%" : "100%";
  const near = rtl ? "100%" : "0%";
  const drawn = chart.bars.flatMap((bar, index) => {
    const top = index * ROW;
    const wide = Math.max(bar.share * 100, bar.share ? 1 : 0);
    return [
      svg("text", { x: near, y: top + 16, class: "bar-label" }, cut(bar.label)),
      svg("text", { x: far, y: top + 16, class: "bar-amount", "text-anchor": "end" }, bar.amount),
      svg("rect", { x: 0, y: top + 24, width: "100%", height: 10, rx: 5, class: "track" }),
      svg("rect", {
        x: rtl ? `${100 - wide}%` : 0, y: top + 24, width: `${wide}%`, height: 10, rx: 5, class: `bar bar-${index % 6}`,
      }),
    ];
  });
  return picture(chart, chart.bars.length * ROW - 6, "bars", ...drawn);
}

function columns(chart, rtl) {
  const step = 100 / chart.bars.length;
  const room = TALL - FOOT - HEAD;
  const highest = chart.bars.reduce((best, bar, index) => (bar.share > chart.bars[best].share ? index : best), 0);
  const drawn = chart.bars.flatMap((bar, index) => {
    const place = rtl ? chart.bars.length - 1 - index : index;
    const tall = Math.max(bar.share * room, bar.share ? 2 : 0);
    const middle = `${(place + 0.5) * step}%`;
    const said = chart.bars.length <= SAID || index === highest;
    return [
      svg("rect", {
        x: `${(place + 0.2) * step}%`, y: TALL - FOOT - tall, width: `${step * 0.6}%`, height: tall, rx: 4,
        class: `column${index === highest ? " highest" : ""}`,
      }),
      said && svg("text", { x: middle, y: TALL - FOOT - tall - 6, class: "bar-amount", "text-anchor": "middle" }, bar.amount),
      svg("text", { x: middle, y: TALL - 5, class: "bar-label", "text-anchor": "middle" }, bar.short || cut(bar.label)),
    ].filter(Boolean);
  });
  const ground = svg("line", { x1: "0%", x2: "100%", y1: TALL - FOOT, y2: TALL - FOOT, class: "ground" });
  return picture(chart, TALL, "columns", ...drawn, ground);
}

function table(chart, words) {
  return el(
    "table",
    {},
    el("caption", { class: "unseen" }, chart.title),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, words.what), el("th", { scope: "col", class: "end" }, words.amount))),
    el("tbody", {}, ...chart.bars.map((bar) =>
      el("tr", {}, el("th", { scope: "row" }, bar.label), el("td", { class: "end" }, bar.amount)))),
  );
}

function cut(label) {
  return label.length > LABEL ? `${label.slice(0, LABEL - 1).trimEnd()}…` : label;
}
