/** What a board does or lacks, as short sentences. */

import type { Event } from "../fleet/types.ts";
import type { Board } from "../model/board.ts";
import { fill, type Format } from "./format.ts";

/** One line about a board: what is wrong, else what it does. */
export function stateText(format: Format, board: Board): string {
  const { text } = format;
  const { status } = board;
  if (!status) return text.unknown;
  const reason = board.reasons[0];
  if (reason === "fault") return faultText(board) || text.reasons.fault;
  if (reason) return text.reasons[reason];
  if (status.floor) return fill(text.wallPage.agent, { name: status.floor.holder });
  if (status.update) return fill(text.wallPage.updating, { stage: status.update });
  if (status.draining) return text.wallPage.draining;
  if (status.visit) return status.phase === "idle" ? text.wallPage.visitor : text.phases[status.phase];
  return text.phases[status.phase];
}

function faultText(board: Board): string {
  const [part, what] = [...board.faults][0] ?? ["", ""];
  return what ? `${part}: ${what}` : part;
}

/** How long a visit lasts, or "". */
export function visitText(format: Format, board: Board, nowMs: number): string {
  const since = board.status?.visit?.since;
  return since ? format.span(nowMs - since * 1000) : "";
}

export function heardText(format: Format, board: Board, nowMs: number): string {
  if (!board.heardAtMs) return "";
  const agoMs = nowMs - board.heardAtMs;
  if (agoMs < 20_000) return format.text.wallPage.now;
  return format.span(agoMs < 60_000 ? Math.floor(agoMs / 20_000) * 20_000 : agoMs);
}

export function eventText(format: Format, event: Event): string {
  const { text } = format;
  const words = text.events;
  const commands: Readonly<Record<string, string>> = text.commandNames;
  const levels: Readonly<Record<string, string>> = text.levels;
  const named = (names: Readonly<Record<string, string>>, key: string): string => (Object.hasOwn(names, key) ? names[key]! : key);
  switch (event.type) {
    case "turn": {
      const seconds = format.number(event.heard_ms / 1000, 1);
      const sentence = fill(event.reason === "played" ? words.turnDone : words.turnCut, { seconds });
      return event["pii.text"] ? `${sentence}: ${event["pii.text"]}` : sentence;
    }
    case "visit":
      if (!event.ended) return words.visitBegan;
      return fill(words.visitEnded, {
        turns: event.turns ?? "–",
        answered: event.answered ?? "–",
        unanswered: event.unanswered ?? "–",
      });
    case "fault":
      return fill(event.failed ? words.fault : words.repaired, { part: event.part }) + (event.what ? `: ${event.what}` : "");
    case "level":
      return fill(words.level, { level: named(levels, event.level) }) + (event.why ? ` (${event.why})` : "");
    case "call":
      return fill(text.callsPage.states[event.state], { name: event.by || "–" });
    case "floor":
      return event.holder ? fill(words.floorTaken, { name: event.holder }) : words.floorGiven;
    case "relayed":
      return words.relayed[event.outcome] + (event.why ? `: ${event.why}` : "");
    case "command": {
      const values = { name: event.user, command: named(commands, event.command), code: event.code };
      return fill(event.ok ? words.command : words.refused, values);
    }
    case "update":
      return fill(words.update, { version: event.version, stage: event.stage }) + (event.what ? `: ${event.what}` : "");
    case "link":
      return { started: words.linkStarted, connected: words.linkConnected, disconnected: words.linkDisconnected, stopping: words.linkStopping }[event.what];
    case "dropped":
      return fill(words.dropped, { count: event.count });
  }
}
