/** The way to the server: one session, messages by POST, answers by a stream that goes on where it was cut off. */

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
/** The server says something at least every 20 seconds; a line this long silent is dead. */
const SILENCE = 45_000;
/** A tab nobody looks at lets its stream go after this, and takes it up again when it is looked at. */
const HIDDEN = 30_000;

/** The server's no. `status` is the HTTP status, 0 when it could not be reached; `what` its body. */
export class Refused extends Error {
  constructor(status, what = {}) {
    super(`refused: ${status}`);
    this.status = status;
    this.what = what;
  }
}

/**
 * Events: "said" (detail: one event of the conversation, each once and in order), "line" (detail: whether the stream
 * is up), "ended" (detail: why the session is over).
 */
export class Connection extends EventTarget {
  #base;
  #bearer = "";
  #last = 0;
  #stream = null;
  #wait = FIRST_WAIT;
  #timer = 0;
  #hiding = 0;
  #wanted = false;

  constructor(base) {
    super();
    this.#base = base;
    this.online = () => this.#wanted && !this.#stream && this.#again(0);
    this.visible = () => this.#watch();
  }

  /** What is there so far: see assistant/channels/web_desk.py. */
  async begin(asked) {
    const start = await this.call("session", asked);
    this.#bearer = start.bearer ?? this.#bearer;
    this.#last = start.last ?? 0;
    return start;
  }

  async call(path, body, more = {}) {
    let answer;
    try {
      answer = await fetch(new URL(path, this.#base), {
        method: body === undefined ? "GET" : "POST",
        credentials: "include",
        cache: "no-store",
        headers: this.#headers(body instanceof Blob ? body.type : body === undefined ? "" : "application/json"),
        body: body === undefined || body instanceof Blob ? body : JSON.stringify(body),
        ...more,
      });
    } catch {
      throw new Refused(0);
    }
    if (more.raw && answer.ok) return answer;
    const what = await answer.json().catch(() => ({}));
    if (answer.status === 401 && this.#wanted) this.#over(what.refused);
    if (!answer.ok) throw new Refused(answer.status, what);
    return what;
  }

  listen() {
    this.#wanted = true;
    addEventListener("online", this.online);
    document.addEventListener("visibilitychange", this.visible);
    this.#again(0);
  }

  leave() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    removeEventListener("online", this.online);
    document.removeEventListener("visibilitychange", this.visible);
    this.#stream?.abort();
    this.#stream = null;
  }

  #headers(type) {
    const headers = { "X-Tellerline": "1" };
    if (type) headers["Content-Type"] = type;
    if (this.#bearer) headers.Authorization = `Bearer ${this.#bearer}`;
    return headers;
  }

  #over(why) {
    this.leave();
    this.#bearer = "";
    this.#tell("ended", why);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #watch() {
    clearTimeout(this.#hiding);
    if (!this.#wanted) return;
    if (document.hidden) this.#hiding = setTimeout(() => this.#stream?.abort(), HIDDEN);
    else if (!this.#stream) this.#again(0);
  }

  #again(wait) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#run(), wait);
  }

  async #run() {
    if (!this.#wanted || this.#stream) return;
    const stream = new AbortController();
    this.#stream = stream;
    try {
      const answer = await this.call("stream", undefined, {
        raw: true,
        signal: stream.signal,
        headers: { ...this.#headers(""), "Last-Event-ID": String(this.#last) },
      });
      this.#tell("line", true);
      this.#wait = FIRST_WAIT;
      await this.#read(answer.body.getReader(), stream);
    } catch (problem) {
      if (problem instanceof Refused && problem.status === 401) return;
    } finally {
      if (this.#stream === stream) this.#stream = null;
    }
    if (!this.#wanted || document.hidden) return;
    this.#tell("line", false);
    this.#again(this.#wait * (0.5 + Math.random() / 2));
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
  }

  async #read(reader, stream) {
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const watch = setTimeout(() => stream.abort(), SILENCE);
      const { value, done } = await reader.read().finally(() => clearTimeout(watch));
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const blocks = rest.split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) this.#take(block);
    }
  }

  /** One event as in the HTML standard, 9.2.6, as far as our own server uses it. */
  #take(block) {
    const fields = {};
    for (const line of block.split("\n")) {
      const at = line.indexOf(":");
      if (at > 0) fields[line.slice(0, at)] = line.slice(at + 1).trimStart();
    }
    if (fields.event === "ended") return this.#over(fields.data);
    if (fields.event === "passing") return this.#tell("said", { at: new Date().toISOString(), ...JSON.parse(fields.data) });
    const id = Number(fields.id);
    if (!fields.data || !(id > this.#last)) return undefined;
    this.#last = id;
    this.#tell("said", { id, ...JSON.parse(fields.data) });
    return undefined;
  }
}
