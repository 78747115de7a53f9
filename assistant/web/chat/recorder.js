/** In the audio thread: what the microphone gives, as 16-bit samples at 16 kHz, a tenth of a second at a time. */

const RATE = 16_000;
const BLOCK = RATE / 10;

class Recorder extends AudioWorkletProcessor {
  #block = new Int16Array(BLOCK);
  #filled = 0;
  #position = 0;
  #sum = 0;
  #count = 0;

  process([channels]) {
    const heard = channels[0];
    if (!heard) return true;
    // Each new sample is the mean of those it stands for: enough of a low-pass for speech.
    const step = sampleRate / RATE;
    for (const sample of heard) {
      this.#sum += sample;
      this.#count += 1;
      this.#position += 1;
      if (this.#position < step) continue;
      this.#position -= step;
      this.#keep(this.#sum / this.#count);
      this.#sum = 0;
      this.#count = 0;
    }
    return true;
  }

  #keep(sample) {
    this.#block[this.#filled] = Math.max(-1, Math.min(1, sample)) * 0x7fff;
    this.#filled += 1;
    if (this.#filled < BLOCK) return;
    this.port.postMessage(this.#block);
    this.#block = new Int16Array(BLOCK);
    this.#filled = 0;
  }
}

registerProcessor("tellerline-recorder", Recorder);
