/** A day's report: figures, unanswered questions, a CSV to take away. */

import { csv, type Row } from "../model/report.ts";
import type { App, View } from "./app.ts";
import { h, setHidden, setText } from "./dom.ts";
import { fill } from "./format.ts";
import { saveFile } from "./kiosk/bundle.ts";

const MOST_ROWS = 500;
const EVERY_MS = 2000;

export class ReportPage implements View {
  readonly root: HTMLElement;
  readonly title: string;
  private readonly since = h("p", { class: "muted" });
  private readonly figures = new Map<string, HTMLElement>();
  private readonly body = h("tbody", {});
  private readonly table: HTMLElement;
  private readonly empty: HTMLElement;
  private readonly questions = h("ol", { class: "questions" });
  private readonly noQuestions: HTMLElement;
  private shownMs = -Infinity;

  constructor(private readonly app: App) {
    const { reportPage: text, report } = app.format.text;
    this.title = report;
    const heads = [text.visits, text.share, text.unanswered, text.handedOver, text.turns, text.latency, text.latency95, text.faults, text.up];
    this.table = h(
      "div",
      { class: "table-holder", tabindex: "0", role: "region", "aria-label": text.heading },
      h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, text.kiosk), ...heads.map((head) => h("th", { scope: "col", class: "number" }, head)))), this.body),
    );
    this.empty = h("div", { class: "empty" }, h("p", { class: "empty-title" }, text.none), h("p", { class: "muted" }, text.noneHint));
    this.noQuestions = h("p", { class: "panel-empty" }, text.noQuestions);
    const cards = ([["visits", text.visits], ["share", text.share], ["latency", text.latency95], ["up", text.up]] as const).map(([name, label]) => {
      const value = h("span", { class: "figure-value" }, "–");
      this.figures.set(name, value);
      return h("div", { class: "figure card" }, value, h("span", { class: "figure-label" }, label));
    });
    this.root = h(
      "main",
      { class: "page report", id: "content" },
      h(
        "div",
        { class: "page-head" },
        h("div", {}, h("h1", {}, text.heading), this.since),
        h(
          "div",
          { class: "button-row" },
          h("button", { type: "button", class: "button", onclick: () => this.restart() }, text.restart),
          h("button", { type: "button", class: "button primary", onclick: () => this.save() }, text.csv),
        ),
      ),
      h("div", { class: "figure-cards" }, ...cards),
      this.empty,
      this.table,
      h("section", { class: "panel" }, h("h2", {}, text.questions), this.noQuestions, this.questions),
    );
  }

  mounted(): void {
    this.show();
  }

  update(): void {
    if (Date.now() - this.shownMs > EVERY_MS) this.show();
  }

  tick(): void {
    this.update();
  }

  connectionChanged(): void {}

  unmount(): void {}

  private show(): void {
    const { format, fleet } = this.app;
    const { reportPage: text } = format.text;
    const nowMs = (this.shownMs = Date.now());
    setText(this.since, fill(text.since, { time: format.date(fleet.report.sinceMs) }));
    const rows = fleet.report.rows(nowMs);
    const total = fleet.report.total(nowMs);
    const figures: Readonly<Record<string, string>> = {
      visits: format.number(total.visits),
      share: format.percent(total.share),
      latency: format.ms(total.latencyP95Ms),
      up: format.percent(total.up),
    };
    for (const [name, node] of this.figures) setText(node, figures[name]!);
    setHidden(this.empty, rows.length > 0);
    setHidden(this.table, rows.length === 0);
    this.body.replaceChildren(this.row(total, true), ...rows.slice(0, MOST_ROWS).map((row) => this.row(row)));
    this.showQuestions();
  }

  private row(row: Row, total = false): HTMLElement {
    const { format } = this.app;
    const cells = [
      format.number(row.visits),
      format.percent(row.share),
      format.number(row.unanswered),
      format.number(row.handedOver),
      format.number(row.turns),
      format.ms(row.latencyP50Ms),
      format.ms(row.latencyP95Ms),
      format.number(row.faults),
      format.percent(row.up),
    ];
    const name = total ? format.text.reportPage.all : h("a", { href: `#/kiosk/${row.key}` }, row.key);
    return h("tr", { class: total ? "total" : "" }, h("th", { scope: "row" }, name), ...cells.map((cell) => h("td", { class: "number" }, cell)));
  }

  private showQuestions(): void {
    const questions = this.app.fleet.report.unanswered().slice(0, 100);
    setHidden(this.noQuestions, questions.length > 0);
    this.questions.replaceChildren(
      ...questions.map(({ text, count, key }) =>
        h("li", {}, h("span", { class: "question-text", dir: "auto" }, text), h("span", { class: "muted small" }, `${this.app.format.number(count)} × · ${key}`)),
      ),
    );
  }

  private restart(): void {
    this.app.fleet.report.restart(Date.now());
    this.show();
  }

  private save(): void {
    const { report } = this.app.fleet;
    const nowMs = Date.now();
    const rows = [...report.rows(nowMs), report.total(nowMs)];
    const head = ["kiosk", "visits", "answered", "unanswered", "answered_share", "handed_over", "turns", "first_sound_p50_ms", "first_sound_p95_ms", "faults", "online_share", "from", "to"];
    const [from, to] = [new Date(report.sinceMs).toISOString(), new Date(nowMs).toISOString()];
    const table = rows.map((row) => [
      row.key || "total", row.visits, row.answered, row.unanswered, row.share, row.handedOver, row.turns,
      row.latencyP50Ms, row.latencyP95Ms, row.faults, row.up, from, to,
    ]);
    const questions = report.unanswered().map(({ key, text, count }) => [key, text, count]);
    const whole = csv([head, ...table]) + (questions.length ? csv([[], ["kiosk", "unanswered_question", "count"], ...questions]) : "");
    // The mark lets spreadsheets read UTF-8.
    saveFile(`${this.app.format.text.reportPage.file}-${to.slice(0, 10)}.csv`, "text/csv", `\ufeff${whole}`);
  }
}
