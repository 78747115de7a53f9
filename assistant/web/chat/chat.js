/**
 * <tellerline-chat>: the whole chat in one element.
 *
 * Attributes: `mode` "page" fills what it is put in, anything else is a button that opens a panel; `theme` "light" or
 * "dark", else as the device; `server` the address of the chat, else where this file came from. Property `ticket`: a
 * short-lived token of the bank's own log-in. Event "tellerline-sign-in": the bank's page should sign her in.
 */

import { Connection, Refused } from "./connection.js";
import { el, icon } from "./dom.js";
import { drawChoices, drawMessage } from "./messages.js";
import { Voice } from "./voice.js";

const HERE = import.meta.url;
/** How near its end the log counts as read, in pixels. */
const NEAR = 80;
/** After this a wait is said in words, in milliseconds. */
const LONG_WAIT = 8000;

class TellerlineChat extends HTMLElement {
  #shadow = this.attachShadow({ mode: "open" });
  #connection = null;
  #words = {};
  #start = {};
  #parts = {};
  #pending = new Map();
  #waiting = 0;
  #voice = null;
  #lastDay = "";
  #offers = null;
  ticket = "";

  connectedCallback() {
    if (this.#parts.panel) return;
    this.#connection = new Connection(new URL(this.getAttribute("server") ?? "./", HERE));
    this.#connection.addEventListener("said", ({ detail }) => this.#said(detail));
    this.#connection.addEventListener("line", ({ detail }) => this.#line(detail));
    this.#connection.addEventListener("ended", ({ detail }) => this.#ended(detail));
    const sheet = el("link", { rel: "stylesheet", href: new URL("chat.css", HERE) });
    const frame = el("div", { class: "frame", hidden: true });
    sheet.addEventListener("load", () => frame.removeAttribute("hidden"));
    this.#shadow.append(sheet, frame);
    this.#parts.frame = frame;
    this.#begin({});
  }

  disconnectedCallback() {
    this.#connection.leave();
    this.#voice?.stop();
  }

  get isPage() {
    return this.getAttribute("mode") === "page";
  }

  /** The name of a heading: as a page of its own the chat begins at the top, on a bank's page below its title. */
  #heading(deeper) {
    return `h${(this.isPage ? 1 : 2) + deeper}`;
  }

  /** `asked`: how she wants to come in, when she was asked at the door. */
  async #begin(asked) {
    try {
      this.#start = await this.#connection.begin({ ticket: this.ticket, bearer: this.hasAttribute("bearer"), ...asked });
    } catch (problem) {
      // Without an answer there are no words to say so in: the browser's own language has to do.
      this.#parts.frame.replaceChildren(el("button", { class: "launch", type: "button", "aria-label": "Retry", onclick: () => this.#begin(asked) }, icon("alert")));
      if (!(problem instanceof Refused)) throw problem;
      return;
    }
    this.#words = this.#start.words;
    this.lang = this.#start.language;
    this.dir = this.#start.direction;
    this.#build();
    if (this.#start.door) this.#atTheDoor();
    else this.#enter();
  }

  // The frame

  #build() {
    const w = this.#words;
    const log = el("div", { class: "log", role: "log", "aria-label": w.log, tabindex: "0", onscroll: () => this.#scrolled() });
    const input = el("textarea", {
      id: "say", rows: "1", maxlength: String(this.#start.longest ?? 1000), placeholder: w.placeholder, enterkeyhint: "send", autocomplete: "off",
      oninput: () => this.#grow(), onkeydown: (event) => this.#key(event),
    });
    const latest = el("button", { type: "button", class: "latest", hidden: true, onclick: () => this.#toEnd() }, icon("down"), w.latest);
    const state = el("p", { class: "state", role: "status" });
    const composer = el(
      "form",
      { class: "composer", onsubmit: (event) => this.#submit(event) },
      el("label", { for: "say", class: "unseen" }, w.placeholder),
      input,
      el("button", { type: "submit", class: "round send", "aria-label": w.send }, icon("send")),
    );
    const menu = el("div", { class: "menu-list", hidden: true });
    const opener = el("button", { type: "button", class: "round quiet", "aria-label": w.menu, "aria-expanded": "false", onclick: () => this.#menu(menu.hidden) }, icon("menu"));
    const close = el("button", { type: "button", class: "round quiet close", "aria-label": w.close, onclick: () => this.open(false) }, icon("close"));
    const panel = el(
      "section",
      { class: "panel", id: "panel", "aria-labelledby": "title", onkeydown: (event) => this.#escape(event) },
      el(
        "header",
        {},
        el("slot", { name: "logo" }, el("span", { class: "mark", "aria-hidden": "true" }, icon("chat"))),
        el("div", { class: "names" }, el(this.#heading(0), { id: "title", class: "title" }, this.getAttribute("name") ?? w.title), state),
        opener,
        !this.isPage && close,
        menu,
      ),
      log,
      latest,
      composer,
    );
    const launch = el("button", {
      type: "button", class: "launch", "aria-label": w.open, "aria-expanded": "false", "aria-controls": "panel", onclick: () => this.open(true),
    }, icon("chat"));
    this.#parts = { frame: this.#parts.frame, panel, log, input, latest, state, composer, menu, opener, launch };
    this.#parts.frame.replaceChildren(...(this.isPage ? [panel] : [launch, panel]));
    panel.hidden = !this.isPage && !this.hasAttribute("open");
    this.#parts.launch.hidden = !panel.hidden;
  }

  /** Opens or closes the panel. */
  open(wanted) {
    const { panel, launch, input } = this.#parts;
    panel.hidden = !wanted;
    launch.hidden = wanted;
    launch.setAttribute("aria-expanded", String(wanted));
    this.toggleAttribute("open", wanted);
    if (wanted) this.#toEnd();
    (wanted ? input : launch).focus();
  }

  #menu(show) {
    const { menu, opener } = this.#parts;
    menu.hidden = !show;
    opener.setAttribute("aria-expanded", String(show));
    if (!show) return;
    const w = this.#words;
    const entry = (name, text, act) => el("button", { type: "button", onclick: () => { this.#menu(false); act(); } }, icon(name), text);
    menu.replaceChildren(
      entry("shield", w.privacy, () => this.#showPrivacy()),
      entry("person", w.talk_to_person, () => this.#send(w.talk_to_person)),
      entry("out", w.sign_out, () => this.#signOut()),
    );
    menu.firstChild.focus();
    const away = (event) => {
      if (event.composedPath().includes(menu) || event.composedPath().includes(opener)) return;
      this.#shadow.removeEventListener("pointerdown", away);
      this.#menu(false);
    };
    this.#shadow.addEventListener("pointerdown", away);
  }

  #escape(event) {
    if (event.key !== "Escape") return;
    if (this.#voice?.busy) this.#voice.stop();
    else if (!this.#parts.menu.hidden) {
      this.#menu(false);
      this.#parts.opener.focus();
    } else if (!this.isPage) this.open(false);
  }

  // At the door

  #atTheDoor() {
    const { door } = this.#start;
    const w = this.#words;
    this.#parts.composer.hidden = true;
    this.#parts.opener.hidden = true;
    if (!door.ways.length) this.dispatchEvent(new CustomEvent("tellerline-sign-in", { bubbles: true, composed: true }));
    this.#parts.log.replaceChildren(
      el(
        "div",
        { class: "hero" },
        el("span", { class: "seal", "aria-hidden": "true" }, icon("lock")),
        el(this.#heading(1), { class: "big" }, door.title),
        el("p", {}, door.text),
        el("ul", { class: "ways" }, ...door.ways.map((way) =>
          el("li", {}, el("button", { type: "button", class: "way", onclick: () => this.#begin({ way: way.id }).then(() => this.#parts.input.focus()) },
            el("span", { class: "badge", "aria-hidden": "true" }, way.title.slice(0, 1)),
            el("span", {}, el("strong", {}, way.title), el("small", {}, way.text)))))),
        el("p", { class: "small" }, w.door_promise),
      ),
    );
  }

  #enter() {
    const { log } = this.#parts;
    log.setAttribute("aria-busy", "true");
    log.setAttribute("aria-live", "off");
    this.#lastDay = "";
    this.#welcome();
    for (const said of this.#start.history ?? []) this.#show(said, true);
    this.#toEnd();
    this.#connection.listen();
    this.#addVoice();
    if (this.getAttribute("view") === "privacy") this.#showPrivacy();
    requestAnimationFrame(() => {
      log.removeAttribute("aria-busy");
      log.removeAttribute("aria-live");
    });
  }

  #welcome() {
    const w = this.#words;
    const { welcome } = this.#start;
    this.#parts.log.replaceChildren(
      el("div", { class: "hero" }, el(this.#heading(1), { class: "big" }, welcome.title), el("p", {}, welcome.text), drawChoices(welcome.choices, this.#page()), el("p", { class: "small" }, w.promise)),
    );
  }

  async #showPrivacy() {
    const { log, composer, latest } = this.#parts;
    const { drawPrivacy } = await import("./privacy.js");
    const back = () => {
      this.#parts.view?.remove();
      this.#parts.view = null;
      log.hidden = composer.hidden = false;
      this.#toEnd();
      this.#parts.opener.focus();
    };
    const erased = (text) => {
      back();
      this.#connection.leave();
      this.#ended("left", text);
    };
    try {
      const drawn = await drawPrivacy({ ...this.#page(), code: (link, digits) => this.#code(link, digits, true), language: this.#start.language, timeZone: this.#start.time_zone, call: (...all) => this.#connection.call(...all), back, erased });
      this.#parts.view?.remove();
      this.#parts.view = el("div", { class: "view", tabindex: "0", role: "region", "aria-label": this.#words.privacy }, drawn);
      log.hidden = composer.hidden = latest.hidden = true;
      log.before(this.#parts.view);
      drawn.querySelector(".back").focus();
    } catch (problem) {
      if (!(problem instanceof Refused)) throw problem;
      this.#announce(this.#words.not_taken);
    }
  }

  #ended(why, text) {
    this.#parts.view?.remove();
    this.#parts.log.hidden = false;
    this.#voice?.stop();
    this.#pending.clear();
    this.#wait(false);
    this.ticket = "";
    const { log, composer, opener } = this.#parts;
    composer.hidden = true;
    opener.hidden = true;
    const w = this.#words;
    log.replaceChildren(
      el("div", { class: "hero" },
        el("span", { class: "seal", "aria-hidden": "true" }, icon("lock")),
        el(this.#heading(1), { class: "big" }, w.ended),
        el("p", {}, text ?? w[`ended_${why}`] ?? w.ended_left),
        el("button", { type: "button", class: "primary", onclick: () => this.#begin({}) }, w.begin_again)));
  }

  async #signOut() {
    await this.#connection.call("sign-out", {}).catch(() => {});
    this.#connection.leave();
    this.#ended("left");
  }

  // Saying

  #page() {
    return {
      words: this.#words,
      heading: (deeper) => this.#heading(deeper),
      rtl: this.#start.direction === "rtl",
      time: (at) => new Intl.DateTimeFormat(this.#start.language, { timeStyle: "short", timeZone: this.#start.time_zone }).format(new Date(at)),
      press: (choice) => this.#send(choice.title, choice.press),
      code: (link, digits) => this.#code(link, digits),
    };
  }

  #submit(event) {
    event.preventDefault();
    const { input } = this.#parts;
    const text = input.value.trim();
    if (!text) return;
    input.value = "";
    this.#grow();
    this.#send(text);
    input.focus();
  }

  #key(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.#submit(event);
  }

  #grow() {
    const { input } = this.#parts;
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight, 140)}px`;
  }

  /** Shown at once, sent, and shown as sent when the server says it back. `press` goes instead of the words. */
  async #send(text, press, spoken = false) {
    const key = crypto.randomUUID();
    const bubble = drawMessage({ kind: "me", key, text }, this.#page());
    this.#offers?.remove();
    this.#append(bubble);
    this.#pending.set(key, bubble);
    this.#toEnd();
    await this.#post({ key, ...(press ? { press } : { text }), ...(spoken && { spoken }) }, bubble);
  }

  async #post(body, bubble) {
    const meta = bubble.querySelector(".meta");
    bubble.classList.remove("failed");
    meta.textContent = this.#words.sending;
    this.#wait(true);
    try {
      await this.#connection.call("message", body);
      if (bubble.isConnected && !bubble.dataset.id) meta.textContent = "";
    } catch (problem) {
      if (!(problem instanceof Refused) || problem.status === 401) return;
      this.#wait(false);
      bubble.classList.add("failed");
      const why = problem.status === 429 ? this.#words.too_fast : problem.status ? this.#words.not_taken : this.#words.not_sent;
      meta.replaceChildren(icon("alert"), why, " ");
      // The same key: if it did arrive after all, it counts once.
      meta.append(el("button", { type: "button", class: "retry", onclick: () => this.#post(body, bubble) }, this.#words.retry));
      this.#announce(why);
    }
  }

  /** `quiet`: asked for outside of the conversation, which therefore has nothing to go on with. */
  async #code(link, digits, quiet = false) {
    try {
      return await this.#connection.call("code", { link: link.token, code: digits, quiet });
    } catch (problem) {
      return { passed: false, text: problem.what?.text ?? this.#words.not_sent, over: problem.status === 410 };
    }
  }

  // Hearing

  #said(said) {
    const bubble = said.kind === "me" && this.#pending.get(said.key);
    if (bubble) {
      this.#pending.delete(said.key);
      bubble.dataset.id = said.id;
      bubble.querySelector(".meta").textContent = this.#page().time(said.at);
      return;
    }
    const stays = this.#isAtEnd();
    if (said.kind === "me") this.#wait(true);
    else this.#wait(false);
    this.#show(said, false);
    if (stays) this.#toEnd();
    else this.#parts.latest.hidden = false;
    this.#voice?.heard(said);
  }

  #show(said, old) {
    const drawn = drawMessage(said, this.#page());
    if (!drawn) return;
    if (old) drawn.classList.add("old");
    drawn.dataset.id = said.id;
    this.#day(said.at);
    this.#append(drawn);
    this.#offers?.remove();
    this.#offers = said.choices?.length ? drawChoices(said.choices, this.#page()) : null;
    if (this.#offers) this.#append(this.#offers);
  }

  /** At the end of the newest day. Each day is a section, so that its date sticks for as long as the day is in view. */
  #append(node) {
    const { log } = this.#parts;
    const day = log.querySelector(".today") ?? log.insertBefore(el("div", { class: "today" }), log.querySelector(".typing"));
    day.append(node);
  }

  #day(at) {
    const day = new Date(at).toLocaleDateString("en-CA", { timeZone: this.#start.time_zone });
    if (day === this.#lastDay) return;
    this.#lastDay = day;
    this.#parts.log.querySelector(".today")?.classList.remove("today");
    this.#append(el("p", { class: "day" }, el("span", {}, this.#dayName(at, day))));
  }

  #dayName(at, day) {
    const language = this.#start.language;
    const today = this.#start.today;
    const days = Math.round((Date.parse(day) - Date.parse(today)) / 86_400_000);
    if (days === 0 || days === -1) {
      const said = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(days, "day");
      return said.charAt(0).toLocaleUpperCase(language) + said.slice(1);
    }
    return new Intl.DateTimeFormat(language, { dateStyle: "full", timeZone: this.#start.time_zone }).format(new Date(at));
  }

  #wait(on) {
    clearTimeout(this.#waiting);
    this.#parts.log.querySelector(".typing")?.remove();
    if (!on) return;
    const dots = el("p", { class: "typing" }, el("span", { "aria-hidden": "true" }, el("i"), el("i"), el("i")), el("span", { class: "unseen" }, this.#words.typing));
    this.#parts.log.append(dots);
    this.#waiting = setTimeout(() => dots.append(el("span", { class: "long" }, this.#words.long_wait)), LONG_WAIT);
    this.#toEnd();
  }

  #line(up) {
    this.#parts.state.textContent = up ? "" : navigator.onLine ? this.#words.reconnecting : this.#words.offline;
    this.#parts.panel.classList.toggle("offline", !up);
  }

  #announce(text) {
    this.#parts.state.textContent = text;
  }

  #isAtEnd() {
    const { log } = this.#parts;
    return log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
  }

  #scrolled() {
    if (this.#isAtEnd()) this.#parts.latest.hidden = true;
  }

  #toEnd() {
    const { log, latest } = this.#parts;
    latest.hidden = true;
    log.scrollTop = log.scrollHeight;
  }

  // Voice

  #addVoice() {
    if (!this.#start.voice || this.#voice) return;
    this.#voice = new Voice({
      words: this.#words,
      call: (...all) => this.#connection.call(...all),
      heard: (text) => this.#send(text, undefined, true),
      problem: (text) => this.#announce(text),
      base: HERE,
    });
    this.#parts.composer.insertBefore(this.#voice.button, this.#parts.composer.lastChild);
  }
}

customElements.define("tellerline-chat", TellerlineChat);
