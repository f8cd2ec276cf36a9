/** A day's figures from what this page received. The broker keeps no history, so it begins when the page did. */

import type { Event } from "../fleet/types.ts";

const MOST_LATENCIES = 2000;
const MOST_QUESTIONS = 500;
const MOST_VISITS = 20_000;

export interface Question {
  readonly key: string;
  readonly text: string;
  readonly count: number;
}

/** One row: of a board, or of all of them. share: of questions answered; up: of the time seen. null: not known. */
export interface Row {
  readonly key: string;
  readonly visits: number;
  readonly answered: number;
  readonly unanswered: number;
  readonly share: number | null;
  readonly handedOver: number;
  readonly turns: number;
  readonly latencyP50Ms: number | null;
  readonly latencyP95Ms: number | null;
  readonly faults: number;
  readonly up: number | null;
}

class Tally {
  visits = 0;
  answered = 0;
  unanswered = 0;
  handedOver = 0;
  turns = 0;
  faults = 0;
  latencies: number[] = [];
  upMs = 0;
  downMs = 0;
  online: boolean | null = null;
  sinceMs = 0;

  account(nowMs: number): void {
    const elapsed = Math.max(0, nowMs - this.sinceMs);
    if (this.online === true) this.upMs += elapsed;
    if (this.online === false) this.downMs += elapsed;
    this.sinceMs = nowMs;
  }
}

export class Report {
  private tallies = new Map<string, Tally>();
  private questions = new Map<string, Question>();
  private seen = new Set<string>();
  /** From when on the figures count. */
  sinceMs: number;

  constructor(startedMs: number) {
    this.sinceMs = startedMs;
  }

  /** Start a new day: figures begin at zero, what is online stays so. */
  restart(nowMs: number): void {
    for (const tally of this.tallies.values()) {
      const { online } = tally;
      Object.assign(tally, new Tally(), { online, sinceMs: nowMs });
    }
    this.questions.clear();
    this.seen.clear();
    this.sinceMs = nowMs;
  }

  online(key: string, online: boolean, nowMs: number): void {
    const tally = this.of(key);
    if (tally.online === null) tally.sinceMs = nowMs;
    else tally.account(nowMs);
    tally.online = online;
  }

  add(key: string, event: Event, nowMs: number): void {
    // Events that a board kept through an outage may be of another day.
    if (event.at !== null && event.at * 1000 < this.sinceMs - 60_000 && !sameDay(event.at * 1000, nowMs)) return;
    const tally = this.of(key);
    if (event.type === "turn") {
      tally.turns += 1;
      if (event.latency_ms !== null) keep(tally.latencies, event.latency_ms);
    } else if (event.type === "fault" && event.failed) tally.faults += 1;
    else if (event.type === "visit" && event.ended && this.isNew(`${key} ${event.visit}`)) {
      tally.visits += 1;
      tally.answered += Math.max(0, event.answered ?? 0);
      tally.unanswered += Math.max(0, event.unanswered ?? 0);
      tally.handedOver += event.handed_over ? 1 : 0;
      for (const text of event["pii.questions"] ?? []) this.ask(key, text);
    }
  }

  rows(nowMs: number): Row[] {
    return [...this.tallies].map(([key, tally]) => rowOf(key, tally, nowMs)).sort((a, b) => a.key.localeCompare(b.key));
  }

  total(nowMs: number): Row {
    const all = new Tally();
    for (const tally of this.tallies.values()) {
      tally.account(nowMs);
      for (const name of ["visits", "answered", "unanswered", "handedOver", "turns", "faults", "upMs", "downMs"] as const) {
        all[name] += tally[name];
      }
      all.latencies.push(...tally.latencies);
    }
    return rowOf("", all, nowMs);
  }

  /** Unanswered questions, the most frequent first. */
  unanswered(): Question[] {
    return [...this.questions.values()].sort((a, b) => b.count - a.count || a.text.localeCompare(b.text));
  }

  private ask(key: string, text: string): void {
    const known = this.questions.get(text);
    if (!known && this.questions.size >= MOST_QUESTIONS) return;
    this.questions.set(text, { key, text, count: (known?.count ?? 0) + 1 });
  }

  private isNew(visit: string): boolean {
    if (this.seen.has(visit)) return false;
    if (this.seen.size < MOST_VISITS) this.seen.add(visit);
    return true;
  }

  private of(key: string): Tally {
    let tally = this.tallies.get(key);
    if (!tally) this.tallies.set(key, (tally = new Tally()));
    return tally;
  }
}

/** Whether two times are of one day here. */
export function sameDay(oneMs: number, otherMs: number): boolean {
  return new Date(oneMs).toDateString() === new Date(otherMs).toDateString();
}

function keep(values: number[], value: number): void {
  if (value < 0) return;
  if (values.length < MOST_LATENCIES) values.push(value);
  else values[Math.floor(Math.random() * MOST_LATENCIES)] = value;
}

function percentile(sorted: readonly number[], share: number): number | null {
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]! : null;
}

function rowOf(key: string, tally: Tally, nowMs: number): Row {
  if (key) tally.account(nowMs);
  const sorted = [...tally.latencies].sort((a, b) => a - b);
  const asked = tally.answered + tally.unanswered;
  const seenMs = tally.upMs + tally.downMs;
  return {
    key,
    visits: tally.visits,
    answered: tally.answered,
    unanswered: tally.unanswered,
    share: asked ? tally.answered / asked : null,
    handedOver: tally.handedOver,
    turns: tally.turns,
    latencyP50Ms: percentile(sorted, 0.5),
    latencyP95Ms: percentile(sorted, 0.95),
    faults: tally.faults,
    up: seenMs > 0 ? tally.upMs / seenMs : null,
  };
}

/** A table as CSV. A cell that a spreadsheet would run as a formula is made a text. */
export function csv(rows: readonly (readonly (string | number | null)[])[]): string {
  return rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

function cell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
