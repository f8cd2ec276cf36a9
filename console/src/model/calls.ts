/** Calls for a person: the open ones from the boards' status, the past ones from their events. */

import type { CallEvent, CallNow } from "../fleet/types.ts";
import type { Board, Heard } from "./board.ts";

const MOST_PAST = 100;

export interface OpenCall {
  readonly board: Board;
  readonly call: CallNow;
}

export interface PastCall {
  readonly key: string;
  readonly event: CallEvent;
  readonly atMs: number;
}

export class Calls {
  readonly past: PastCall[] = [];

  noteEvent(board: Board, heard: Heard): void {
    const { event } = heard;
    if (event.type !== "call" || event.state === "open") return;
    this.past.unshift({ key: board.key, event, atMs: event.at === null ? heard.heardAtMs : event.at * 1000 });
    if (this.past.length > MOST_PAST) this.past.pop();
  }

  /** Those who wait first, the longest first. */
  open(boards: Iterable<Board>): OpenCall[] {
    const open: OpenCall[] = [];
    for (const board of boards) if (board.status?.online && board.status.call) open.push({ board, call: board.status.call });
    const isTaken = (each: OpenCall): number => (each.call.accepted_by ? 1 : 0);
    return open.sort((a, b) => isTaken(a) - isTaken(b) || a.call.since - b.call.since);
  }

  waiting(boards: Iterable<Board>): OpenCall[] {
    return this.open(boards).filter((each) => !each.call.accepted_by);
  }
}
