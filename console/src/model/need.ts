/** Which board needs a person, and why. Pure. */

import type { Health, Status } from "../fleet/types.ts";

/** From worst to best. */
export const URGENCIES = ["call", "bad", "warn", "ok"] as const;
export type Urgency = (typeof URGENCIES)[number];

export const REASONS = [
  "call",
  "no_voice",
  "silent",
  "offline",
  "audio_only",
  "sound_lost",
  "fault",
  "quiet",
  "envelope",
  "hot",
  "throttled",
  "disk",
  "slow",
  "offset",
  "clock",
  "lost_events",
] as const;
export type Reason = (typeof REASONS)[number];

const URGENCY: Record<Reason, Urgency> = {
  call: "call",
  no_voice: "bad",
  silent: "bad",
  offline: "bad",
  audio_only: "bad",
  sound_lost: "bad",
  fault: "bad",
  quiet: "warn",
  envelope: "warn",
  hot: "warn",
  throttled: "warn",
  disk: "warn",
  slow: "warn",
  offset: "warn",
  clock: "warn",
  lost_events: "warn",
};

export const HOT_C = 80;
export const DISK_USED = 0.95;
export const SLOW_MS = 1500;
export const OFFSET_MS = 120;
/** A board tells its health each ten seconds: six silent periods mean that its link is stuck. */
export const QUIET_MS = 60_000;

export function urgencyOf(reasons: readonly Reason[]): Urgency {
  return reasons.length ? URGENCY[reasons[0]!] : "ok";
}

/** What is wrong, the most urgent first. healthAtMs: when its health was heard last, 0 for never. */
export function reasonsOf(
  status: Status,
  health: Health | null,
  healthAtMs: number,
  faults: ReadonlyMap<string, string>,
  nowMs: number,
): Reason[] {
  if (!status.online) return ["offline"];
  const known: Partial<Record<Reason, boolean>> = {
    call: status.call !== null && !status.call.accepted_by,
    no_voice: status.level === "no_voice",
    silent: status.level === "silent",
    audio_only: status.level === "audio_only",
    envelope: status.level === "envelope",
    clock: status.clock === "unset",
    fault: faults.size > 0,
    quiet: healthAtMs > 0 && nowMs - healthAtMs > QUIET_MS,
    sound_lost: health?.sound === "lost",
    hot: (health?.temperature_c ?? 0) >= HOT_C,
    throttled: (health?.throttled?.length ?? 0) > 0,
    disk: (health?.disk_used ?? 0) >= DISK_USED,
    slow: (health?.latency_p95_ms ?? 0) > SLOW_MS,
    offset: Math.abs(health?.offset_p95_ms ?? 0) > OFFSET_MS,
    lost_events: (health?.events_dropped ?? 0) > 0,
  };
  return REASONS.filter((reason) => known[reason]);
}

/** Sorts by need: the most urgent first, then the reason, then who waits longest. */
export function rankOf(reasons: readonly Reason[]): number {
  return reasons.length ? REASONS.indexOf(reasons[0]!) : REASONS.length;
}
