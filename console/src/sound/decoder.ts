/** Opus packets to samples: by WebCodecs, else by the browser's decoder of whole files. */

import { RATE_HZ } from "./context.ts";
import { oggOpus } from "./ogg.ts";

/** Samples at RATE_HZ, and when the first of them was heard (the board's UTC ms). */
export type Out = (atMs: number, samples: Float32Array<ArrayBuffer>) => void;

export interface Decoder {
  decode(atMs: number, packet: Uint8Array): void;
  /** A new stretch: forget what came before. */
  restart(): void;
  close(): void;
}

export function openDecoder(out: Out): Decoder {
  return "AudioDecoder" in globalThis ? new CodecDecoder(out) : new FileDecoder(out);
}

class CodecDecoder implements Decoder {
  private decoder: AudioDecoder | null = null;

  constructor(private readonly out: Out) {}

  decode(atMs: number, packet: Uint8Array): void {
    this.decoder ??= this.open();
    if (this.decoder.decodeQueueSize > 50) return; // more than a second behind: live sound that waits is of no use
    this.decoder.decode(new EncodedAudioChunk({ type: "key", timestamp: Math.round(atMs * 1000), data: packet as BufferSource }));
  }

  restart(): void {
    this.close();
  }

  close(): void {
    if (this.decoder && this.decoder.state !== "closed") this.decoder.close();
    this.decoder = null;
  }

  private open(): AudioDecoder {
    const decoder = new AudioDecoder({
      output: (data) => {
        const samples = new Float32Array(data.numberOfFrames);
        data.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
        this.out(data.timestamp / 1000, samples);
        data.close();
      },
      error: () => (this.decoder = null), // the next packet opens another
    });
    decoder.configure({ codec: "opus", sampleRate: RATE_HZ, numberOfChannels: 1 });
    return decoder;
  }
}

const WARM_UP = 4; // packets after which a decoder that began in mid-stretch is right
const MOST_AT_ONCE = 8;

/** Decodes small files whose first packets only warm the decoder up. */
class FileDecoder implements Decoder {
  private before: Uint8Array[] = [];
  private waiting: { atMs: number; packet: Uint8Array }[] = [];
  private busy = false;
  private closed = false;
  private readonly context = new OfflineAudioContext(1, 1, RATE_HZ);

  constructor(private readonly out: Out) {}

  decode(atMs: number, packet: Uint8Array): void {
    if (this.waiting.length > 50) this.waiting.length = 0;
    this.waiting.push({ atMs, packet });
    if (!this.busy) void this.work();
  }

  restart(): void {
    this.before = [];
    this.waiting = [];
  }

  close(): void {
    this.closed = true;
    this.restart();
  }

  private async work(): Promise<void> {
    this.busy = true;
    while (this.waiting.length && !this.closed) {
      const batch = this.waiting.splice(0, MOST_AT_ONCE);
      const packets = batch.map((each) => each.packet);
      const file = oggOpus([...this.before, ...packets]);
      this.before = [...this.before, ...packets].slice(-WARM_UP);
      try {
        const { length } = packets;
        const decoded = (await this.context.decodeAudioData(file)).getChannelData(0);
        if (!this.closed) this.out(batch[0]!.atMs, decoded.slice(-length * (RATE_HZ / 50)));
      } catch {
        this.before = []; // damaged packets: the next ones begin anew
      }
    }
    this.busy = false;
  }
}
