/** Plays one live stream of sound at the moment that the live clock says. */

import type { Sound } from "../fleet/packets.ts";
import { PACKET_MS } from "../fleet/packets.ts";
import type { LiveClock } from "../face/live_clock.ts";
import { RATE_HZ, audioContext } from "./context.ts";
import { openDecoder, type Decoder } from "./decoder.ts";

const MOST_AHEAD_S = 2;
/** Below this deviation packets are played back to back; beyond it, at their own time. */
const TOLERANCE_S = 0.06;

export class Player {
  private readonly decoder: Decoder;
  private readonly gain: GainNode;
  private readonly context = audioContext();
  private playing = new Set<AudioBufferSourceNode>();
  private end = 0;
  private next = -1;
  /** Peak level of what was played last, 0..1. */
  level = 0;

  constructor(
    private readonly clock: LiveClock,
    private readonly now: () => number,
  ) {
    this.decoder = openDecoder((atMs, samples) => this.play(atMs, samples));
    this.gain = this.context.createGain();
    this.gain.connect(this.context.destination);
  }

  take(sound: Sound): void {
    if (sound.first || (this.next >= 0 && sound.seq !== this.next)) this.decoder.restart();
    this.next = (sound.seq + 1) & 0xffff;
    sound.packets.forEach((packet, number) => this.decoder.decode(sound.atMs + number * PACKET_MS, packet));
  }

  /** Silence for a while, such as while this person speaks. */
  mute(muted: boolean): void {
    this.gain.gain.setTargetAtTime(muted ? 0 : 1, this.context.currentTime, 0.02);
  }

  close(): void {
    this.decoder.close();
    for (const source of this.playing) source.stop();
    this.gain.disconnect();
  }

  private play(atMs: number, samples: Float32Array<ArrayBuffer>): void {
    const playhead = this.clock.playhead(this.now());
    if (playhead === null || samples.length === 0) return;
    const wanted = this.context.currentTime + (atMs - playhead) / 1000;
    const ahead = this.end > this.context.currentTime && Math.abs(wanted - this.end) < TOLERANCE_S;
    const start = ahead ? this.end : wanted;
    if (start < this.context.currentTime || start > this.context.currentTime + MOST_AHEAD_S) return;
    this.level = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    const buffer = this.context.createBuffer(1, samples.length, RATE_HZ);
    buffer.copyToChannel(samples, 0);
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.gain);
    source.onended = () => this.playing.delete(source);
    this.playing.add(source);
    source.start(start);
    this.end = start + buffer.duration;
  }
}
