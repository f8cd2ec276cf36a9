/** The kiosk's face, live: poses on one clock with its sound. */

import { avatarOf } from "../../face/avatars.ts";
import { LiveClock } from "../../face/live_clock.ts";
import { PoseBuffer } from "../../face/pose_buffer.ts";
import { FaceRenderer, NoGraphics } from "../../face/renderer.ts";
import { CHANNELS, PoseReader, decodePoseBatch } from "../../fleet/packets.ts";
import type { Avatar } from "../../fleet/types.ts";
import { h, setHidden, setText } from "../dom.ts";
import { fill, type Format } from "../format.ts";

const FRAME_MS = 1000 / 30;
const STALE_MS = 4000;

export class Stage {
  readonly root: HTMLElement;
  readonly clock = new LiveClock();
  private canvas = h("canvas", { class: "face", role: "img" });
  private readonly badge = h("span", { class: "live-badge" });
  private readonly caption = h("p", { class: "stage-caption", "aria-hidden": "true" });
  private readonly notice = h("p", { class: "stage-notice", hidden: true });
  private readonly cover = h("p", { class: "stage-cover" });
  private readonly reader = new PoseReader();
  private readonly buffer = new PoseBuffer();
  private renderer: FaceRenderer | null = null;
  private wanted = "";
  private frame = 0;
  private drawnMs = -Infinity;
  private heardMs = -Infinity;
  private closed = false;
  /** Frames drawn so far. */
  drawn = 0;

  constructor(
    private readonly format: Format,
    ...controls: HTMLElement[]
  ) {
    this.canvas.setAttribute("aria-label", format.text.kiosk.face);
    this.root = h("div", { class: "stage" }, this.canvas, this.cover, this.badge, this.caption, h("div", { class: "stage-controls" }, ...controls), this.notice);
  }

  start(): void {
    this.step(performance.now());
  }

  /** Show the avatar that the board tells. */
  async show(avatar: Avatar | null): Promise<void> {
    const sha256 = avatar?.sha256 ?? "";
    const key = sha256 || "default";
    if (this.wanted === key) return;
    this.wanted = key;
    const { kiosk: text } = this.format.text;
    const { mesh, known } = await avatarOf(sha256);
    if (this.closed || this.wanted !== key) return;
    if (!mesh) return this.tell(text.noAvatar);
    this.tell(known || !sha256 ? "" : fill(text.otherAvatar, { name: (avatar?.name ?? "").slice(0, 60) || "–" }));
    try {
      if (this.renderer) this.newCanvas();
      this.renderer = new FaceRenderer(this.canvas, mesh);
    } catch (error) {
      if (!(error instanceof NoGraphics)) throw error;
      this.tell(text.noGraphics);
    }
  }

  /** Throws Malformed. */
  takePose(payload: Uint8Array): void {
    const batch = decodePoseBatch(payload);
    const nowMs = performance.now();
    this.heardMs = nowMs;
    this.clock.arrived(batch.shownMs, nowMs);
    this.buffer.add(this.reader.take(batch));
  }

  setCaption(nodes: Node[]): void {
    this.caption.replaceChildren(...nodes);
  }

  /** Called each second. online: of the board. */
  tick(online: boolean): void {
    const { kiosk: text } = this.format.text;
    const live = performance.now() - this.heardMs < STALE_MS;
    this.root.classList.toggle("live", live && online);
    const behind = fill(text.behind, { ms: Math.round(this.clock.bufferMs / 10) * 10 });
    setText(this.badge, live && online ? `${text.live} · ${behind}` : text.paused);
    setText(this.cover, online ? text.waiting : text.offline);
    setHidden(this.cover, online && this.buffer.at(-Infinity) !== null);
  }

  close(): void {
    this.closed = true;
    cancelAnimationFrame(this.frame);
    this.renderer?.close();
  }

  private newCanvas(): void {
    this.renderer?.close();
    const canvas = h("canvas", { class: "face", role: "img", "aria-label": this.format.text.kiosk.face });
    this.canvas.replaceWith(canvas);
    this.canvas = canvas;
  }

  private tell(notice: string): void {
    setText(this.notice, notice);
    setHidden(this.notice, !notice);
  }

  private step(nowMs: number): void {
    if (this.closed) return;
    this.frame = requestAnimationFrame((now) => this.step(now));
    const { renderer } = this;
    if (!renderer || renderer.lost || nowMs - this.drawnMs < FRAME_MS - 4) return;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    this.drawnMs = nowMs;
    const playhead = this.clock.playhead(performance.now());
    const pose = playhead === null ? null : this.buffer.at(playhead);
    const scale = Math.min(2, devicePixelRatio);
    renderer.resize(Math.round(width * scale), Math.round(height * scale));
    renderer.setPresence(pose && nowMs - this.heardMs < STALE_MS ? 1 : 0);
    renderer.draw(pose ?? NEUTRAL);
    this.drawn += 1;
  }
}

const NEUTRAL = new Float32Array(CHANNELS);
