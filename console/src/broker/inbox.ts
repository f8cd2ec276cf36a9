/**
 * What arrived and was not looked at yet. Of a retained topic only the newest payload counts, so that a board that
 * floods costs no more than one that speaks once; events and live packets keep their order, up to a bound.
 */

const MOST_LATEST = 25_000;
const MOST_QUEUED = 20_000;
const SLICE_MS = 6;

export interface Letter {
  readonly topic: string;
  readonly payload: Uint8Array;
}

export class Inbox {
  dropped = 0;
  private readonly latest = new Map<string, Uint8Array>();
  private queue: Letter[] = [];
  private next = 0;
  private scheduled = false;

  /** handle: takes one letter. done: called after each slice of work. */
  constructor(
    private readonly handle: (letter: Letter) => void,
    private readonly done: () => void,
    private readonly now: () => number = () => performance.now(),
    private readonly later: (work: () => void) => void = (work) => void setTimeout(work, 0),
  ) {}

  put(topic: string, payload: Uint8Array, collapses: boolean): void {
    if (collapses) {
      if (this.latest.size >= MOST_LATEST && !this.latest.has(topic)) this.dropped += 1;
      else this.latest.set(topic, payload);
    } else if (this.queue.length - this.next >= MOST_QUEUED) this.dropped += 1;
    else this.queue.push({ topic, payload });
    this.schedule();
  }

  /** Work for a slice of time; the rest later, so that the page stays responsive. */
  work(): void {
    this.scheduled = false;
    const until = this.now() + SLICE_MS;
    while (this.next < this.queue.length && this.now() < until) this.handle(this.queue[this.next++]!);
    if (this.next === this.queue.length || this.next > 1000) {
      this.queue = this.queue.slice(this.next);
      this.next = 0;
    }
    for (const [topic, payload] of this.latest) {
      if (this.now() >= until) break;
      this.latest.delete(topic);
      this.handle({ topic, payload });
    }
    this.done();
    if (this.queue.length > this.next || this.latest.size) this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.later(() => this.work());
  }
}
