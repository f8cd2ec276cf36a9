/** One board, as far as this page has heard of it. */

import { keyOf, type Place } from "../fleet/topics.ts";
import type { Event, Health, Status } from "../fleet/types.ts";
import { History } from "./history.ts";
import { rankOf, reasonsOf, urgencyOf, type Reason, type Urgency } from "./need.ts";

const MOST_EVENTS = 200;
const MOST_FAULTS = 20;

/** An event with the time at which this page heard it. missed: how many are missing before it. */
export interface Heard {
  readonly event: Event;
  readonly heardAtMs: number;
  readonly missed: number;
}

export class Board implements Place {
  readonly key: string;
  status: Status | null = null;
  health: Health | null = null;
  healthAtMs = 0;
  /** When anything was heard of it last; 0 while only retained messages came. */
  heardAtMs = 0;
  reasons: readonly Reason[] = [];
  urgency: Urgency = "ok";
  rank = rankOf([]);
  /** When `reasons[0]` began. */
  sinceMs = 0;
  missed = 0;
  readonly faults = new Map<string, string>();
  readonly events: Heard[] = [];
  history: History | null = null;
  private queue = "";
  private seq = -1;

  constructor(
    readonly site: string,
    readonly board: string,
  ) {
    this.key = keyOf(this);
  }

  setHealth(health: Health, nowMs: number, keeps: boolean): void {
    this.health = health;
    this.healthAtMs = nowMs;
    if (keeps) (this.history ??= new History()).add(health, nowMs);
  }

  /** Keep an event. Null for one that was delivered before. */
  addEvent(event: Event, nowMs: number): Heard | null {
    const known = event.queue === this.queue;
    if (known && event.seq <= this.seq) return null;
    const missed = known ? event.seq - this.seq - 1 : 0;
    this.queue = event.queue;
    this.seq = event.seq;
    this.missed += missed;
    const heard = { event, heardAtMs: nowMs, missed };
    this.events.push(heard);
    if (this.events.length > MOST_EVENTS) this.events.shift();
    if (event.type === "fault") this.noteFault(event.part, event.failed, event.what);
    return heard;
  }

  /** Judge anew what is wrong. Returns whether that changed. */
  judge(nowMs: number): boolean {
    const reasons = this.status ? reasonsOf(this.status, this.health, this.healthAtMs, this.faults, nowMs) : [];
    const same = reasons.length === this.reasons.length && reasons.every((reason, at) => reason === this.reasons[at]);
    if (same) return false;
    if (reasons[0] !== this.reasons[0]) this.sinceMs = this.beganMs(reasons[0], nowMs);
    this.reasons = reasons;
    this.urgency = urgencyOf(reasons);
    this.rank = rankOf(reasons);
    return true;
  }

  private beganMs(reason: Reason | undefined, nowMs: number): number {
    if (reason === "call") return Math.min(nowMs, (this.status?.call?.since ?? nowMs / 1000) * 1000);
    return nowMs;
  }

  private noteFault(part: string, failed: boolean, what: string): void {
    if (!failed) this.faults.delete(part);
    else if (this.faults.size < MOST_FAULTS || this.faults.has(part)) this.faults.set(part, what);
  }
}
