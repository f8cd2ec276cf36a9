/** The default avatar, breathing and blinking by itself. Decoration: without WebGL there is none. */

import { avatarOf } from "../face/avatars.ts";
import { channel } from "../face/channels.ts";
import { FaceRenderer, NoGraphics } from "../face/renderer.ts";
import { CHANNELS } from "../fleet/packets.ts";
import { h } from "./dom.ts";

const FRAME_MS = 1000 / 30;
const BLINK_EVERY_MS = 4200;
const BLINK_MS = 180;
const SMILE = ["mouthSmileLeft", "mouthSmileRight"].map(channel);
const BLINK = ["eyeBlinkLeft", "eyeBlinkRight"].map(channel);

export class StillFace {
  readonly root = h("canvas", { class: "still-face" });
  private renderer: FaceRenderer | null = null;
  private frame = 0;
  private drawnMs = -Infinity;
  private closed = false;

  async start(): Promise<void> {
    if (!this.root.clientWidth) return; // hidden on narrow screens: nothing to load
    const { mesh } = await avatarOf("");
    if (!mesh || this.closed) return;
    try {
      this.renderer = new FaceRenderer(this.root, mesh);
    } catch (error) {
      if (!(error instanceof NoGraphics)) throw error;
      return;
    }
    this.root.classList.add("shown");
    this.step(0);
  }

  close(): void {
    this.closed = true;
    cancelAnimationFrame(this.frame);
    this.renderer?.close();
  }

  private step(nowMs: number): void {
    const { renderer } = this;
    if (this.closed || !renderer || renderer.lost) return;
    if (nowMs - this.drawnMs >= FRAME_MS - 2) {
      this.drawnMs = nowMs;
      const scale = Math.min(2, devicePixelRatio);
      renderer.resize(Math.round(this.root.clientWidth * scale), Math.round(this.root.clientHeight * scale));
      renderer.draw(pose(nowMs));
    }
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.frame = requestAnimationFrame((now) => this.step(now));
  }
}

function pose(nowMs: number): Float32Array {
  const made = new Float32Array(CHANNELS);
  for (const at of SMILE) made[at] = 0.28;
  const blink = nowMs % BLINK_EVERY_MS;
  for (const at of BLINK) made[at] = blink < BLINK_MS ? Math.sin((Math.PI * blink) / BLINK_MS) : 0;
  made[channel("headYaw")] = 0.05 * Math.sin(nowMs / 2300);
  made[channel("headPitch")] = 0.02 * Math.sin(nowMs / 3100);
  made[channel("breath")] = 0.5 - 0.5 * Math.cos(nowMs / 900);
  return made;
}
