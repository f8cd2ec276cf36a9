/** What all pages share: the connection, the fleet, the commands, the language; and how they are told of changes. */

import type { Connection } from "../broker/connection.ts";
import { isName, type Place } from "../fleet/topics.ts";
import type { Commands } from "../model/commands.ts";
import { Refused } from "../model/commands.ts";
import type { Fleet } from "../model/fleet.ts";
import type { Calls } from "../model/calls.ts";
import { fill, type Format } from "./format.ts";
import type { Settings } from "./settings.ts";

/** A live stream's packet for the page that watches it. */
export type LiveListener = (kind: string, payload: Uint8Array) => void;

export interface App {
  readonly settings: Settings;
  readonly format: Format;
  readonly connection: Connection;
  readonly fleet: Fleet;
  readonly commands: Commands;
  readonly calls: Calls;
  /** Listen to the live streams of one board; null for none. */
  listen(place: Place | null, listener: LiveListener | null): void;
  /** Tell the person something; read aloud by screen readers. */
  toast(text: string, kind?: "info" | "bad"): void;
  go(hash: string): void;
  isConnected(): boolean;
}

/** A page between mount and unmount. */
export interface View {
  readonly root: HTMLElement;
  /** Text for the browser's tab. */
  readonly title: string;
  mounted?(): void;
  /** Boards of these keys changed, or (each second) time passed. */
  update(changed: ReadonlySet<string>): void;
  tick(): void;
  /** The connection came or went. */
  connectionChanged(): void;
  unmount(): void;
  /** A question to ask before the person leaves; null for none. */
  readonly mayLeave?: string | null;
}

/** Why a command did nothing, as a sentence for a person. */
export function refusalText(app: App, error: unknown, holder = ""): string {
  const { text } = app.format;
  if (!(error instanceof Refused)) throw error;
  const known: Readonly<Record<string, string>> = text.refusals;
  const sentence = Object.hasOwn(known, error.code) ? known[error.code]! : text.refusals.failed;
  const detail = error.code === "failed" || error.code === "unavailable" || error.code === "bad_payload" ? error.message : "";
  const named = error.code === "floor_taken" && isName(error.message) ? error.message : holder;
  return fill(sentence, { name: named || "–" }) + (detail ? ` ${detail.slice(0, 300)}` : "");
}
