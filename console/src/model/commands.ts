/** Commands to boards: sent with an id, matched with their answers. */

import { NotSent, NOT_AUTHORISED } from "../broker/connection.ts";
import { readAnswer } from "../fleet/payloads.ts";
import { ROLES, boardTopic, keyOf, type Place, type Role } from "../fleet/topics.ts";
import type { Answer } from "../fleet/types.ts";
import { randomId } from "../random.ts";

export type CommandName =
  | "ping" | "thumbnail"
  | "take_floor" | "release_floor" | "say" | "whisper" | "interrupt" | "caption" | "answer_call" | "volume" | "mute"
  | "screen" | "restart" | "reboot" | "bundle" | "drain" | "doctor" | "log";

const OBSERVERS: ReadonlySet<CommandName> = new Set(["ping", "thumbnail"]);
const OPERATORS: ReadonlySet<CommandName> = new Set(["screen", "restart", "reboot", "bundle", "drain", "doctor", "log"]);

export const ANSWER_TIMEOUT_MS = 8000;
/** Some take their time: they open devices, collect logs, or draw. */
const SLOW_TIMEOUT_MS = 60_000;
const SLOW: ReadonlySet<string> = new Set<CommandName>(["thumbnail", "doctor", "bundle", "log", "restart"]);
/** After `running`: the next part of a bundle; or the end of a visit, which a drain and a reboot wait for. */
const PART_TIMEOUT_MS = 60_000;
const VISIT_TIMEOUT_MS = 15 * 60_000;

/** Why a command did nothing: a code of the board's, or of the page's own: no_answer, not_sent. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export function leastRole(command: CommandName): Role {
  return OBSERVERS.has(command) ? "observer" : OPERATORS.has(command) ? "operator" : "agent";
}

export function permits(role: Role | null, command: CommandName): boolean {
  return role !== null && ROLES.indexOf(role) >= ROLES.indexOf(leastRole(command));
}

/** What the commands need of a connection. */
export interface Sender {
  readonly user: string;
  /** Whether the broker says when it does not permit a topic (MQTT 5). */
  readonly refuses: boolean;
  publish(topic: string, payload: object): Promise<void>;
}

interface Pending {
  readonly running: (answer: Answer) => void;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  timer: ReturnType<typeof setTimeout>;
}

export interface Sent {
  readonly answer: Answer;
  readonly tookMs: number;
}

export class Commands {
  private pending = new Map<string, Pending>();
  private roles = new Map<string, Role | null>();

  constructor(private readonly sender: Sender) {}

  /** Give a command and wait for its answer. Rejects with Refused. running: called for each `running` answer. */
  async give(
    place: Place,
    role: Role,
    command: CommandName,
    args: object = {},
    running: (answer: Answer) => void = () => {},
  ): Promise<Sent> {
    const id = randomId();
    const startedMs = performance.now();
    const answered = this.expect(id, SLOW.has(command) ? SLOW_TIMEOUT_MS : ANSWER_TIMEOUT_MS, running);
    // A rejected send must not leave an unhandled rejection of the answer behind.
    answered.catch(() => {});
    try {
      const topic = boardTopic(place, `command/${role}/${this.sender.user}`);
      await this.sender.publish(topic, { id, at: Date.now() / 1000, command, ...args });
    } catch (error) {
      this.forget(id);
      if (!(error instanceof NotSent)) throw error;
      const denied = error.reason === NOT_AUTHORISED;
      throw new Refused(denied ? "not_permitted" : "not_sent", error.message);
    }
    const answer = await answered;
    if (answer.error || answer.state !== "done") {
      throw new Refused(answer.error?.code ?? answer.state, answer.error?.message ?? "");
    }
    return { answer, tookMs: performance.now() - startedMs };
  }

  /**
   * The highest role in which this user may command a board; null for none. Asks by a ping, which changes nothing:
   * the broker refuses the topics of roles that the user does not have.
   */
  async roleAt(place: Place): Promise<{ role: Role | null; tookMs: number | null }> {
    const known = this.roles.get(keyOf(place));
    for (const role of known ? [known] : [...ROLES].reverse()) {
      try {
        const { tookMs } = await this.give(place, role, "ping");
        this.roles.set(keyOf(place), role);
        return { role, tookMs };
      } catch (error) {
        if (!(error instanceof Refused) || error.code === "not_sent") throw error;
        if (error.code === "not_permitted" || error.code === "not_allowed_here") continue;
        if (error.code === "no_answer" && !this.sender.refuses) continue;
        // The broker took it for this role; what else is wrong, such as a clock, each command will tell.
        return { role, tookMs: null };
      }
    }
    return { role: null, tookMs: null };
  }

  /** Take a payload of `answer/USER`. Throws Malformed. */
  takeAnswer(payload: Uint8Array): void {
    const answer = readAnswer(payload);
    const pending = this.pending.get(answer.id);
    if (!pending) return;
    if (answer.state === "running") {
      clearTimeout(pending.timer);
      pending.timer = this.timeout(answer.id, answer.command === "bundle" ? PART_TIMEOUT_MS : VISIT_TIMEOUT_MS);
      pending.running(answer);
      return;
    }
    this.forget(answer.id);
    pending.resolve(answer);
  }

  close(): void {
    for (const [id, pending] of this.pending) {
      this.forget(id);
      pending.reject(new Refused("not_sent", "signed out"));
    }
  }

  private expect(id: string, withinMs: number, running: (answer: Answer) => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.pending.set(id, { running, resolve, reject, timer: this.timeout(id, withinMs) });
    });
  }

  private timeout(id: string, afterMs: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      const pending = this.pending.get(id);
      this.forget(id);
      pending?.reject(new Refused("no_answer", "the kiosk did not answer"));
    }, afterMs);
  }

  private forget(id: string): void {
    clearTimeout(this.pending.get(id)?.timer);
    this.pending.delete(id);
  }
}

