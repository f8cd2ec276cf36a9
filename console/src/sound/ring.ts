/** The ring of a call: two soft tones, made by the page itself. */

import { openContext } from "./context.ts";

const EVERY_MS = 3000;

export class Ring {
  private timer: ReturnType<typeof setInterval> | undefined;

  set(ringing: boolean): void {
    if (ringing === (this.timer !== undefined)) return;
    clearInterval(this.timer);
    this.timer = undefined;
    if (!ringing) return;
    this.timer = setInterval(() => this.sound(), EVERY_MS);
    this.sound();
  }

  private sound(): void {
    const context = openContext();
    if (!context) return;
    [659.3, 523.3].forEach((hz, number) => {
      const start = context.currentTime + number * 0.28;
      const tone = context.createOscillator();
      const gain = context.createGain();
      tone.frequency.value = hz;
      gain.gain.setValueAtTime(0, start);
      gain.gain.linearRampToValueAtTime(0.16, start + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.001, start + 0.55);
      tone.connect(gain).connect(context.destination);
      tone.start(start);
      tone.stop(start + 0.6);
    });
  }
}
