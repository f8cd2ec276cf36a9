/** The JSON payloads of boards, read by the schemas in docs/mqtt. */

import answerSchema from "../../../docs/mqtt/answer.schema.json";
import captionSchema from "../../../docs/mqtt/caption.schema.json";
import eventSchema from "../../../docs/mqtt/event.schema.json";
import healthSchema from "../../../docs/mqtt/health.schema.json";
import statusSchema from "../../../docs/mqtt/status.schema.json";
import { Malformed, read, type Schema } from "./check.ts";
import type { Answer, CaptionLine, Event, Health, Status } from "./types.ts";

/** The most bytes of a payload that are looked at, by kind. */
export const MOST_BYTES = { status: 16_384, health: 16_384, event: 16_384, caption: 16_384, answer: 786_432 } as const;
/** The longest MQTT packet that the page takes; the broker is told, and drops what is longer. */
export const MOST_PACKET_BYTES = MOST_BYTES.answer + 1024;

const decoder = new TextDecoder("utf-8", { fatal: true });

function parse(payload: Uint8Array, most: number): unknown {
  if (payload.length > most) throw new Malformed(`${payload.length} bytes; at most ${most}`);
  try {
    return JSON.parse(decoder.decode(payload));
  } catch {
    throw new Malformed("not JSON in UTF-8");
  }
}

/** Throws Malformed, as all of these do. */
export function readStatus(payload: Uint8Array): Status {
  return read(statusSchema as Schema, parse(payload, MOST_BYTES.status)) as Status;
}

export function readHealth(payload: Uint8Array): Health {
  return read(healthSchema as Schema, parse(payload, MOST_BYTES.health)) as Health;
}

export function readEvent(payload: Uint8Array): Event {
  return read(eventSchema as Schema, parse(payload, MOST_BYTES.event)) as Event;
}

export function readCaption(payload: Uint8Array): CaptionLine {
  return read(captionSchema as Schema, parse(payload, MOST_BYTES.caption)) as CaptionLine;
}

export function readAnswer(payload: Uint8Array): Answer {
  return read(answerSchema as Schema, parse(payload, MOST_BYTES.answer)) as Answer;
}
