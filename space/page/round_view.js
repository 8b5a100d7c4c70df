/** A round on screen: what was asked for, a sentence for how it goes, the lines. */

import { copy, make, makeButton } from "./dom.js";
import { fillRow, makeRow } from "./line_view.js";
import { hasLines, isRunning, shown } from "./rounds.js";
import { sentenceOf } from "./server.js";
import { follow, language, namesOf, say, t } from "./texts.js";

/**
 * A round's element with its stop button, `update`, to be called whenever the round has changed, and `retire`, after
 * which nothing of it is read out unasked.
 *
 * `actions`: more(round, column, line), again(round), stop().
 */
export function makeRoundView(round, actions) {
  const views = round.columns.map((column) => makeColumn(round, column, actions));
  const stop = makeButton("stop", actions.stop, "stop");
  const copyAll = makeButton("copy_all", () => {
    const lines = round.columns.flatMap((column) => column.lines.map(shown));
    copy(lines.join("\n"), copyAll, "copy_all", t("copied_all", { n: lines.length }));
  });
  const tools = make("div", { className: "tools" }, stop, copyAll);
  const head = make("div", { className: "bar" }, makeTitle(round), tools);
  const columns = make("div", { className: "columns" }, ...views.map((view) => view.element));
  const element = make("article", { className: "round" }, head, columns);
  const update = () => {
    for (const view of views) view.update();
    stop.hidden = !isRunning(round);
    copyAll.hidden = isRunning(round) || !hasLines(round);
  };
  const retire = () => views.forEach((view) => view.retire());
  update();
  return { element, stop, update, retire };
}

function makeTitle({ request, time }) {
  const title = make("h3", {}, make("bdi", {}, request.product), " ", make("bdi", {}, request.values.join(", ")));
  const when = make("time", { dateTime: time });
  follow(when, () => {
    const clock = new Intl.DateTimeFormat(language(), { hour: "numeric", minute: "2-digit" });
    when.textContent = clock.format(new Date(time)) + (request.like ? ` · ${t("like_this", { line: request.like })}` : "");
  });
  return make("div", {}, title, when);
}

function makeColumn(round, column, actions) {
  const said = make("p", { className: "said", role: "status" });
  const again = makeButton("again", () => actions.again(round), "again");
  const list = make("ol", { className: "lines", ariaLive: "polite" });
  follow(list, () => (list.ariaLabel = t("lines")));
  const left = make("p", { className: "left hint" }); // under the lines: a sentence that grows would move them
  const element = make("section", { className: "column" }, make("div", { className: "how" }, said, again), list, left);
  if (round.columns.length > 1 || column.base) {
    const name = make("h4");
    say(name, () => t(column.base ? "base" : "adapter"));
    element.prepend(name);
  }
  let filled = 0;
  const update = () => {
    const ended = !isRunning({ columns: [column] });
    said.className = `said ${column.state}`;
    said.role = column.state === "problem" ? "alert" : "status";
    say(said, () => sentenceFor(column));
    say(left, () => (ended ? leftOut(column) : ""));
    again.hidden = !["problem", "interrupted"].includes(column.state);
    while (list.children.length < (ended ? column.lines.length : column.asked)) list.append(makeRow());
    for (; filled < column.lines.length; filled += 1) {
      const more = (line) => actions.more(round, column, line);
      fillRow(list.children[filled], round, column, column.lines[filled], more);
    }
    if (ended) for (const row of list.querySelectorAll(".pending")) row.remove();
  };
  const retire = () => {
    said.removeAttribute("role");
    list.ariaLive = "off";
  };
  return { element, update, retire };
}

/** How a column goes, or how it ended. Why there are fewer lines than asked for, the server knows. */
function sentenceFor(column) {
  const n = column.lines.length;
  if (column.state === "problem") {
    return [sentenceOf(column.problem), ...(n ? [t("kept", { n })] : [])].join(" ");
  }
  if (column.state === "loading" && column.message) return column.message;
  if (column.state === "waiting") return t(column.ahead ? "waiting" : "next", column);
  if (column.state !== "done") return t(column.state, { n });
  return n < column.asked ? column.message : t("chosen", { n, written: column.written });
}

/** What was written and is not shown, most of it first. */
function leftOut({ dropped }) {
  const counts = new Map();
  for (const [reason, n] of Object.entries(dropped)) {
    const name = namesOf("reasons")[reason] ?? t("other_reason");
    counts.set(name, (counts.get(name) ?? 0) + n);
  }
  const reasons = [...counts].sort(([, a], [, b]) => b - a).map(([name, n]) => t("reason", { name, n }));
  return reasons.length ? t("dropped", { reasons: reasons.join(", ") }) : "";
}
