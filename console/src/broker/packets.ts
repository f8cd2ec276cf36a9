/**
 * MQTT packets, as far as a reader of a fleet needs them: versions 5 and 3.1.1, QoS 0 and 1.
 *
 * A client of our own, because this is the page's border: a packet that is too long is skipped as it streams in, before
 * anything of it is kept.
 */

export type Version = 5 | 4;

export interface Connack {
  readonly type: "connack";
  readonly reason: number;
  readonly text: string;
}

export interface Publish {
  readonly type: "publish";
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: number;
  readonly retain: boolean;
  readonly id: number;
}

/** An acknowledgement of a subscription, or of a message that the page sent. */
export interface Ack {
  readonly type: "puback" | "suback" | "unsuback";
  readonly id: number;
  readonly reasons: readonly number[];
}

export interface Bare {
  readonly type: "pingresp";
}

export interface Disconnect {
  readonly type: "disconnect";
  readonly reason: number;
}

/** A packet longer than allowed: `bytes` of it were skipped. */
export interface Skipped {
  readonly type: "skipped";
  readonly bytes: number;
}

export type Packet = Connack | Publish | Ack | Bare | Disconnect | Skipped;

/** The broker sends what is no MQTT. */
export class Protocol extends Error {}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

const SESSION_EXPIRY = 0x11;
const RECEIVE_MAXIMUM = 0x21;
const MAXIMUM_PACKET = 0x27;

export interface Login {
  readonly clientId: string;
  readonly user: string;
  readonly password: string;
  readonly keepAliveS: number;
  readonly mostBytes: number;
}

class Writer {
  private readonly bytes: number[] = [];

  u8(value: number): this {
    this.bytes.push(value & 0xff);
    return this;
  }

  u16(value: number): this {
    return this.u8(value >> 8).u8(value);
  }

  u32(value: number): this {
    return this.u16(value >>> 16).u16(value & 0xffff);
  }

  varint(value: number): this {
    do {
      this.u8((value % 128) | (value >= 128 ? 128 : 0));
      value = Math.floor(value / 128);
    } while (value > 0);
    return this;
  }

  raw(bytes: Uint8Array | readonly number[]): this {
    for (const byte of bytes) this.bytes.push(byte);
    return this;
  }

  text(value: string): this {
    const bytes = encoder.encode(value);
    if (bytes.length > 0xffff) throw new Protocol("a text of more than 65535 bytes");
    return this.u16(bytes.length).raw(bytes);
  }

  packet(head: number): Uint8Array<ArrayBuffer> {
    const front = new Writer().u8(head).varint(this.bytes.length);
    return Uint8Array.from([...front.bytes, ...this.bytes]);
  }
}

export function connect(version: Version, login: Login): Uint8Array<ArrayBuffer> {
  const flags = 0x02 | (login.user ? 0x80 : 0) | (login.password ? 0x40 : 0);
  const body = new Writer().text("MQTT").u8(version).u8(flags).u16(login.keepAliveS);
  if (version === 5) {
    body.varint(13).u8(SESSION_EXPIRY).u32(0).u8(RECEIVE_MAXIMUM).u16(1000).u8(MAXIMUM_PACKET).u32(login.mostBytes);
  }
  body.text(login.clientId);
  if (login.user) body.text(login.user);
  if (login.password) body.text(login.password);
  return body.packet(0x10);
}

export function subscribe(version: Version, id: number, filters: readonly string[], qos: 0 | 1): Uint8Array<ArrayBuffer> {
  const body = new Writer().u16(id);
  if (version === 5) body.u8(0);
  for (const filter of filters) body.text(filter).u8(qos);
  return body.packet(0x82);
}

export function unsubscribe(version: Version, id: number, filters: readonly string[]): Uint8Array<ArrayBuffer> {
  const body = new Writer().u16(id);
  if (version === 5) body.u8(0);
  for (const filter of filters) body.text(filter);
  return body.packet(0xa2);
}

/** id: 0 for QoS 0, else QoS 1. */
export function publish(version: Version, topic: string, payload: Uint8Array, id = 0): Uint8Array<ArrayBuffer> {
  const head = new Writer().text(topic);
  if (id) head.u16(id);
  if (version === 5) head.u8(0);
  return head.raw(payload).packet(0x30 | (id ? 0x02 : 0));
}

export function puback(id: number): Uint8Array<ArrayBuffer> {
  return new Writer().u16(id).packet(0x40);
}

export const PINGREQ = Uint8Array.of(0xc0, 0);
export const DISCONNECT = Uint8Array.of(0xe0, 0);

class Body {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.at;
  }

  u8(): number {
    if (this.left < 1) throw new Protocol("a packet that ends too soon");
    return this.bytes[this.at++]!;
  }

  u16(): number {
    return (this.u8() << 8) | this.u8();
  }

  varint(): number {
    let value = 0;
    for (let shift = 1; shift <= 128 ** 3; shift *= 128) {
      const byte = this.u8();
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
    throw new Protocol("a length of more than four bytes");
  }

  take(count: number): Uint8Array {
    if (count > this.left) throw new Protocol("a packet that ends too soon");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  text(): string {
    const bytes = this.take(this.u16());
    try {
      return decoder.decode(bytes);
    } catch {
      throw new Protocol("a topic that is not UTF-8");
    }
  }

  skipProperties(version: Version): void {
    if (version === 5 && this.left > 0) this.take(this.varint());
  }

  rest(): Uint8Array {
    return this.take(this.left).slice();
  }
}

function parse(version: Version, head: number, bytes: Uint8Array): Packet | null {
  const body = new Body(bytes);
  switch (head >> 4) {
    case 2: {
      body.u8();
      const reason = body.u8();
      return { type: "connack", reason, text: "" };
    }
    case 3: {
      const qos = (head >> 1) & 3;
      const topic = body.text();
      const id = qos ? body.u16() : 0;
      body.skipProperties(version);
      return { type: "publish", topic, payload: body.rest(), qos, retain: (head & 1) === 1, id };
    }
    case 4: {
      const id = body.u16();
      return { type: "puback", id, reasons: [body.left ? body.u8() : 0] };
    }
    case 9:
    case 11: {
      const id = body.u16();
      body.skipProperties(version);
      return { type: head >> 4 === 9 ? "suback" : "unsuback", id, reasons: [...body.rest()] };
    }
    case 13:
      return { type: "pingresp" };
    case 14:
      return { type: "disconnect", reason: body.left ? body.u8() : 0 };
    default:
      throw new Protocol(`a packet of type ${head >> 4}, which no broker sends to a reader`);
  }
}

/** Cuts a stream of bytes into packets. Keeps at most `mostBytes` of one; longer ones are skipped. */
export class Splitter {
  private kept = new Uint8Array(0);
  private toSkip = 0;
  version: Version = 5;

  constructor(private readonly mostBytes: number) {}

  /** Packets that end in these bytes. Throws Protocol, after which the connection must be closed. */
  take(chunk: Uint8Array): Packet[] {
    const packets: Packet[] = [];
    if (this.toSkip > 0) {
      const skipped = Math.min(this.toSkip, chunk.length);
      this.toSkip -= skipped;
      chunk = chunk.subarray(skipped);
    }
    let bytes = this.joined(chunk);
    for (;;) {
      const head = headOf(bytes);
      if (!head) break;
      if (bytes[0]! >> 4 !== 3 && bytes[0]! & 15) throw new Protocol("a packet with flags that its type does not have");
      const whole = head.size + head.length;
      if (whole > this.mostBytes) {
        packets.push({ type: "skipped", bytes: whole });
        this.toSkip = Math.max(0, whole - bytes.length);
        bytes = bytes.subarray(Math.min(whole, bytes.length));
        continue;
      }
      if (bytes.length < whole) break;
      const packet = parse(this.version, bytes[0]!, bytes.subarray(head.size, whole));
      if (packet) packets.push(packet);
      bytes = bytes.subarray(whole);
    }
    this.kept = bytes.slice();
    return packets;
  }

  private joined(chunk: Uint8Array): Uint8Array {
    if (this.kept.length === 0) return chunk;
    const joined = new Uint8Array(this.kept.length + chunk.length);
    joined.set(this.kept);
    joined.set(chunk, this.kept.length);
    return joined;
  }
}

/** The size of a packet's head and the length of its body; null while the head is not whole. */
function headOf(bytes: Uint8Array): { size: number; length: number } | null {
  let length = 0;
  let unit = 1;
  for (let at = 1; at <= 4; at++) {
    const byte = bytes[at];
    if (byte === undefined) return null;
    length += (byte & 127) * unit;
    if (byte < 128) return { size: at + 1, length };
    unit *= 128;
  }
  throw new Protocol("a length of more than four bytes");
}
