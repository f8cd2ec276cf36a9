/** Cuts the microphone's samples into blocks of 20 ms, on the audio thread. */

declare const registerProcessor: (name: string, processor: unknown) => void;
declare const AudioWorkletProcessor: { new (): { readonly port: MessagePort } };

const BLOCK = 960;

class Capture extends AudioWorkletProcessor {
  private block = new Float32Array(BLOCK);
  private filled = 0;

  process(inputs: Float32Array[][]): boolean {
    const input = inputs[0]?.[0];
    if (!input) return true;
    for (let at = 0; at < input.length; ) {
      const count = Math.min(BLOCK - this.filled, input.length - at);
      this.block.set(input.subarray(at, at + count), this.filled);
      this.filled += count;
      at += count;
      if (this.filled === BLOCK) {
        this.port.postMessage(this.block, [this.block.buffer]);
        this.block = new Float32Array(BLOCK);
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("capture", Capture);
