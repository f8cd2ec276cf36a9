/** The payloads as types. tests/payloads.test.ts holds their keys against the schemas in docs/mqtt. */

type Maybe<T> = T | null;

export interface Avatar {
  readonly name: string;
  readonly sha256: string;
}

export interface Floor {
  readonly holder: string;
  readonly since: number;
}

export interface VisitNow {
  readonly visit: string;
  readonly phase: string;
  readonly language: string;
  readonly since: Maybe<number>;
}

export interface CallNow {
  readonly call: string;
  readonly since: number;
  readonly language: string;
  readonly accepted_by: string;
  readonly "pii.question": Maybe<string>;
}

export type Level = "full" | "envelope" | "audio_only" | "silent" | "no_voice";
export type Phase = "idle" | "preroll" | "speaking" | "stalled" | "paused";

export interface Status {
  readonly online: boolean;
  readonly at: Maybe<number>;
  readonly site: string;
  readonly board: string;
  readonly version: string;
  readonly image: string;
  readonly slot: string;
  readonly model: string;
  readonly motion: string;
  readonly avatar: Maybe<Avatar>;
  readonly level: Level;
  readonly phase: Phase;
  readonly speaker: string;
  readonly session: string;
  readonly floor: Maybe<Floor>;
  readonly visit: Maybe<VisitNow>;
  readonly call: Maybe<CallNow>;
  readonly ear: string;
  readonly volume: Maybe<number>;
  readonly screen: "on" | "dim" | "blank" | "off" | "none";
  readonly brightness: Maybe<number>;
  readonly draining: boolean;
  readonly update: string;
  readonly clock: "synchronized" | "free" | "unset";
  readonly started: Maybe<number>;
  readonly watchers: { readonly watching: readonly string[]; readonly hearing: readonly string[] };
  readonly allowed: readonly string[];
}

export interface Health {
  readonly at: Maybe<number>;
  readonly uptime_s: Maybe<number>;
  readonly fps: Maybe<number>;
  readonly frames_missed: Maybe<number>;
  readonly offset_median_ms: Maybe<number>;
  readonly offset_p95_ms: Maybe<number>;
  readonly latency_p50_ms: Maybe<number>;
  readonly latency_p95_ms: Maybe<number>;
  readonly heard_s: Maybe<number>;
  readonly turns: Maybe<number>;
  readonly stalls: Maybe<number>;
  readonly voice_mb: Maybe<number>;
  readonly face_mb: Maybe<number>;
  readonly ear_mb: Maybe<number>;
  readonly link_mb: Maybe<number>;
  readonly memory_free_mb: Maybe<number>;
  readonly load: Maybe<number>;
  readonly temperature_c: Maybe<number>;
  readonly throttled: Maybe<readonly string[]>;
  readonly screen: Maybe<string>;
  readonly sound: Maybe<"open" | "released" | "lost">;
  readonly ear: Maybe<string>;
  readonly echo_db: Maybe<number>;
  readonly disk_free_mb: Maybe<number>;
  readonly disk_used: Maybe<number>;
  readonly clock_synchronized: Maybe<boolean>;
  readonly signal_dbm: Maybe<number>;
  readonly queue_events: number;
  readonly events_dropped: number;
  readonly reconnects: number;
  readonly counters: Readonly<Record<string, number>>;
}

interface EventBase {
  readonly queue: string;
  readonly seq: number;
  readonly at: Maybe<number>;
  readonly mono_s: number;
}

export interface TurnEvent extends EventBase {
  readonly type: "turn";
  readonly client: string;
  readonly turn: string;
  readonly reason: string;
  readonly heard_ms: number;
  readonly latency_ms: Maybe<number>;
  readonly stalls: number;
  readonly "pii.text": Maybe<string>;
}

export interface VisitEvent extends EventBase {
  readonly type: "visit";
  readonly visit: string;
  readonly ended: boolean;
  readonly language: string;
  readonly reason: string;
  readonly duration_s: Maybe<number>;
  readonly turns: Maybe<number>;
  readonly answered: Maybe<number>;
  readonly unanswered: Maybe<number>;
  readonly handed_over: boolean;
  readonly "pii.questions": Maybe<readonly string[]>;
}

export interface FaultEvent extends EventBase {
  readonly type: "fault";
  readonly part: string;
  readonly failed: boolean;
  readonly what: string;
}

export interface LevelEvent extends EventBase {
  readonly type: "level";
  readonly level: string;
  readonly why: string;
}

export type CallState = "open" | "accepted" | "declined" | "withdrawn" | "timed_out";

export interface CallEvent extends EventBase {
  readonly type: "call";
  readonly call: string;
  readonly state: CallState;
  readonly by: string;
  readonly in_s: number;
  readonly language: string;
  readonly waited_s: Maybe<number>;
  readonly "pii.question": Maybe<string>;
}

export interface FloorEvent extends EventBase {
  readonly type: "floor";
  readonly holder: string;
  readonly why: string;
  readonly "pii.note": Maybe<string>;
}

export interface RelayedEvent extends EventBase {
  readonly type: "relayed";
  readonly relay: string;
  readonly outcome: "said" | "cut" | "kept" | "unused";
  readonly why: string;
}

export interface CommandEvent extends EventBase {
  readonly type: "command";
  readonly command: string;
  readonly user: string;
  readonly role: string;
  readonly ok: boolean;
  readonly code: string;
}

export interface UpdateEvent extends EventBase {
  readonly type: "update";
  readonly action: string;
  readonly stage: string;
  readonly version: string;
  readonly what: string;
}

export interface LinkEvent extends EventBase {
  readonly type: "link";
  readonly what: "started" | "connected" | "disconnected" | "stopping";
  readonly why: string;
}

export interface DroppedEvent extends EventBase {
  readonly type: "dropped";
  readonly count: number;
  readonly first_seq: number;
  readonly last_seq: number;
}

export type Event =
  | TurnEvent
  | VisitEvent
  | FaultEvent
  | LevelEvent
  | CallEvent
  | FloorEvent
  | RelayedEvent
  | CommandEvent
  | UpdateEvent
  | LinkEvent
  | DroppedEvent;

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly path: string;
}

export interface Answer {
  readonly id: string;
  readonly command: string;
  readonly state: "running" | "done" | "refused" | "failed";
  readonly at: Maybe<number>;
  readonly error: Maybe<Refusal>;
  readonly result: Readonly<Record<string, unknown>>;
}

export interface CaptionLine {
  readonly at: Maybe<number>;
  readonly who: "kiosk" | "customer" | "agent";
  readonly turn: string;
  readonly text: string;
  readonly final: boolean;
  readonly heard_ms: number;
  readonly words: readonly (readonly [string, number, number])[];
}
