/** All boards that this page has heard of, within bounds, and what changed. */

import { Malformed } from "../fleet/check.ts";
import { readEvent, readHealth, readStatus } from "../fleet/payloads.ts";
import { parseReport, type Place, keyOf } from "../fleet/topics.ts";
import { Board, type Heard } from "./board.ts";
import { Report } from "./report.ts";

export const MOST_BOARDS = 10_000;
const MOST_HISTORIES = 2000;
const MOST_COMPLAINTS = 50;

export interface Complaint {
  readonly topic: string;
  readonly why: string;
  readonly atMs: number;
}

export class Fleet {
  readonly boards = new Map<string, Board>();
  readonly report: Report;
  /** Boards that changed since the last `takeChanged()`. */
  private changed = new Set<string>();
  /** Reports of boards beyond MOST_BOARDS, which are not shown. */
  beyond = 0;
  /** Payloads that were not what their schema says, the newest last. */
  readonly complaints: Complaint[] = [];
  malformed = 0;
  onEvent: (board: Board, heard: Heard) => void = () => {};

  constructor(readonly startedMs: number) {
    this.report = new Report(startedMs);
  }

  board(place: Place): Board | undefined {
    return this.boards.get(keyOf(place));
  }

  /** Take a status, health or event. Other topics are ignored. */
  take(topic: string, payload: Uint8Array, nowMs: number): void {
    const report = parseReport(topic);
    if (!report) return;
    if (payload.length === 0 && report.kind === "status") return this.forget(report);
    try {
      if (report.kind === "status") this.takeStatus(report, payload, nowMs);
      else if (report.kind === "health") this.takeHealth(report, payload, nowMs);
      else if (report.kind === "event") this.takeEvent(report, payload, nowMs);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.complain(topic, error.message, nowMs);
    }
  }

  complain(topic: string, why: string, nowMs: number): void {
    this.malformed += 1;
    this.complaints.push({ topic: topic.slice(0, 120), why: why.slice(0, 200), atMs: nowMs });
    if (this.complaints.length > MOST_COMPLAINTS) this.complaints.shift();
  }

  /** Judge every board anew: silence has no message. */
  tick(nowMs: number): void {
    for (const board of this.boards.values()) if (board.judge(nowMs)) this.changed.add(board.key);
  }

  takeChanged(): Set<string> {
    const changed = this.changed;
    this.changed = new Set();
    return changed;
  }

  private takeStatus(place: Place, payload: Uint8Array, nowMs: number): void {
    const status = readStatus(payload);
    const board = this.known(place);
    if (!board) return;
    board.status = status;
    board.heardAtMs = nowMs;
    board.judge(nowMs);
    this.report.online(board.key, status.online, nowMs);
    this.changed.add(board.key);
  }

  private takeHealth(place: Place, payload: Uint8Array, nowMs: number): void {
    const health = readHealth(payload);
    const board = this.known(place);
    if (!board) return;
    const toldMs = health.at === null ? nowMs : Math.min(nowMs, health.at * 1000);
    // A retained health of yesterday must not count as heard now.
    board.setHealth(health, nowMs - toldMs > 60_000 && !board.healthAtMs ? toldMs : nowMs, this.boards.size <= MOST_HISTORIES);
    board.heardAtMs = Math.max(board.heardAtMs, board.healthAtMs);
    board.judge(nowMs);
    this.changed.add(board.key);
  }

  private takeEvent(place: Place, payload: Uint8Array, nowMs: number): void {
    const event = readEvent(payload);
    const board = this.known(place);
    const heard = board?.addEvent(event, nowMs);
    if (!board || !heard) return;
    board.heardAtMs = nowMs;
    board.judge(nowMs);
    this.report.add(board.key, event, nowMs);
    this.changed.add(board.key);
    this.onEvent(board, heard);
  }

  private known(place: Place): Board | null {
    const key = keyOf(place);
    const known = this.boards.get(key);
    if (known) return known;
    if (this.boards.size >= MOST_BOARDS) {
      this.beyond += 1;
      return null;
    }
    const made = new Board(place.site, place.board);
    this.boards.set(key, made);
    return made;
  }

  private forget(place: Place): void {
    const key = keyOf(place);
    if (this.boards.delete(key)) this.changed.add(key);
  }
}
