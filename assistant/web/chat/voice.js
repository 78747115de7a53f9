/** Hold to talk. The recording goes to our own server and nowhere else; what was asked aloud is answered aloud. */

import { el, icon } from "./dom.js";

const RATE = 16_000;
/** A question is not longer than this, in seconds; a press shorter than SHORTEST is a mistake. */
const LONGEST = 30;
const SHORTEST = 0.3;

export class Voice {
  #page;
  #context = null;
  #stream = null;
  #blocks = [];
  #holding = false;
  #asked = false;
  #player = null;

  /** `page`: words, base (where the files are), call(path, body, more), heard(text), problem(text). */
  constructor(page) {
    this.#page = page;
    const hold = (event) => {
      if (event.type === "keydown" && (event.repeat || (event.key !== " " && event.key !== "Enter"))) return;
      event.preventDefault();
      this.#record();
    };
    const letGo = (event) => {
      if (event.type === "keyup" && event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      this.#send();
    };
    this.button = el(
      "button",
      {
        type: "button", class: "round quiet mic", "aria-label": page.words.hold_to_talk, "aria-pressed": "false",
        onpointerdown: hold, onpointerup: letGo, onpointercancel: letGo, onkeydown: hold, onkeyup: letGo,
        oncontextmenu: (event) => event.preventDefault(),
      },
      icon("mic"),
    );
  }

  get busy() {
    return this.#holding || this.#player !== null;
  }

  /** An answer has come: said aloud when the question was spoken. */
  async heard(said) {
    if (!this.#asked || said.kind !== "say") return;
    this.#asked = false;
    try {
      const answer = await this.#page.call(`speech/${said.id}`, undefined, { raw: true });
      this.stop();
      this.#player = new Audio(URL.createObjectURL(await answer.blob()));
      this.#player.onended = () => this.stop();
      this.#mark("speaking", this.#page.words.stop_speaking);
      await this.#player.play();
    } catch {
      this.stop();
    }
  }

  /** Silence, at once. */
  stop() {
    if (this.#player) {
      this.#player.pause();
      URL.revokeObjectURL(this.#player.src);
      this.#player = null;
    }
    this.#holding = false;
    this.#close();
    this.#mark("", this.#page.words.hold_to_talk);
  }

  async #record() {
    if (this.#player) return this.stop();
    if (this.#holding) return undefined;
    this.#holding = true;
    this.#blocks = [];
    this.#mark("listening", this.#page.words.listening);
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true } });
      this.#context = new AudioContext();
      await this.#context.audioWorklet.addModule(new URL("recorder.js", this.#page.base));
      const recorder = new AudioWorkletNode(this.#context, "tellerline-recorder");
      recorder.port.onmessage = ({ data }) => this.#take(data);
      this.#context.createMediaStreamSource(this.#stream).connect(recorder);
    } catch {
      this.stop();
      this.#page.problem(this.#page.words.no_microphone);
    }
    return undefined;
  }

  #take(block) {
    this.#blocks.push(block);
    if (this.#blocks.length * block.length > LONGEST * RATE) this.#send();
  }

  async #send() {
    if (!this.#holding) return;
    this.#holding = false;
    this.#close();
    const samples = this.#blocks.reduce((sum, block) => sum + block.length, 0);
    if (samples < SHORTEST * RATE) {
      this.#mark("", this.#page.words.hold_to_talk);
      return this.#page.problem(this.#page.words.hold_longer);
    }
    this.#mark("working", this.#page.words.understanding);
    try {
      const { text } = await this.#page.call("speech", wav(this.#blocks, samples));
      this.#asked = Boolean(text);
      if (text) this.#page.heard(text);
      else this.#page.problem(this.#page.words.not_heard);
    } catch {
      this.#page.problem(this.#page.words.not_heard);
    } finally {
      this.#mark("", this.#page.words.hold_to_talk);
    }
    return undefined;
  }

  #close() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#context?.close();
    this.#context = null;
  }

  #mark(state, label) {
    this.button.dataset.state = state;
    this.button.setAttribute("aria-label", label);
    this.button.setAttribute("aria-pressed", String(state === "listening"));
    this.button.replaceChildren(icon(state === "speaking" ? "stop" : "mic"));
  }
}

/** RIFF/WAVE, 16-bit mono PCM. */
function wav(blocks, samples) {
  const head = new DataView(new ArrayBuffer(44));
  const write = (at, text) => [...text].forEach((letter, index) => head.setUint8(at + index, letter.charCodeAt(0)));
  write(0, "RIFF");
  head.setUint32(4, 36 + samples * 2, true);
  write(8, "WAVEfmt ");
  head.setUint32(16, 16, true);
  head.setUint16(20, 1, true);
  head.setUint16(22, 1, true);
  head.setUint32(24, RATE, true);
  head.setUint32(28, RATE * 2, true);
  head.setUint16(32, 2, true);
  head.setUint16(34, 16, true);
  write(36, "data");
  head.setUint32(40, samples * 2, true);
  return new Blob([head, ...blocks], { type: "audio/wav" });
}
