/** What is held and what was agreed to, with a switch for each; taking it away and being forgotten. */

import { el, icon } from "./dom.js";
import { drawLink } from "./messages.js";

/** `page`: words, call(path, body), code(link, digits), language, back(), erased(text). */
export async function drawPrivacy(page) {
  const box = el("div", { class: "privacy" });
  const draw = (data) => {
    box.replaceChildren(...parts(data, page, draw));
  };
  draw(await page.call("privacy/data"));
  return box;
}

function parts(data, page, draw) {
  const w = page.words;
  const notice = el("p", { class: "notice", role: "status" }, data.text ?? "");
  const tell = (text) => {
    notice.textContent = text;
  };
  const change = async (path, body) => {
    try {
      draw(await page.call(`privacy/${path}`, body));
    } catch (problem) {
      tell(problem.what?.text || w.not_taken);
      draw({ ...(await page.call("privacy/data")), text: notice.textContent });
    }
  };
  return [
    el("button", { type: "button", class: "back", onclick: page.back }, w.back),
    el(page.heading(1), { class: "big" }, w.privacy),
    el("p", { class: "small" }, w.privacy_promise),
    notice,
    section(page, w.held, el("ul", { class: "plain" }, ...data.held.map((line) => el("li", {}, line)))),
    section(page, w.banks, ...(data.banks.length ? data.banks.map((bank) => drawBank(bank, page, change)) : [el("p", {}, w.no_bank)])),
    data.known && section(page, w.take, el("p", {}, w.take_text), stepped("export", w.export, "primary", page, tell)),
    data.known && section(page, w.forget, el("p", {}, w.forget_text), stepped("erase", w.erase, "danger", page, tell, w.erase_sure)),
    section(page, w.ledger, el("p", {}, w.ledger_text), drawLedger(data.ledger, page)),
  ].filter(Boolean);
}

function section(page, title, ...content) {
  return el("section", { class: "card" }, el(page.heading(2), {}, title), ...content);
}

function drawBank(bank, page, change) {
  const switches = bank.switches.map((one, index) => {
    const id = `switch-${bank.id}-${index}`;
    const input = el("input", {
      type: "checkbox", role: "switch", id, "aria-describedby": `${id}-text`,
      onchange: () => change("switch", { bank: bank.id, purpose: one.purpose, on: input.checked }),
    });
    input.checked = one.on;
    return el("li", {}, el("label", { for: id }, one.title, el("small", { id: `${id}-text` }, one.text)), input);
  });
  return el(
    "div",
    { class: "bank" },
    el(page.heading(3), {}, icon("bank"), bank.name),
    el("ul", { class: "switches" }, ...switches),
    el("button", { type: "button", class: "chip", onclick: () => change("disconnect", { bank: bank.id }) }, page.words.disconnect),
  );
}

/** A button that may ask for the code first, and for a second yes where nothing can be taken back. */
function stepped(path, title, className, page, tell, sure) {
  const place = el("div", { class: "step" });
  const act = async () => {
    try {
      const done = await page.call(`privacy/${path}`, {});
      if (done.erased) return page.erased(done.text);
      if (done.text) tell(done.text);
      if (done.link) place.replaceChildren(drawLink(done.link, { ...page, code: give }));
      else reset();
    } catch (problem) {
      tell(problem.what?.text || page.words.not_taken);
    }
    return undefined;
  };
  const give = async (link, digits) => {
    const answer = await page.code(link, digits);
    if (answer.passed) {
      tell(page.words.after_code);
      place.replaceChildren(el("button", { type: "button", class: className, onclick: act }, sure ?? title));
      place.firstChild.focus();
    }
    return answer;
  };
  const confirm = () => place.replaceChildren(el("button", { type: "button", class: className, onclick: act }, sure));
  const reset = () => place.replaceChildren(el("button", { type: "button", class: className, onclick: sure ? confirm : act }, title));
  reset();
  return place;
}

function drawLedger(ledger, page) {
  if (!ledger.length) return el("p", {}, page.words.ledger_none);
  const form = new Intl.DateTimeFormat(page.language, { dateStyle: "medium", timeStyle: "short", timeZone: page.timeZone });
  return el("ol", { class: "ledger" }, ...ledger.map((entry) =>
    el("li", {}, el("time", { datetime: entry.at }, form.format(new Date(entry.at))), el("span", {}, entry.text))));
}
