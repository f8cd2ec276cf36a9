/** Takeover: press and speak, or type; whisper to the voice agent; hand back with a note. */

import { boardTopic, type Role } from "../../fleet/topics.ts";
import type { Board } from "../../model/board.ts";
import { permits, type CommandName } from "../../model/commands.ts";
import { Microphone, NoMicrophone } from "../../sound/microphone.ts";
import { refusalText, type App } from "../app.ts";
import { h, icon, setAttribute, setClass, setHidden, setText } from "../dom.ts";
import { fill } from "../format.ts";

const PING_EVERY_MS = 4000;
const MOST_TEXT = 2000;
/** Within which the board's status must tell of a floor that its answer gave. */
const CONFIRM_MS = 5000;
const LEVEL_FLOOR_DB = -50;

type Mode = "hidden" | "free" | "taking" | "held" | "elsewhere" | "other";

export class Takeover {
  readonly root: HTMLElement;
  private readonly head = h("p", { class: "takeover-state", role: "status" });
  private readonly body = h("div", { class: "takeover-body" });
  private readonly press: HTMLButtonElement;
  private readonly meter = h("div", { class: "meter-fill" });
  private readonly trip = h("span", { class: "round-trip" });
  private readonly micState = h("p", { class: "hint", role: "status", hidden: true });
  private role: Role | null = null;
  private mode: Mode = "hidden";
  private mine = false;
  /** The floor was given, and the status does not tell of it yet: until when, by performance.now(); 0 otherwise. */
  private confirmBy = 0;
  /** The floor was handed back, and the status does not tell of it yet. */
  private leaving = false;
  private microphone: Microphone | null = null;
  private opening = false;
  private pings: ReturnType<typeof setInterval> | undefined;
  private meters = 0;
  private pinging = false;
  private readonly keys = (event: KeyboardEvent): void => this.key(event);
  private readonly released = (): void => this.letGo();
  /** Told when this person begins and ends to speak, so that the kiosk's own sound makes room. */
  onSpeaking: (speaking: boolean) => void = () => {};

  constructor(
    private readonly app: App,
    private readonly board: Board,
  ) {
    const { takeover: text } = app.format.text;
    this.press = h(
      "button",
      {
        type: "button",
        class: "press",
        onpointerdown: (event: PointerEvent) => {
          this.press.setPointerCapture(event.pointerId);
          this.speak();
        },
        onpointerup: this.released,
        onpointercancel: this.released,
        oncontextmenu: (event: Event) => event.preventDefault(),
      },
      icon("mic"),
      h("span", {}, text.press),
    );
    this.root = h("section", { class: "takeover", "aria-label": text.heading }, this.head, this.body);
    addEventListener("keydown", this.keys);
    addEventListener("keyup", this.keys);
    addEventListener("blur", this.released);
  }

  /** Whether this tab holds the floor. */
  get holds(): boolean {
    return this.mode === "held";
  }

  setRole(role: Role | null): void {
    this.role = role;
    this.update();
  }

  update(): void {
    const mode = this.currentMode();
    if (mode !== this.mode) this.enter(mode);
    const { takeover: text } = this.app.format.text;
    const floor = this.board.status?.floor;
    if (mode === "other" && floor) {
      setText(this.head, fill(text.heldBy, { name: floor.holder, time: this.app.format.time(floor.since * 1000) }));
    }
  }

  /** Give the floor back without asking, because the page goes. */
  abandon(): void {
    if (this.mine) void this.app.commands.give(this.board, this.role!, "release_floor").catch(() => {});
    this.mine = false;
  }

  close(): void {
    this.abandon();
    this.closeSound();
    removeEventListener("keydown", this.keys);
    removeEventListener("keyup", this.keys);
    removeEventListener("blur", this.released);
  }

  private currentMode(): Mode {
    const { status } = this.board;
    if (!status?.online || !permits(this.role, "take_floor")) return status?.floor && status.online ? "other" : "hidden";
    if (!status.floor) {
      this.leaving = false;
      if (this.mine && performance.now() < this.confirmBy) return "held";
      if (this.mine) this.lose();
      return this.mode === "taking" ? "taking" : "free";
    }
    if (status.floor.holder !== this.app.connection.user) {
      if (this.mine) this.lose();
      return "other";
    }
    if (this.leaving) return "free";
    if (this.mine) this.confirmBy = 0;
    return this.mine ? "held" : this.mode === "taking" ? "taking" : "elsewhere";
  }

  private lose(): void {
    this.mine = false;
    this.app.toast(this.app.format.text.takeover.lost, "bad");
  }

  private enter(mode: Mode): void {
    const before = this.mode;
    this.mode = mode;
    const { takeover: text } = this.app.format.text;
    setHidden(this.root, mode === "hidden");
    setAttribute(this.root, "data-mode", mode);
    if (before === "held") this.closeSound();
    const states = { hidden: "", free: text.free, taking: text.taking, held: text.held, elsewhere: text.heldElsewhere, other: "" };
    setText(this.head, states[mode]);
    this.body.replaceChildren(...this.content(mode));
    if (mode === "held") this.openSound();
  }

  private content(mode: Mode): HTMLElement[] {
    const { takeover: text } = this.app.format.text;
    const take = (label: string): HTMLElement =>
      h("button", { type: "button", class: "button primary block", onclick: () => void this.take() }, icon("hand"), label);
    if (mode === "free") return [take(text.take)];
    if (mode === "elsewhere") return [take(text.resume)];
    if (mode !== "held") return [];
    return [
      h("div", { class: "speak" }, this.press, h("div", { class: "meter", "aria-hidden": "true" }, this.meter), this.trip),
      h("p", { class: "hint" }, text.pressHint),
      this.micState,
      this.sayForm(),
      this.whisperForm(),
      this.releaseForm(),
    ];
  }

  private sayForm(): HTMLElement {
    const { takeover: text } = this.app.format.text;
    return textForm("say", text.type, text.say, "", async (typed) => {
      const done = await this.give("say", { text: typed });
      return done;
    }, h("button", { type: "button", class: "button", onclick: () => void this.give("interrupt") }, text.stop));
  }

  private whisperForm(): HTMLElement {
    const { takeover: text } = this.app.format.text;
    return textForm("whisper", text.whisper, text.whisperSend, text.whisperHint, async (typed) => {
      const done = await this.give("whisper", { text: typed });
      if (done) this.app.toast(text.whispered);
      return done;
    });
  }

  private releaseForm(): HTMLElement {
    const { takeover: text } = this.app.format.text;
    return textForm("note", text.note, text.release, text.noteHint, async (note) => {
      this.letGo();
      const done = await this.give("release_floor", { note });
      if (done) {
        this.mine = false;
        this.leaving = true;
        this.update();
      }
      return done;
    }, null, true);
  }

  private async take(): Promise<void> {
    this.enter("taking");
    this.leaving = false;
    const done = await this.give("take_floor");
    this.mine = done;
    // The status that tells of the floor may come before or after the answer.
    this.confirmBy = done ? performance.now() + CONFIRM_MS : 0;
    if (done) setTimeout(() => this.update(), CONFIRM_MS + 100);
    this.enter(done ? "held" : "free");
    this.update();
  }

  private async give(command: CommandName, args: object = {}): Promise<boolean> {
    try {
      await this.app.commands.give(this.board, this.role!, command, args);
      return true;
    } catch (error) {
      const name = this.app.format.text.commandNames[command];
      this.app.toast(`${name}: ${refusalText(this.app, error, this.board.status?.floor?.holder)}`, "bad");
      return false;
    }
  }

  private openSound(): void {
    void this.openMicrophone();
    void this.ping();
    this.pings = setInterval(() => void this.ping(), PING_EVERY_MS);
    const meter = (): void => {
      this.meters = requestAnimationFrame(meter);
      const level = this.microphone?.level ?? 0;
      const db = 20 * Math.log10(Math.max(level, 1e-5));
      this.meter.style.transform = `scaleX(${Math.max(0, Math.min(1, 1 - db / LEVEL_FLOOR_DB)).toFixed(2)})`;
    };
    meter();
  }

  private closeSound(): void {
    this.letGo();
    this.microphone?.close();
    this.microphone = null;
    clearInterval(this.pings);
    cancelAnimationFrame(this.meters);
  }

  private async openMicrophone(): Promise<void> {
    if (this.microphone || this.opening) return;
    const { takeover: text } = this.app.format.text;
    this.opening = true;
    this.press.disabled = true;
    this.tellMicrophone(text.openingMic);
    const topic = boardTopic(this.board, `speech/${this.app.connection.user}`);
    try {
      const microphone = await Microphone.open((packet) => this.app.connection.publishLive(topic, packet));
      if (this.mode !== "held") return microphone.close();
      this.microphone = microphone;
      this.press.disabled = false;
      this.tellMicrophone("");
    } catch (error) {
      if (!(error instanceof NoMicrophone)) throw error;
      this.tellMicrophone(text[error.trouble]);
    } finally {
      this.opening = false;
    }
  }

  private tellMicrophone(text: string): void {
    setText(this.micState, text);
    setHidden(this.micState, !text);
  }

  private async ping(): Promise<void> {
    if (this.pinging) return;
    this.pinging = true;
    const { takeover: text } = this.app.format.text;
    try {
      const { tookMs } = await this.app.commands.give(this.board, this.role!, "ping");
      setText(this.trip, fill(text.roundTrip, { ms: Math.round(tookMs) }));
    } catch {
      setText(this.trip, text.noRoundTrip);
    } finally {
      this.pinging = false;
    }
  }

  private speak(): void {
    if (!this.microphone || this.microphone.speaking) return;
    this.microphone.press();
    this.showSpeaking(true);
  }

  private letGo(): void {
    const { microphone } = this;
    if (!microphone?.speaking) return;
    void microphone.release();
    this.showSpeaking(false);
    if (microphone.dropped) this.tellMicrophone(this.app.format.text.takeover.lostPackets);
    microphone.dropped = 0;
  }

  private showSpeaking(speaking: boolean): void {
    const { takeover: text } = this.app.format.text;
    setClass(this.press, "pressed", speaking);
    setAttribute(this.press, "aria-pressed", String(speaking));
    setText(this.press.lastElementChild!, speaking ? text.pressing : text.press);
    this.onSpeaking(speaking);
  }

  private key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const onPress = target === this.press && (event.key === " " || event.key === "Enter");
    const free = event.key === " " && !target.closest("input, textarea, select, button, a, summary, dialog, [tabindex='0']");
    if (this.mode !== "held" || !(onPress || free)) return;
    event.preventDefault();
    if (event.type === "keyup") this.letGo();
    else if (!event.repeat) this.speak();
  }
}

function textForm(
  id: string,
  label: string,
  submit: string,
  hint: string,
  send: (text: string) => Promise<boolean>,
  extra: HTMLElement | null = null,
  mayBeEmpty = false,
): HTMLElement {
  const input = h("input", { type: "text", id: `takeover-${id}`, maxlength: MOST_TEXT, autocomplete: "off", dir: "auto" });
  const button = h("button", { type: "submit", class: "button" }, submit);
  const submitted = async (event: Event): Promise<void> => {
    event.preventDefault();
    const text = input.value.trim();
    if ((!text && !mayBeEmpty) || button.disabled) return;
    button.disabled = true;
    if (await send(text)) input.value = "";
    button.disabled = false;
    input.focus();
  };
  return h(
    "form",
    { class: `text-form ${id}`, onsubmit: (event: Event) => void submitted(event) },
    h("label", { for: input.id }, label),
    h("div", { class: "text-form-line" }, input, button, extra),
    hint ? h("p", { class: "hint" }, hint) : null,
  );
}
