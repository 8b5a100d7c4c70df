/** The rounds of this visit under the newest one; all of them as a CSV file. */

import { byId, make } from "./dom.js";
import * as store from "./rounds.js";
import { language, say, setLanguage, t } from "./texts.js";

const HAZARD = /^[=+\-@\t\r\n＝＋－＠]/; // a spreadsheet takes these for a formula

let cleared = [];

/** `render` shows the rounds anew. */
export function watchHistory(render) {
  byId("download").addEventListener("click", download);
  byId("clear").addEventListener("click", () => {
    cleared = store.rounds;
    store.replace(cleared.filter(store.isRunning));
    render();
    byId("undo").focus();
  });
  byId("undo").addEventListener("click", () => {
    store.replace([...store.rounds, ...cleared.filter((round) => !store.rounds.includes(round))]);
    cleared = [];
    render();
    setLanguage(language()); // it may have changed meanwhile
    byId("clear").focus();
  });
}

/** Show the buttons and the sentence that fit what there is. */
export function showHistory() {
  const any = store.rounds.some(store.hasLines);
  byId("history").hidden = !any && !cleared.length;
  for (const id of ["download", "clear"]) byId(id).hidden = !any;
  byId("undo").hidden = !cleared.length;
  say(byId("history-hint"), () => t(!any ? "cleared" : store.kept ? "history_hint" : "history_unkept"));
}

function download() {
  const bytes = new Blob(["\ufeff", toCsv(store.rounds)], { type: "text/csv;charset=utf-8" });
  const url = URL.createObjectURL(bytes);
  make("a", { href: url, download: `hanjul-${new Date().toLocaleDateString("sv")}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function toCsv(rounds) {
  const names = ["time", "product", "values", "line", "original", "verdict", "model"];
  const rows = rounds.flatMap(({ time, request, columns }) =>
    columns.flatMap(({ base, lines }) =>
      lines.map((line) => [
        ...[new Date(time).toLocaleString(language()), request.product, request.values.join(", ")],
        ...[store.shown(line), line.edited && line.text, line.verdict && t(line.verdict)],
        t(base ? "base" : "adapter"),
      ]),
    ),
  );
  return [names.map((name) => t(`csv_${name}`)), ...rows].map((row) => `${row.map(toCell).join(",")}\r\n`).join("");
}

function toCell(text) {
  return `"${text.replace(HAZARD, "'$&").replaceAll('"', '""')}"`;
}
