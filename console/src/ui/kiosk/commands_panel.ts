/** What a person may order a kiosk to do, by role, with confirmation where it is felt. */

import type { Role } from "../../fleet/topics.ts";
import type { Answer } from "../../fleet/types.ts";
import type { Board } from "../../model/board.ts";
import { permits, type CommandName } from "../../model/commands.ts";
import { refusalText, type App } from "../app.ts";
import { ask, show } from "../dialog.ts";
import { h, setHidden, setText, type Child } from "../dom.ts";
import { fill } from "../format.ts";
import { BundleParts, saveFile } from "./bundle.ts";

const MOST_PICTURE_BYTES = 400_000;

export class CommandsPanel {
  readonly root: HTMLElement;
  readonly checks: HTMLElement;
  private readonly state = h("p", { class: "muted small" });
  private readonly body = h("div", { class: "commands" });
  private readonly log = h("div", { class: "log-holder" });
  private readonly doctor = h("div", { class: "doctor" });
  private volume: HTMLInputElement | null = null;
  private mute: HTMLButtonElement | null = null;
  private drain: HTMLButtonElement | null = null;
  private brightness: HTMLInputElement | null = null;
  private shownFor = "";
  private role: Role | null = null;

  constructor(
    private readonly app: App,
    private readonly board: Board,
  ) {
    const { kiosk: text } = app.format.text;
    this.root = h("section", { class: "panel" }, h("h2", {}, text.commands), this.state, this.body);
    this.checks = h("section", { class: "panel checks", hidden: true }, h("h2", {}, text.doctor), this.doctor, h("h2", {}, text.log), this.log);
  }

  /** role: undefined while it is being asked for. */
  setRole(role: Role | null | undefined): void {
    const { kiosk: text } = this.app.format.text;
    this.role = role ?? null;
    const says = role === undefined ? text.askingRole : role === null ? text.noRole : fill(text.role, { role: text.roles[role] });
    setText(this.state, says);
    this.rebuild();
  }

  update(): void {
    this.rebuild();
    const { status } = this.board;
    if (!status) return;
    const { kiosk: text } = this.app.format.text;
    if (this.volume && document.activeElement !== this.volume && status.volume !== null) this.volume.value = String(status.volume);
    if (this.brightness && document.activeElement !== this.brightness && status.brightness !== null) {
      this.brightness.value = String(status.brightness);
    }
    if (this.mute) setText(this.mute, status.ear === "muted" ? text.unmute : text.mute);
    if (this.drain) setText(this.drain, status.draining ? text.undrain : text.drain);
  }

  private get online(): boolean {
    return this.board.status?.online === true;
  }

  /** What may be shown depends on the role, on the board's configuration and on whether it is there. */
  private rebuild(): void {
    const { kiosk: text } = this.app.format.text;
    const key = `${this.role} ${this.online} ${this.board.status?.allowed.join()}`;
    if (key === this.shownFor) return;
    this.shownFor = key;
    this.volume = this.mute = this.drain = this.brightness = null;
    setHidden(this.checks, !this.may("doctor"));
    this.body.replaceChildren();
    if (this.role && !this.online) {
      this.body.append(h("p", { class: "panel-empty" }, text.commandsOffline));
      return;
    }
    const rows = [this.volumeRow(), this.microphoneRow(), this.screenRow(), this.actionsRow(), this.serviceRow()];
    this.body.append(...rows.filter((row) => row !== null));
    if (this.may("doctor")) this.buildChecks();
  }

  private may(command: CommandName): boolean {
    const allowed = this.board.status?.allowed ?? [];
    return this.online && permits(this.role, command) && (allowed.length === 0 || allowed.includes(command));
  }

  private volumeRow(): HTMLElement | null {
    if (!this.may("volume")) return null;
    const { kiosk: text } = this.app.format.text;
    this.volume = slider("volume", 0, this.board.status?.volume ?? 1, (gain) => void this.give("volume", { gain }));
    return row(text.volume, this.volume);
  }

  private microphoneRow(): HTMLElement | null {
    if (!this.may("mute") || this.board.status?.ear === "absent") return null;
    const { kiosk: text } = this.app.format.text;
    this.mute = this.button(text.mute, () => void this.give("mute", { muted: this.board.status?.ear !== "muted" }));
    return row(text.microphone, this.mute);
  }

  private screenRow(): HTMLElement | null {
    if (!this.may("screen")) return null;
    const { kiosk: text } = this.app.format.text;
    this.brightness = slider("brightness", 0.05, this.board.status?.brightness ?? 1, (brightness) => void this.give("screen", { brightness }));
    const power = ([["auto", text.screenAuto], ["on", text.screenOn], ["off", text.screenOff]] as const).map(([wanted, label]) =>
      this.button(label, () => void this.power(wanted)),
    );
    return h("div", { class: "rows" }, row(text.screen, ...power), row(text.brightness, this.brightness));
  }

  private actionsRow(): HTMLElement | null {
    const { kiosk: text } = this.app.format.text;
    const buttons: HTMLElement[] = [];
    if (this.may("thumbnail")) buttons.push(this.button(text.thumbnail, () => void this.thumbnail()));
    if (this.may("drain")) buttons.push((this.drain = this.button(text.drain, () => void this.drainBoard())));
    if (this.may("bundle")) buttons.push(this.button(text.bundle, () => void this.bundle()));
    return buttons.length ? h("div", { class: "button-row" }, ...buttons) : null;
  }

  private serviceRow(): HTMLElement | null {
    if (!this.may("restart") && !this.may("reboot")) return null;
    const { kiosk: text } = this.app.format.text;
    const services = h(
      "select",
      { id: "restart-service", "aria-label": text.restart },
      ...Object.entries(text.services).map(([value, label]) => h("option", { value }, label)),
    );
    const chosen = (): keyof typeof text.services => services.value as keyof typeof text.services;
    const parts: HTMLElement[] = [];
    if (this.may("restart")) parts.push(services, this.button(text.restart, () => void this.restart(chosen()), true));
    if (this.may("reboot")) parts.push(this.button(text.reboot, () => void this.reboot(), true));
    return h("div", { class: "button-row" }, ...parts);
  }

  private button(label: string, onclick: () => void, danger = false): HTMLButtonElement {
    return h("button", { type: "button", class: `button ${danger ? "danger-quiet" : ""}`, onclick }, label);
  }

  /** Give a command, and tell the person what became of it. */
  private async give(command: CommandName, args: object = {}, running?: (answer: Answer) => void): Promise<Answer | null> {
    const { text } = this.app.format;
    const name = text.commandNames[command];
    const tellRunning = (): void => this.app.toast(fill(text.kiosk.running, { command: name }));
    try {
      const { answer } = await this.app.commands.give(this.board, this.role!, command, args, running ?? tellRunning);
      if (command !== "thumbnail" && command !== "doctor" && command !== "log") this.app.toast(fill(text.kiosk.done, { command: name }));
      return answer;
    } catch (error) {
      this.app.toast(`${name}: ${refusalText(this.app, error, this.board.status?.floor?.holder)}`, "bad");
      return null;
    }
  }

  private confirm(title: string, body: string, confirm: string, content: Child[] = []): Promise<boolean> {
    return ask({ title, body, confirm, cancel: this.app.format.text.cancel, danger: true, content });
  }

  private async power(power: "auto" | "on" | "off"): Promise<void> {
    const { confirm, screenOff } = this.app.format.text.kiosk;
    if (power === "off" && !(await this.confirm(fill(confirm.off, { name: this.board.board }), confirm.offBody, screenOff))) return;
    await this.give("screen", { power });
  }

  private async restart(service: "voice" | "face" | "ear" | "converse" | "all"): Promise<void> {
    const { confirm, restart, services } = this.app.format.text.kiosk;
    const title = fill(confirm.restart, { what: services[service], name: this.board.board });
    if (await this.confirm(title, confirm.restartBody, restart)) await this.give("restart", { service });
  }

  private async reboot(): Promise<void> {
    const { confirm, reboot, rebootNow } = this.app.format.text.kiosk;
    const now = h("input", { type: "checkbox", id: "reboot-now" });
    const content = [h("p", { class: "check" }, now, h("label", { for: "reboot-now" }, rebootNow))];
    if (await this.confirm(fill(confirm.reboot, { name: this.board.board }), confirm.rebootBody, reboot, content)) {
      await this.give("reboot", { now: now.checked });
    }
  }

  private async drainBoard(): Promise<void> {
    const { confirm, drain } = this.app.format.text.kiosk;
    if (this.board.status?.draining) return void (await this.give("drain", { drain: false }));
    const yes = await ask({
      title: fill(confirm.drain, { name: this.board.board }),
      body: confirm.drainBody,
      confirm: drain,
      cancel: this.app.format.text.cancel,
    });
    if (yes) await this.give("drain", { drain: true });
  }

  private async thumbnail(): Promise<void> {
    const answer = await this.give("thumbnail", { width: 640 });
    const picture = answer && jpegOf(answer.result["jpeg"]);
    if (!answer) return;
    if (!picture) return this.app.toast(this.app.format.text.refusals.failed, "bad");
    const url = URL.createObjectURL(new Blob([picture], { type: "image/jpeg" }));
    const title = fill(this.app.format.text.kiosk.thumbnailOf, { name: this.board.key });
    show(title, this.app.format.text.close, [h("img", { src: url, alt: title, class: "thumbnail" })], () => URL.revokeObjectURL(url));
  }

  private async bundle(): Promise<void> {
    const { kiosk: text, commandNames } = this.app.format.text;
    const parts = new BundleParts();
    const answer = await this.give("bundle", {}, ({ result }) => {
      parts.take(result);
      const progress = fill(text.part, { part: parts.count, parts: parts.total });
      this.app.toast(`${commandNames.bundle}: ${progress}`);
    });
    if (!answer) return;
    parts.take(answer.result);
    const whole = await parts.whole();
    if (!whole) return this.app.toast(text.badBundle, "bad");
    saveFile(`mien-${this.board.site}-${this.board.board}.tar.gz`, "application/gzip", whole);
  }

  private buildChecks(): void {
    const { kiosk: text } = this.app.format.text;
    const rows = h("div", { class: "doctor-rows", role: "status" });
    this.doctor.replaceChildren(this.button(text.doctorRun, () => void this.runDoctor(rows)), rows);
    const service = h(
      "select",
      { id: "log-service", "aria-label": text.logOf },
      ...["voice", "face", "ear", "link", "converse"].map((each) => h("option", { value: each }, each)),
    );
    const lines = h("pre", { class: "log", tabindex: "0", hidden: true, "aria-label": text.log });
    this.log.replaceChildren(
      h("div", { class: "button-row" }, service, this.button(text.logLoad, () => void this.loadLog(service.value, lines))),
      h("p", { class: "hint" }, text.logHint),
      lines,
    );
  }

  private async runDoctor(into: HTMLElement): Promise<void> {
    const answer = await this.give("doctor");
    const found = answer?.result["rows"];
    if (!Array.isArray(found)) return;
    const states = this.app.format.text.kiosk.rowStates as Readonly<Record<string, string>>;
    into.replaceChildren(
      ...found.slice(0, 60).map((each: unknown) => {
        const of = (name: string): string => {
          const value = (each as Record<string, unknown> | null)?.[name];
          return typeof value === "string" ? value.slice(0, 500) : "";
        };
        const verdict = Object.hasOwn(states, of("verdict")) ? of("verdict") : "poor";
        return h(
          "div",
          { class: `doctor-row ${verdict}` },
          h("span", { class: "doctor-mark" }, states[verdict] ?? ""),
          h("span", { class: "doctor-name" }, of("name")),
          h("span", { class: "doctor-detail", dir: "auto" }, of("detail"), of("remedy") ? h("em", {}, of("remedy")) : null),
        );
      }),
    );
  }

  private async loadLog(service: string, into: HTMLElement): Promise<void> {
    const answer = await this.give("log", { service, lines: 200 });
    if (!answer) return;
    const text = answer.result["text"];
    into.textContent = typeof text === "string" ? text.slice(-100_000) : "";
    setHidden(into, false);
    into.scrollTop = into.scrollHeight;
  }
}

function row(label: string, ...controls: HTMLElement[]): HTMLElement {
  const [first] = controls;
  const name = first?.id ? h("label", { for: first.id, class: "row-label" }, label) : h("span", { class: "row-label" }, label);
  return h("div", { class: "row" }, name, h("div", { class: "row-controls" }, ...controls));
}

function slider(id: string, least: number, value: number, changed: (value: number) => void): HTMLInputElement {
  const input: HTMLInputElement = h("input", { type: "range", id, min: least, max: 1, step: 0.05, onchange: () => changed(Number(input.value)) });
  input.value = String(value);
  return input;
}

/** The bytes of a JPEG in base64; null for anything else. */
function jpegOf(text: unknown): Uint8Array<ArrayBuffer> | null {
  if (typeof text !== "string" || text.length > MOST_PICTURE_BYTES) return null;
  try {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return bytes[0] === 0xff && bytes[1] === 0xd8 ? bytes : null;
  } catch {
    return null;
  }
}

