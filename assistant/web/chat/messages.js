/** What was said, drawn: words, accounts, transactions, charts, doors to our own pages. */

import { drawChart } from "./chart.js";
import { el, icon } from "./dom.js";

/**
 * One event of the conversation as an element; null for what is not shown. `page` is what a message may ask of the
 * page: words, rtl, time(at), press(choice, text), code(link, digits).
 */
export function drawMessage(said, page) {
  if (said.kind === "me") return mine(said, page);
  if (said.kind === "say" || said.kind === "person") return theirs(said, page);
  return null;
}

export function drawChoices(choices, page) {
  return el(
    "ul",
    { class: "choices", "aria-label": page.words.choices },
    ...choices.map((choice) => el("li", {}, chip(choice, page))),
  );
}

function chip(choice, page) {
  return el("button", { type: "button", class: "chip", onclick: () => page.press(choice) }, choice.title);
}

function mine(said, page) {
  return el(
    "article",
    { class: "message mine", "data-key": said.key },
    el(page.heading(1), { class: "unseen" }, page.words.you),
    el("div", { class: "bubble" }, el("p", { dir: "auto" }, said.text)),
    el("p", { class: "meta" }, said.at ? page.time(said.at) : page.words.sending),
  );
}

function theirs(said, page) {
  const who = said.kind === "person" ? page.words.person : page.words.assistant;
  return el(
    "article",
    { class: `message theirs ${said.kind}` },
    el(page.heading(1), { class: said.kind === "person" ? "who" : "unseen" }, who),
    said.text && el("div", { class: "bubble" }, el("p", { dir: "auto" }, said.text)),
    said.chart && el("div", { class: "card" }, drawChart(said.chart, page.words, page.rtl, said.table && drawTable(said, page))),
    said.table && !said.chart && el("div", { class: "card" }, drawTable(said, page)),
    ...(said.links ?? []).map((link) => drawLink(link, page)),
    el("p", { class: "meta" }, page.time(said.at)),
  );
}

function drawTable(said, page) {
  const draw = { accounts, transactions }[said.table.look] ?? plainTable;
  return el("div", {}, draw(said.table), said.more && el("div", { class: "more" }, chip(said.more, page)));
}

function accounts(table) {
  const [, ...rest] = table.columns;
  return el(
    "ul",
    { class: "accounts" },
    ...table.rows.map(([account, ...cells]) =>
      el(
        "li",
        {},
        el("span", { class: "badge", "aria-hidden": "true" }, account.text.slice(0, 1)),
        el("span", { class: "name" }, account.text, account.mask && el("span", { class: "mask" }, ` ···· ${account.mask}`)),
        el("span", { class: "figures" }, ...cells.map((cell, index) => figure(cell, rest, index))),
      )),
  );
}

function figure(cell, columns, index) {
  const labelled = columns.length > 1 && columns[index].end;
  return el(
    "span",
    { class: `figure${columns[index].end ? " strong" : ""}`, dir: "auto" },
    labelled && el("span", { class: "label" }, columns[index].title, " "),
    cell.text,
  );
}

function transactions(table) {
  const days = new Map();
  for (const [day, ...cells] of table.rows) days.set(day.text, [...(days.get(day.text) ?? []), cells]);
  return el(
    "dl",
    { class: "days" },
    ...[...days].flatMap(([day, rows]) => [
      el("dt", {}, day),
      ...rows.map(([merchant, amount, ...more]) =>
        el(
          "dd",
          {},
          el("span", { class: "name" }, merchant.text, el("span", { class: "mask" }, more.map((cell) => cell.text).filter(Boolean).join(" · "))),
          el("span", { class: `figure strong${amount.sign > 0 ? " in" : ""}` }, amount.text),
        )),
    ]),
  );
}

function plainTable(table) {
  return el(
    "div",
    { class: "wide", tabindex: "0", role: "group", "aria-label": table.columns.map((column) => column.title).join(", ") },
    el(
      "table",
      {},
      el("thead", {}, el("tr", {}, ...table.columns.map((column) => el("th", { scope: "col", class: column.end && "end" }, column.title)))),
      el("tbody", {}, ...table.rows.map((row) =>
        el("tr", {}, ...row.map((cell, index) => el("td", { class: table.columns[index].end && "end" }, cell.text))))),
    ),
  );
}

export function drawLink(link, page) {
  return link.kind === "enter" ? codeField(link, page) : door(link, page);
}

/** A page of ours, or the bank behind it, in a tab of its own: the conversation stays where it is. */
function door(link, page) {
  return el(
    "a",
    { class: "door", href: link.url, target: "_blank", rel: "noopener" },
    icon(link.kind === "export" ? "file" : "bank"),
    el("span", {}, link.title, el("span", { class: "unseen" }, ` (${page.words.new_tab})`)),
  );
}

/** The code goes to its own address, and is never part of a message. */
function codeField(link, page) {
  const id = `code-${link.url.slice(-8)}`;
  const input = el("input", {
    id, type: "password", inputmode: "numeric", maxlength: "24", autocomplete: "off", required: true, "aria-describedby": `${id}-problem`,
  });
  const problem = el("p", { id: `${id}-problem`, class: "problem", role: "alert" });
  const button = el("button", { type: "submit", class: "primary" }, page.words.code_send);
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    const { passed, text, over } = await page.code(link, input.value);
    input.value = "";
    problem.textContent = passed ? "" : text;
    button.disabled = passed || over;
    input.disabled = passed || over;
    if (passed) form.classList.add("done");
    else if (!over) input.focus();
  };
  const form = el(
    "form",
    { class: "card code", onsubmit: submit },
    el("label", { for: id }, icon("lock"), page.words.code_label),
    el("div", { class: "row" }, input, button),
    problem,
  );
  return form;
}
