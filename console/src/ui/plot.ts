/** A small line plot of one measurement over hours. */

import type { Point } from "../model/history.ts";
import { svg } from "./dom.ts";

const [WIDTH, HEIGHT, PAD] = [240, 48, 3];

export interface Range {
  readonly least: number;
  readonly most: number;
}

export function rangeOf(points: readonly Point[]): Range {
  let [least, most] = [Infinity, -Infinity];
  for (const { value } of points) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return { least, most };
}

/** The path of a line within the plot; breaks where nothing was heard for two minutes. */
export function pathOf(points: readonly Point[], fromMs: number, toMs: number): string {
  const { least, most } = rangeOf(points);
  const span = most - least || Math.abs(most) || 1;
  const low = most === least ? least - span / 2 : least;
  let path = "";
  let before = -Infinity;
  for (const { atMs, value } of points) {
    const x = PAD + ((WIDTH - 2 * PAD) * (atMs - fromMs)) / Math.max(1, toMs - fromMs);
    const y = HEIGHT - PAD - ((HEIGHT - 2 * PAD) * (value - low)) / span;
    path += `${atMs - before > 120_000 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
    before = atMs;
  }
  return path;
}

export function plot(points: readonly Point[], label: string, nowMs: number): SVGElement {
  const from = Math.min(points[0]?.atMs ?? nowMs, nowMs - 10 * 60_000);
  const line = pathOf(points, from, nowMs);
  const [, x = "0", y = "0"] = /([\d.]+) ([\d.]+)$/.exec(line) ?? [];
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "plot", role: "img", "aria-label": label, preserveAspectRatio: "none" },
    svg("path", { d: `M0 ${HEIGHT - 0.5}H${WIDTH}`, class: "plot-base" }),
    svg("path", { d: line, class: "plot-line", fill: "none", "vector-effect": "non-scaling-stroke" }),
    svg("circle", { cx: x, cy: y, r: 2.4, class: "plot-dot" }),
  );
}
