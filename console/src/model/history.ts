/** Measurements of one board over hours, as far as this page saw them. */

import type { Health } from "../fleet/types.ts";

export const METRICS = ["fps", "latency_p95_ms", "offset_p95_ms", "temperature_c", "memory_free_mb", "load"] as const;
export type Metric = (typeof METRICS)[number];

const EVERY_MS = 20_000;
export const MOST_POINTS = 4 * 180; // four hours
const FIRST_POINTS = 32;

export interface Point {
  readonly atMs: number;
  readonly value: number;
}

export class History {
  count = 0;
  private start = 0;
  private times = new Float64Array(FIRST_POINTS);
  private values = new Float32Array(FIRST_POINTS * METRICS.length);

  /** Keep a measurement unless one was kept a moment ago. */
  add(health: Health, nowMs: number): void {
    if (this.count && nowMs - this.times[this.slot(this.count - 1)]! < EVERY_MS) return;
    if (this.count === this.times.length && this.count < MOST_POINTS) this.grow();
    if (this.count === this.times.length) {
      this.start = (this.start + 1) % this.times.length;
      this.count -= 1;
    }
    const slot = this.slot(this.count);
    this.times[slot] = nowMs;
    METRICS.forEach((metric, index) => {
      this.values[slot * METRICS.length + index] = health[metric] ?? Number.NaN;
    });
    this.count += 1;
  }

  /** The known values of a metric, oldest first. */
  points(metric: Metric): Point[] {
    const index = METRICS.indexOf(metric);
    const points: Point[] = [];
    for (let number = 0; number < this.count; number++) {
      const slot = this.slot(number);
      const value = this.values[slot * METRICS.length + index]!;
      if (!Number.isNaN(value)) points.push({ atMs: this.times[slot]!, value });
    }
    return points;
  }

  private slot(number: number): number {
    return (this.start + number) % this.times.length;
  }

  private grow(): void {
    const times = new Float64Array(Math.min(MOST_POINTS, this.times.length * 2));
    times.set(this.times);
    const values = new Float32Array(times.length * METRICS.length);
    values.set(this.values);
    this.times = times;
    this.values = values;
  }
}
