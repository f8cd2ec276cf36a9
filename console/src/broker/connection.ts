/** The connection to the broker: sign-in, subscriptions, reconnection with a growing pause. */

import * as mqtt from "./packets.ts";
import { MOST_PACKET_BYTES } from "../fleet/payloads.ts";
import { randomId } from "../random.ts";

export type State = "connecting" | "connected" | "waiting" | "closed";

/** Why a sign-in failed: wrong user or password, nobody there, not a broker. */
export type Failure = "refused" | "unreachable" | "protocol" | "busy" | "taken";

export interface Account {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

export interface Handlers {
  state(state: State, failure: Failure | null, retryAt: number): void;
  message(topic: string, payload: Uint8Array, retain: boolean): void;
  skipped(bytes: number): void;
}

const KEEP_ALIVE_S = 20;
const CONNECT_TIMEOUT_MS = 10_000;
const ACK_TIMEOUT_MS = 10_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
const BAD_VERSION = new Set([0x01, 0x84]);
const BAD_LOGIN = new Set([0x04, 0x05, 0x86, 0x87]);
const MOST_UNSENT_BYTES = 32_768;
export const NOT_AUTHORISED = 0x87;

/** The broker did not take a message: `reason` as in MQTT 5, 0 where it did not answer. */
export class NotSent extends Error {
  constructor(readonly reason: number) {
    super(reason === NOT_AUTHORISED ? "the broker does not permit it" : `not sent (${reason})`);
  }
}

interface Waiting {
  readonly resolve: (reasons: readonly number[]) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class Connection {
  state: State = "closed";
  private socket: WebSocket | null = null;
  private version: mqtt.Version = 5;
  private splitter = new mqtt.Splitter(MOST_PACKET_BYTES);
  private filters = new Map<string, 0 | 1>();
  private waiting = new Map<number, Waiting>();
  private lastId = 0;
  private failures = 0;
  private heardAt = 0;
  private wasConnected = false;
  private keepAlive: ReturnType<typeof setInterval> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly account: Account,
    private readonly handlers: Handlers,
  ) {}

  get user(): string {
    return this.account.user;
  }

  get refuses(): boolean {
    return this.version === 5;
  }

  /** Connect, and stay connected until close(). */
  open(): void {
    clearTimeout(this.timer);
    this.tell("connecting", null);
    this.splitter = new mqtt.Splitter(MOST_PACKET_BYTES);
    this.splitter.version = this.version;
    let socket: WebSocket;
    try {
      socket = new WebSocket(this.account.url, "mqtt");
    } catch {
      this.tell("closed", "unreachable");
      return;
    }
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.timer = setTimeout(() => this.lost("unreachable"), CONNECT_TIMEOUT_MS);
    socket.onopen = () => socket.send(this.connectPacket());
    socket.onmessage = (message) => this.take(message.data as unknown);
    socket.onclose = () => this.lost("unreachable");
  }

  /** Try again at once, because the network or the person came back. */
  wake(): void {
    if (this.state === "waiting") this.open();
    else if (this.state === "connected" && performance.now() - this.heardAt > 1000 * KEEP_ALIVE_S * 1.5) {
      this.lost("unreachable");
      this.open();
    }
  }

  /** Sign out. */
  close(): void {
    this.drop();
    this.filters.clear();
    this.tell("closed", null);
  }

  subscribe(filters: readonly string[], qos: 0 | 1): void {
    for (const filter of filters) this.filters.set(filter, qos);
    if (this.state === "connected") this.send(mqtt.subscribe(this.version, this.newId(), filters, qos));
  }

  unsubscribe(filters: readonly string[]): void {
    for (const filter of filters) this.filters.delete(filter);
    if (this.state === "connected") this.send(mqtt.unsubscribe(this.version, this.newId(), filters));
  }

  /** Send with QoS 1. Resolves once the broker has it. Rejects with NotSent. */
  async publish(topic: string, payload: object): Promise<void> {
    if (this.state !== "connected") throw new NotSent(0);
    const id = this.newId();
    const acknowledged = new Promise<readonly number[]>((resolve, reject) => {
      const timer = setTimeout(() => this.settle(id, null), ACK_TIMEOUT_MS);
      this.waiting.set(id, { resolve, reject, timer });
    });
    this.send(mqtt.publish(this.version, topic, new TextEncoder().encode(JSON.stringify(payload)), id));
    const [reason = 0] = await acknowledged;
    if (reason >= 0x80) throw new NotSent(reason);
  }

  /** Send with QoS 0. False when the line is congested or gone: live sound that waits is of no use. */
  publishLive(topic: string, payload: Uint8Array): boolean {
    if (this.state !== "connected" || !this.socket || this.socket.bufferedAmount > MOST_UNSENT_BYTES) return false;
    this.send(mqtt.publish(this.version, topic, payload));
    return true;
  }

  private connectPacket(): Uint8Array<ArrayBuffer> {
    const { user, password } = this.account;
    const clientId = `console-${randomId()}`;
    return mqtt.connect(this.version, { clientId, user, password, keepAliveS: KEEP_ALIVE_S, mostBytes: MOST_PACKET_BYTES });
  }

  private take(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) return this.lost("protocol");
    this.heardAt = performance.now();
    try {
      for (const packet of this.splitter.take(new Uint8Array(data))) this.handle(packet);
    } catch (error) {
      if (!(error instanceof mqtt.Protocol)) throw error;
      this.lost("protocol");
    }
  }

  private handle(packet: mqtt.Packet): void {
    switch (packet.type) {
      case "connack":
        return this.answered(packet.reason);
      case "publish":
        if (packet.qos === 1) this.send(mqtt.puback(packet.id));
        return this.handlers.message(packet.topic, packet.payload, packet.retain);
      case "puback":
        return this.settle(packet.id, packet.reasons);
      case "skipped":
        return this.handlers.skipped(packet.bytes);
      case "disconnect":
        return this.lost(packet.reason === 0x8e ? "taken" : BAD_LOGIN.has(packet.reason) ? "refused" : "unreachable");
      default:
        return undefined;
    }
  }

  private answered(reason: number): void {
    if (BAD_VERSION.has(reason) && this.version === 5) {
      this.version = 4;
      this.drop();
      return this.open();
    }
    if (reason !== 0) {
      const refused = BAD_LOGIN.has(reason);
      // A broker that refuses after it had accepted was changed meanwhile: the key is revoked, and asking again is rude.
      return refused ? this.give("refused") : this.lost("busy");
    }
    clearTimeout(this.timer);
    this.failures = 0;
    this.wasConnected = true;
    this.keepAlive = setInterval(() => this.beat(), (KEEP_ALIVE_S * 1000) / 2);
    this.tell("connected", null);
    for (const qos of [0, 1] as const) {
      const filters = [...this.filters].filter(([, wanted]) => wanted === qos).map(([filter]) => filter);
      if (filters.length) this.send(mqtt.subscribe(this.version, this.newId(), filters, qos));
    }
  }

  private beat(): void {
    if (performance.now() - this.heardAt > KEEP_ALIVE_S * 1500) return this.lost("unreachable");
    this.send(mqtt.PINGREQ);
  }

  private give(failure: Failure): void {
    this.drop();
    this.tell("closed", failure);
  }

  private lost(failure: Failure): void {
    if (this.state === "closed" || this.state === "waiting") return;
    this.drop();
    if (!this.wasConnected) return this.tell("closed", failure);
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.failures++) * (0.5 + Math.random() / 2);
    this.timer = setTimeout(() => this.open(), pause);
    this.tell("waiting", failure, Date.now() + pause);
  }

  private drop(): void {
    clearTimeout(this.timer);
    clearInterval(this.keepAlive);
    const socket = this.socket;
    this.socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      if (socket.readyState === WebSocket.OPEN) socket.send(mqtt.DISCONNECT);
      socket.close();
    }
    for (const id of [...this.waiting.keys()]) this.settle(id, null);
  }

  private settle(id: number, reasons: readonly number[] | null): void {
    const waiting = this.waiting.get(id);
    if (!waiting) return;
    this.waiting.delete(id);
    clearTimeout(waiting.timer);
    if (reasons) waiting.resolve(reasons);
    else waiting.reject(new NotSent(0));
  }

  private newId(): number {
    do this.lastId = (this.lastId % 0xffff) + 1;
    while (this.waiting.has(this.lastId));
    return this.lastId;
  }

  private send(packet: Uint8Array<ArrayBuffer>): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(packet);
  }

  private tell(state: State, failure: Failure | null, retryAt = 0): void {
    this.state = state;
    this.handlers.state(state, failure, retryAt);
  }
}
