/** The wall: every kiosk as a tile, those that need a person first. */

import type { Board } from "../model/board.ts";
import { MOST_BOARDS } from "../model/fleet.ts";
import { URGENCIES, type Urgency } from "../model/need.ts";
import type { App, View } from "./app.ts";
import { heardText, stateText, visitText } from "./board_text.ts";
import { h, icon, setAttribute, setClass, setHidden, setText } from "./dom.ts";
import { fill } from "./format.ts";
import { VirtualGrid, type Group, type Painter } from "./virtual_grid.ts";

type Filter = "all" | "need" | "call" | "visit" | "offline";
type Arrangement = "need" | "site";

/** What the person chose, kept while other pages are open. */
const chosen = { search: "", filter: "all" as Filter, arrangement: "need" as Arrangement, scroll: 0 };
const ATTENTION = " attention";

export class Wall implements View, Painter {
  readonly root: HTMLElement;
  readonly title: string;
  private readonly grid: VirtualGrid;
  private readonly summary = h("p", { class: "wall-summary", role: "status" });
  private readonly figures = h("div", { class: "figures" });
  private readonly notes = h("p", { class: "notice", hidden: true });
  private readonly empty = h("div", { class: "empty", hidden: true });
  private readonly search: HTMLInputElement;
  private readonly filters: HTMLButtonElement[];
  private figureNodes = new Map<string, { value: HTMLElement; root: HTMLElement }>();

  constructor(private readonly app: App) {
    const { wallPage: text } = app.format.text;
    this.title = app.format.text.wall;
    this.grid = new VirtualGrid(this, text.heading);
    this.search = h("input", {
      type: "search",
      id: "wall-search",
      value: chosen.search,
      placeholder: text.search,
      "aria-label": text.search,
      maxlength: 80,
      oninput: () => {
        chosen.search = this.search.value;
        this.arrange();
      },
    });
    this.filters = (Object.keys(text.filters) as Filter[]).map((filter) =>
      h("button", { type: "button", class: "chip", "data-filter": filter, "aria-pressed": String(filter === chosen.filter), onclick: () => this.filter(filter) }, text.filters[filter]),
    );
    const arrangement = h(
      "select",
      {
        id: "wall-arrange",
        "aria-label": text.arrange,
        onchange: (event: Event) => {
          chosen.arrangement = (event.target as HTMLSelectElement).value as Arrangement;
          this.arrange();
        },
      },
      ...(Object.keys(text.arrangements) as Arrangement[]).map((each) =>
        h("option", { value: each, selected: each === chosen.arrangement }, text.arrangements[each]),
      ),
    );
    this.root = h(
      "main",
      { class: "wall", id: "content" },
      h("div", { class: "wall-head" }, h("div", {}, h("h1", {}, text.heading), this.summary), this.figures),
      h(
        "div",
        { class: "wall-tools" },
        h("div", { class: "search" }, icon("search"), this.search),
        h("div", { class: "chips", role: "group", "aria-label": text.filter }, ...this.filters),
        arrangement,
      ),
      this.notes,
      this.empty,
      this.grid.root,
    );
    for (const figure of ["well", "visits", "openCalls"] as const) this.addFigure(figure, text[figure]);
  }

  mounted(): void {
    this.arrange();
    this.grid.root.scrollTop = chosen.scroll;
  }

  update(changed: ReadonlySet<string>): void {
    this.arrange();
    this.grid.repaint(changed);
  }

  tick(): void {
    this.grid.repaintAll();
  }

  connectionChanged(): void {}

  unmount(): void {
    chosen.scroll = this.grid.root.scrollTop;
    this.grid.close();
  }

  tile(): HTMLAnchorElement {
    return h(
      "a",
      { class: "tile" },
      h("span", { class: "tile-top" }, h("span", { class: "dot" }), h("span", { class: "tile-name" }), h("span", { class: "tile-heard" })),
      h("span", { class: "tile-state" }),
      h("span", { class: "tile-foot" }),
    );
  }

  paintTile(tile: HTMLAnchorElement, key: string): void {
    const { format, fleet } = this.app;
    const board = fleet.boards.get(key);
    if (!board) return;
    const nowMs = Date.now();
    const [top, state, foot] = tile.children as unknown as [HTMLElement, HTMLElement, HTMLElement];
    const href = `#/kiosk/${key}`;
    if (tile.getAttribute("href") !== href) tile.href = href;
    setAttribute(tile, "data-urgency", board.urgency);
    setClass(tile, "visited", board.status?.visit != null);
    setText(top.children[1]!, board.board);
    setText(top.children[2]!, heardText(format, board, nowMs));
    const calm = board.reasons.length === 0 && board.status?.online === true;
    const language = board.status?.visit?.language.slice(0, 5) ?? "";
    const visit = calm ? [visitText(format, board, nowMs), language] : [];
    setText(state, [stateText(format, board), ...visit].filter(Boolean).join(" · "));
    setText(foot, footText(this.app, board, nowMs));
  }

  heading(group: Group): HTMLElement {
    const name = group.id === ATTENTION ? this.app.format.text.wallPage.attention : group.id;
    return h("h2", { class: "grid-heading" }, h("span", {}, name), h("span", { class: "grid-count" }));
  }

  paintHeading(heading: HTMLElement, group: Group): void {
    setText(heading.children[1]!, this.app.format.number(group.keys.length));
  }

  private filter(filter: Filter): void {
    chosen.filter = filter;
    for (const button of this.filters) setAttribute(button, "aria-pressed", String(button.dataset["filter"] === filter));
    this.arrange();
  }

  private arrange(): void {
    const { boards } = this.app.fleet;
    const words = chosen.search.toLowerCase().split(/\s+/).filter(Boolean);
    const shown: Board[] = [];
    const counts = { need: 0, visits: 0, openCalls: 0, all: 0 };
    let worst: Urgency = "ok";
    for (const board of boards.values()) {
      counts.all += 1;
      if (board.urgency !== "ok") counts.need += 1;
      if (URGENCIES.indexOf(board.urgency) < URGENCIES.indexOf(worst)) worst = board.urgency;
      if (board.status?.online && board.status.visit) counts.visits += 1;
      if (board.reasons[0] === "call") counts.openCalls += 1;
      if (passes(board, chosen.filter) && words.every((word) => board.key.includes(word))) shown.push(board);
    }
    this.tell(counts, worst);
    this.showEmpty(counts.all, shown.length); // before the grid is laid out: what is hidden has no width
    this.grid.setGroups(grouped(shown, chosen.arrangement));
  }

  private tell(counts: { need: number; visits: number; openCalls: number; all: number }, worst: Urgency): void {
    const { format, fleet } = this.app;
    const { wallPage: text, link } = format.text;
    const need = counts.need === 1 ? text.needOne : fill(text.need, { count: format.number(counts.need) });
    const well = counts.all === 1 ? text.oneWell : fill(text.allWell, { count: format.number(counts.all) });
    setText(this.summary, counts.all === 0 ? "" : counts.need ? need : well);
    setAttribute(this.summary, "data-urgency", worst);
    this.figure("well", counts.all - counts.need);
    this.figure("visits", counts.visits);
    this.figure("openCalls", counts.openCalls);
    const beyond = fleet.beyond ? fill(link.beyond, { most: format.number(MOST_BOARDS) }) : "";
    const malformed = fleet.malformed ? fill(link.malformed, { count: format.number(fleet.malformed) }) : "";
    setText(this.notes, [beyond, malformed].filter(Boolean).join(" "));
    setHidden(this.notes, !beyond && !malformed);
  }

  private showEmpty(all: number, shown: number): void {
    const { wallPage: text } = this.app.format.text;
    setHidden(this.empty, shown > 0);
    setHidden(this.grid.root, shown === 0);
    if (shown > 0) return;
    const state = all === 0 ? "none" : "no match";
    if (this.empty.dataset["state"] === state) return;
    this.empty.dataset["state"] = state;
    this.empty.replaceChildren(
      ...(all === 0
        ? [h("p", { class: "empty-title" }, text.none), h("p", { class: "muted" }, text.noneHint)]
        : [h("p", { class: "empty-title" }, text.noMatch), h("button", { type: "button", class: "button", onclick: () => this.showAll() }, text.showAll)]),
    );
  }

  private showAll(): void {
    chosen.search = this.search.value = "";
    this.filter("all");
  }

  private addFigure(name: string, label: string): void {
    const value = h("span", { class: "figure-value" }, "–");
    const root = h("div", { class: "figure" }, value, h("span", { class: "figure-label" }, label));
    this.figureNodes.set(name, { value, root });
    this.figures.append(root);
  }

  private figure(name: string, value: number): void {
    const node = this.figureNodes.get(name)!;
    setText(node.value, this.app.format.number(value));
    setClass(node.root, "raised", name === "openCalls" && value > 0);
  }
}

function passes(board: Board, filter: Filter): boolean {
  switch (filter) {
    case "all":
      return true;
    case "need":
      return board.urgency !== "ok";
    case "call":
      return board.status?.online === true && board.status.call !== null;
    case "visit":
      return board.status?.online === true && board.status.visit !== null;
    case "offline":
      return board.status?.online === false;
  }
}

const byNeed = (a: Board, b: Board): number => a.rank - b.rank || a.sinceMs - b.sinceMs || (a.key < b.key ? -1 : 1);
const byName = (a: Board, b: Board): number => (a.key < b.key ? -1 : 1);

/** By need: those that need attention first, then each site. By site: each site, the worst of it first. */
export function grouped(boards: readonly Board[], arrangement: Arrangement): Group[] {
  const sites = new Map<string, Board[]>();
  const attention: Board[] = [];
  for (const board of boards) {
    if (arrangement === "need" && board.urgency !== "ok") attention.push(board);
    else if (sites.has(board.site)) sites.get(board.site)!.push(board);
    else sites.set(board.site, [board]);
  }
  const groups = [...sites].sort(([a], [b]) => (a < b ? -1 : 1));
  const keys = (members: Board[], order: (a: Board, b: Board) => number): string[] => members.sort(order).map((board) => board.key);
  return [
    ...(attention.length ? [{ id: ATTENTION, keys: keys(attention, byNeed) }] : []),
    ...groups.map(([id, members]) => ({ id, keys: keys(members, arrangement === "site" ? byNeed : byName) })),
  ];
}

function footText(app: App, board: Board, nowMs: number): string {
  const forMs = nowMs - board.sinceMs;
  const parts = [board.reasons.length && forMs >= 10_000 ? app.format.span(forMs) : "", chosen.arrangement === "need" && board.urgency !== "ok" ? board.site : ""];
  return parts.filter(Boolean).join(" · ");
}
