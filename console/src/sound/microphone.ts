/** The agent's microphone: samples, their level, and Opus packets while a person speaks. */

import { encodeSound, PACKET_MS } from "../fleet/packets.ts";
import { RATE_HZ, audioContext } from "./context.ts";

/** denied: the person or the browser said no. missing: no microphone. unsupported: no Opus encoder in this browser. */
export type Trouble = "denied" | "missing" | "unsupported";

export class NoMicrophone extends Error {
  constructor(readonly trouble: Trouble) {
    super(trouble);
  }
}

export function canSpeak(): boolean {
  return "AudioEncoder" in globalThis && "AudioWorkletNode" in globalThis && !!navigator.mediaDevices;
}

const BITRATE = 24_000;

export class Microphone {
  /** RMS of the last 20 ms, 0..1. */
  level = 0;
  sent = 0;
  dropped = 0;
  private encoder: AudioEncoder | null = null;
  private seq = Math.floor(Math.random() * 0x10000);
  private startedMs = 0;
  private samples = 0;
  private stage: "idle" | "first" | "speaking" | "last" = "idle";

  private constructor(
    private readonly stream: MediaStream,
    private readonly node: AudioWorkletNode,
    private readonly source: MediaStreamAudioSourceNode,
    private readonly send: (packet: Uint8Array) => boolean,
  ) {
    node.port.onmessage = (message: MessageEvent<Float32Array<ArrayBuffer>>) => this.take(message.data);
  }

  /** Ask for the microphone. send: takes the payload of `speech/USER`. Throws NoMicrophone. */
  static async open(send: (packet: Uint8Array) => boolean): Promise<Microphone> {
    if (!canSpeak()) throw new NoMicrophone("unsupported");
    const context = audioContext();
    let stream: MediaStream;
    try {
      const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
      stream = await navigator.mediaDevices.getUserMedia({ audio, video: false });
    } catch (error) {
      const name = error instanceof DOMException ? error.name : "";
      throw new NoMicrophone(name === "NotFoundError" || name === "NotReadableError" ? "missing" : "denied");
    }
    try {
      await context.audioWorklet.addModule("capture.js");
    } catch {
      stream.getTracks().forEach((track) => track.stop());
      throw new NoMicrophone("unsupported");
    }
    const node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    const source = context.createMediaStreamSource(stream);
    source.connect(node);
    return new Microphone(stream, node, source, send);
  }

  get speaking(): boolean {
    return this.stage !== "idle";
  }

  /** Speak from the next block on. */
  press(): void {
    if (this.stage === "last") this.finish();
    if (this.stage !== "idle") return;
    this.stage = "first";
    this.samples = 0;
    this.startedMs = Date.now() - PACKET_MS;
    this.encoder = new AudioEncoder({ output: (chunk) => this.packet(chunk), error: () => this.finish() });
    this.encoder.configure({
      codec: "opus",
      sampleRate: RATE_HZ,
      numberOfChannels: 1,
      bitrate: BITRATE,
      opus: { frameDuration: PACKET_MS * 1000, application: "voip", signal: "voice", complexity: 5 },
    } as AudioEncoderConfig);
  }

  /** Stop after what was spoken. */
  async release(): Promise<void> {
    if (this.stage !== "first" && this.stage !== "speaking") return;
    this.stage = "last";
    const { encoder } = this;
    if (encoder?.state === "configured") await encoder.flush().catch(() => {});
    if (this.encoder === encoder) this.finish();
  }

  close(): void {
    this.finish();
    this.source.disconnect();
    this.node.port.onmessage = null;
    this.stream.getTracks().forEach((track) => track.stop());
  }

  private take(block: Float32Array<ArrayBuffer>): void {
    this.level = Math.sqrt(block.reduce((sum, sample) => sum + sample * sample, 0) / block.length);
    if ((this.stage !== "first" && this.stage !== "speaking") || this.encoder?.state !== "configured") return;
    const timestamp = Math.round((this.samples / RATE_HZ) * 1e6);
    this.samples += block.length;
    const data = new AudioData({
      format: "f32-planar",
      sampleRate: RATE_HZ,
      numberOfFrames: block.length,
      numberOfChannels: 1,
      timestamp,
      data: block,
    });
    this.encoder.encode(data);
    data.close();
  }

  private packet(chunk: EncodedAudioChunk): void {
    const packet = new Uint8Array(chunk.byteLength);
    chunk.copyTo(packet);
    this.post([packet], this.stage === "first", false, this.startedMs + chunk.timestamp / 1000);
    if (this.stage === "first") this.stage = "speaking";
  }

  private post(packets: readonly Uint8Array[], first: boolean, last: boolean, atMs: number): void {
    const taken = this.send(encodeSound({ seq: this.seq, atMs, first, last, packets }));
    this.seq = (this.seq + 1) & 0xffff;
    if (taken) this.sent += 1;
    else this.dropped += 1;
  }

  private finish(): void {
    if (this.stage === "idle") return;
    const spoke = this.stage !== "first" && this.samples > 0;
    this.stage = "idle";
    if (this.encoder && this.encoder.state !== "closed") this.encoder.close();
    this.encoder = null;
    if (spoke) this.post([], false, true, Date.now());
  }
}
