/**
 * One clock for everything live of a board, so that lips and sound stay together.
 *
 * Packets carry UTC of the board, whose clock may be off, and take varying time to arrive. The shortest
 * transit of the last seconds is the base; the playhead runs behind it by a jitter buffer that grows with what was late.
 */

const WINDOW_MS = 15_000;
export const LEAST_BUFFER_MS = 60;
export const MOST_BUFFER_MS = 400;
const JUMP_MS = 5000;

export class LiveClock {
  bufferMs = 100;
  private transits: { atMs: number; transitMs: number }[] = [];
  private base: number | null = null;

  /** A packet of `boardMs` arrived at `nowMs`. */
  arrived(boardMs: number, nowMs: number): void {
    const transitMs = nowMs - boardMs;
    if (this.base !== null && Math.abs(transitMs - this.base) > JUMP_MS) this.transits = []; // the board's clock was set
    this.transits.push({ atMs: nowMs, transitMs });
    while (this.transits.length > 1 && nowMs - this.transits[0]!.atMs > WINDOW_MS) this.transits.shift();
    let [least, most] = [Infinity, -Infinity];
    for (const each of this.transits) {
      least = Math.min(least, each.transitMs);
      most = Math.max(most, each.transitMs);
    }
    // The base glides, so that neither lips nor sound jump.
    this.base = this.base === null || Math.abs(least - this.base) > JUMP_MS ? least : this.base + 0.05 * (least - this.base);
    const wanted = Math.min(MOST_BUFFER_MS, Math.max(LEAST_BUFFER_MS, 1.2 * (most - least) + 20));
    this.bufferMs += (wanted > this.bufferMs ? 0.2 : 0.01) * (wanted - this.bufferMs);
  }

  /** The board's time that is shown and heard at `nowMs`; null before anything arrived. */
  playhead(nowMs: number): number | null {
    return this.base === null ? null : nowMs - this.base - this.bufferMs;
  }
}
