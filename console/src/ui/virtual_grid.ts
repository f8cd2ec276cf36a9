/**
 * A grid of thousands of tiles of which only the visible ones exist.
 *
 * Groups with headings, tiles of one height, absolute positions within one scrolled element. Arrow keys move between
 * tiles, whether they exist yet or not.
 */

import { h } from "./dom.ts";

export interface Group {
  readonly id: string;
  readonly keys: readonly string[];
}

/** Makes and updates what is visible. A tile is a link; `group` headings may be updated at any time. */
export interface Painter {
  tile(): HTMLAnchorElement;
  paintTile(tile: HTMLAnchorElement, key: string): void;
  heading(group: Group): HTMLElement;
  paintHeading(heading: HTMLElement, group: Group): void;
}

const TILE_HEIGHT = 82;
const HEADING_HEIGHT = 52;
const GAP = 10;
const LEAST_WIDTH = 208;
const OVERSCAN_PX = 240;

interface Place {
  readonly key: string;
  readonly x: number;
  readonly y: number;
}

export class VirtualGrid {
  readonly root: HTMLElement;
  private readonly surface: HTMLElement;
  private readonly list: HTMLElement;
  private groups: readonly Group[] = [];
  private places: Place[] = [];
  private headings: { group: Group; y: number }[] = [];
  private index = new Map<string, number>();
  private tiles = new Map<string, HTMLAnchorElement>();
  private shownHeadings = new Map<string, HTMLElement>();
  private spare: HTMLAnchorElement[] = [];
  private columns = 1;
  private width = 0;
  private tileWidth = LEAST_WIDTH;
  private focused = "";
  private readonly observer: ResizeObserver;

  constructor(
    private readonly painter: Painter,
    label: string,
  ) {
    this.list = h("div", { class: "grid-list", role: "list", "aria-label": label });
    this.surface = h("div", { class: "grid-surface" }, this.list);
    this.root = h("div", { class: "grid-scroller", onscroll: () => this.paint(), onkeydown: (event: KeyboardEvent) => this.key(event) }, this.surface);
    this.surface.addEventListener("focusin", (event) => {
      const key = (event.target as HTMLElement).dataset["key"];
      if (key) this.focused = key;
    });
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(this.root);
  }

  close(): void {
    this.observer.disconnect();
  }

  /** Lay out anew if the order changed. */
  setGroups(groups: readonly Group[]): void {
    if (this.width === 0) this.width = this.surface.clientWidth;
    if (!same(groups, this.groups) || this.tileWidth <= 0) {
      this.groups = groups;
      this.layout();
    }
    this.paint();
  }

  /** Repaint these tiles, as far as they are visible. */
  repaint(keys: ReadonlySet<string>): void {
    for (const key of keys) {
      const tile = this.tiles.get(key);
      if (tile) this.painter.paintTile(tile, key);
    }
    for (const { group } of this.headings) {
      const heading = this.shownHeadings.get(group.id);
      if (heading) this.painter.paintHeading(heading, group);
    }
  }

  repaintAll(): void {
    this.repaint(new Set(this.tiles.keys()));
  }

  get visible(): number {
    return this.tiles.size;
  }

  private resized(): void {
    const width = this.surface.clientWidth;
    if (width === this.width) return this.paint();
    this.width = width;
    this.layout();
    this.paint();
  }

  private layout(): void {
    if (!this.width) this.width = this.surface.clientWidth;
    this.columns = Math.max(1, Math.floor((this.width + GAP) / (LEAST_WIDTH + GAP)));
    this.tileWidth = (this.width - GAP * (this.columns - 1)) / this.columns;
    this.places = [];
    this.headings = [];
    this.index.clear();
    let y = 0;
    for (const group of this.groups) {
      this.headings.push({ group, y });
      y += HEADING_HEIGHT;
      group.keys.forEach((key, number) => {
        const column = number % this.columns;
        this.index.set(key, this.places.length);
        this.places.push({ key, x: column * (this.tileWidth + GAP), y: y + Math.floor(number / this.columns) * (TILE_HEIGHT + GAP) });
      });
      y += Math.ceil(group.keys.length / this.columns) * (TILE_HEIGHT + GAP) + 6;
    }
    this.surface.style.height = `${y}px`;
  }

  private paint(): void {
    const from = this.root.scrollTop - OVERSCAN_PX;
    const to = this.root.scrollTop + this.root.clientHeight + OVERSCAN_PX;
    const first = lowerBound(this.places, from - TILE_HEIGHT);
    const visible = new Set<string>();
    for (let at = first; at < this.places.length && this.places[at]!.y < to; at++) visible.add(this.places[at]!.key);
    for (const [key, tile] of this.tiles) {
      if (visible.has(key) || tile === document.activeElement) continue;
      this.tiles.delete(key);
      tile.parentElement?.remove();
      if (this.spare.length < 200) this.spare.push(tile);
    }
    for (const key of visible) this.place(key);
    if (this.tiles.has(this.focused) && !visible.has(this.focused) && this.index.has(this.focused)) this.place(this.focused);
    this.paintHeadings(from, to);
  }

  private place(key: string): void {
    const at = this.index.get(key)!;
    const { x, y } = this.places[at]!;
    let tile = this.tiles.get(key);
    if (!tile) {
      tile = this.spare.pop() ?? this.painter.tile();
      tile.dataset["key"] = key;
      this.tiles.set(key, tile);
      this.painter.paintTile(tile, key);
      this.list.append(item(tile));
    }
    const holder = tile.parentElement as HTMLElement;
    const transform = `translate(${x}px, ${y}px)`;
    if (holder.style.transform !== transform) holder.style.transform = transform;
    const width = `${this.tileWidth}px`;
    if (holder.style.width !== width) holder.style.width = width;
    const [size, position] = [String(this.places.length), String(at + 1)];
    if (holder.getAttribute("aria-setsize") !== size) holder.setAttribute("aria-setsize", size);
    if (holder.getAttribute("aria-posinset") !== position) holder.setAttribute("aria-posinset", position);
  }

  private paintHeadings(from: number, to: number): void {
    const wanted = new Set<string>();
    for (const { group, y } of this.headings) {
      if (y < from - HEADING_HEIGHT || y > to) continue;
      wanted.add(group.id);
      let heading = this.shownHeadings.get(group.id);
      if (!heading) {
        heading = this.painter.heading(group);
        this.shownHeadings.set(group.id, heading);
        this.surface.append(heading);
      }
      this.painter.paintHeading(heading, group);
      heading.style.transform = `translateY(${y}px)`;
    }
    for (const [id, heading] of this.shownHeadings) {
      if (wanted.has(id)) continue;
      this.shownHeadings.delete(id);
      heading.remove();
    }
  }

  private key(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns, Home: -Infinity, End: Infinity }[event.key];
    const at = this.index.get((event.target as HTMLElement).dataset["key"] ?? "");
    if (step === undefined || at === undefined) return;
    event.preventDefault();
    const to = this.places[Math.min(this.places.length - 1, Math.max(0, at + step))]!;
    if (to.y < this.root.scrollTop) this.root.scrollTop = to.y - HEADING_HEIGHT;
    else if (to.y + TILE_HEIGHT > this.root.scrollTop + this.root.clientHeight) {
      this.root.scrollTop = to.y + TILE_HEIGHT + GAP - this.root.clientHeight;
    }
    this.paint();
    this.place(to.key);
    this.tiles.get(to.key)!.focus({ preventScroll: true });
  }
}

/** A tile's place in the list; made once per tile. */
function item(tile: HTMLAnchorElement): HTMLElement {
  return (tile.parentElement as HTMLElement | null) ?? h("div", { class: "grid-item", role: "listitem" }, tile);
}

function lowerBound(places: readonly Place[], y: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[middle]!.y < y) low = middle + 1;
    else high = middle;
  }
  return low;
}

function same(one: readonly Group[], other: readonly Group[]): boolean {
  return (
    one.length === other.length &&
    one.every((group, at) => {
      const twin = other[at]!;
      return group.id === twin.id && group.keys.length === twin.keys.length && group.keys.every((key, number) => key === twin.keys[number]);
    })
  );
}
