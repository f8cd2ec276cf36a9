/** The page's one AudioContext, opened by a person's gesture as browsers demand. */

export const RATE_HZ = 48_000;
let context: AudioContext | null = null;

export function audioContext(): AudioContext {
  context ??= new AudioContext({ sampleRate: RATE_HZ, latencyHint: "interactive" });
  if (context.state === "suspended") void context.resume();
  return context;
}

/** The context if a gesture has opened it already. */
export function openContext(): AudioContext | null {
  return context && context.state === "running" ? context : null;
}
