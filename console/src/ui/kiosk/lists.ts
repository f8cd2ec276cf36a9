/** Lists of a kiosk's page: details, the visit's timeline, events. */

import type { Board, Heard } from "../../model/board.ts";
import { eventText } from "../board_text.ts";
import { h, setHidden, setText } from "../dom.ts";
import { fill, type Format } from "../format.ts";

/** What is known of a board, as name and value. */
export class Facts {
  readonly root: HTMLElement;
  private readonly list = h("dl", { class: "facts" });
  private readonly rows = new Map<string, HTMLElement>();

  constructor(private readonly format: Format) {
    this.root = h("section", { class: "panel" }, h("h2", {}, format.text.kiosk.facts), this.list);
  }

  update(board: Board): void {
    const { status } = board;
    const { format } = this;
    const { kiosk: text, levels, phases } = format.text;
    if (!status) return;
    const values: [keyof typeof text.fact, string][] = [
      ["level", status.online ? levels[status.level] : format.text.reasons.offline],
      ["phase", status.online ? phases[status.phase] : ""],
      ["session", status.session],
      ["ear", status.ear === "absent" ? "" : status.ear],
      ["screen", status.screen === "none" ? "" : text.screens[status.screen] + (status.brightness === null ? "" : ` · ${format.percent(status.brightness)}`)],
      ["volume", status.volume === null ? "" : format.percent(status.volume)],
      ["avatar", status.avatar?.name ?? ""],
      ["motion", status.motion],
      ["version", status.version],
      ["image", status.image],
      ["slot", status.slot],
      ["model", status.model],
      ["update", status.update],
      ["clock", status.online ? text.clocks[status.clock] : ""],
      ["started", status.started === null ? "" : format.date(status.started * 1000)],
      ["heard", board.heardAtMs ? format.seconds(board.heardAtMs) : ""],
    ];
    for (const [name, value] of values) this.row(name, text.fact[name], value);
  }

  private row(name: string, label: string, value: string): void {
    let cell = this.rows.get(name);
    if (!cell) {
      cell = h("dd", { dir: "auto" });
      this.rows.set(name, cell);
      this.list.append(h("div", {}, h("dt", {}, label), cell));
    }
    setText(cell, value);
    setHidden(cell.parentElement!, value === "");
  }
}

/** The events of a board that this page heard, the newest first. */
export class Events {
  readonly root: HTMLElement;
  private readonly list = h("ol", { class: "events" });
  private readonly empty: HTMLElement;
  private shown: Heard | undefined;

  constructor(
    private readonly format: Format,
    title: string,
    empty: string,
    private readonly keep: (heard: Heard, board: Board) => boolean,
    private readonly most: number,
  ) {
    this.empty = h("p", { class: "panel-empty" }, empty);
    this.root = h("section", { class: "panel" }, h("h2", {}, title), this.empty, this.list);
  }

  set note(text: string) {
    setText(this.empty, text);
  }

  update(board: Board): void {
    const newest = board.events.at(-1);
    if (newest === this.shown && this.shown) return;
    this.shown = newest;
    const kept = board.events.filter((heard) => this.keep(heard, board)).slice(-this.most).reverse();
    setHidden(this.empty, kept.length > 0);
    this.list.replaceChildren(...kept.map((heard) => this.entry(heard)));
  }

  private entry(heard: Heard): HTMLElement {
    const { event } = heard;
    const atMs = event.at === null ? heard.heardAtMs : event.at * 1000;
    const bad = (event.type === "fault" && event.failed) || (event.type === "command" && !event.ok) || event.type === "dropped";
    return h(
      "li",
      { class: `event ${event.type} ${bad ? "bad" : ""}` },
      h("time", {}, this.format.seconds(atMs)),
      h("span", { class: "event-mark" }),
      h(
        "span",
        { class: "event-text", dir: "auto" },
        eventText(this.format, event).slice(0, 600),
        heard.missed ? h("span", { class: "event-missed" }, fill(this.format.text.kiosk.missed, { count: heard.missed })) : null,
      ),
    );
  }
}

/** Whether an event belongs to the visit that goes on, or to the last one. */
export function ofThisVisit(heard: Heard, board: Board): boolean {
  if (heard.event.type === "link" || heard.event.type === "dropped") return false;
  const begin = board.events.findLastIndex((each) => each.event.type === "visit" && !each.event.ended);
  return begin >= 0 && board.events.indexOf(heard) >= begin;
}
