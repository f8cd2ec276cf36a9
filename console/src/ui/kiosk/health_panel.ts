/** Plots of a board's health over the hours that this page saw. */

import type { Board } from "../../model/board.ts";
import { METRICS, type Metric } from "../../model/history.ts";
import { h, setHidden, setText } from "../dom.ts";
import { fill, type Format } from "../format.ts";
import { plot, rangeOf } from "../plot.ts";

const UNITS: Readonly<Record<Metric, string>> = {
  fps: "", latency_p95_ms: " ms", offset_p95_ms: " ms", temperature_c: " °C", memory_free_mb: " MB", load: "",
};
const DIGITS: Readonly<Partial<Record<Metric, number>>> = { fps: 1, load: 2 };

export class HealthPanel {
  readonly root: HTMLElement;
  private readonly rows = new Map<Metric, { root: HTMLElement; value: HTMLElement; plot: HTMLElement }>();
  private readonly empty: HTMLElement;
  private readonly since = h("p", { class: "muted small" });
  private drawn = -1;

  constructor(private readonly format: Format) {
    const { kiosk: text } = format.text;
    this.empty = h("p", { class: "panel-empty" }, text.noHealth);
    this.root = h("section", { class: "panel health" }, h("h2", {}, text.health), this.empty);
    const metrics = h("div", { class: "metrics" });
    for (const metric of METRICS) {
      const value = h("span", { class: "metric-value" });
      const holder = h("div", { class: "metric-plot" });
      const root = h("div", { class: "metric", hidden: true }, h("span", { class: "metric-name" }, text.metrics[metric]), value, holder);
      this.rows.set(metric, { root, value, plot: holder });
      metrics.append(root);
    }
    this.root.append(metrics, this.since);
  }

  update(board: Board): void {
    const { history, health } = board;
    setHidden(this.empty, history !== null && history.count > 0);
    if (!history || !health || this.drawn === board.healthAtMs) return;
    this.drawn = board.healthAtMs;
    const nowMs = Date.now();
    for (const [metric, row] of this.rows) {
      const points = history.points(metric);
      setHidden(row.root, points.length === 0);
      if (!points.length) continue;
      const show = (value: number | null): string => this.format.number(value, DIGITS[metric] ?? 0) + UNITS[metric];
      const { least, most } = rangeOf(points);
      const now = show(health[metric]);
      const name = this.format.text.kiosk.metrics[metric];
      setText(row.value, now);
      const label = fill(this.format.text.kiosk.metricNow, { name, now, least: show(least), most: show(most) });
      row.plot.replaceChildren(plot(points, label, nowMs));
    }
    const first = history.points("fps")[0] ?? history.points("memory_free_mb")[0];
    setText(this.since, first ? fill(this.format.text.kiosk.healthSince, { time: this.format.time(first.atMs) }) : "");
  }
}
