/** What was written in this visit: rounds, newest first. A round is one press, with one or two columns of lines. */

import { keep, recall } from "./storage.js";
import { Failure, makeId, write } from "./server.js";

const RUNNING = new Set(["starting", "loading", "waiting", "writing"]);

export let rounds = [];
export let kept = true; // whether a reload brings them back
let leaving = false;

export const isRunning = (round) => round.columns.some((column) => RUNNING.has(column.state));
export const hasLines = (round) => round.columns.some((column) => column.lines.length);
export const shown = (line) => line.edited || line.text;

/** A round at its start. `bases` says for each column whether the base model writes it. */
export function makeRound(request, bases) {
  const columns = bases.map((base) => ({
    ...{ base, job: makeId(), state: "starting", message: "", ahead: 0, asked: request.count, written: 0 },
    ...{ dropped: {}, lines: [], problem: null },
  }));
  return { id: makeId(), time: new Date().toISOString(), request, columns };
}

/** Put a round first; one without lines leaves nothing behind. */
export function add(round) {
  replace([round, ...rounds.filter(hasLines)]);
}

export function replace(others) {
  rounds = others;
  save();
}

/** On the way out streams break: what is kept from then on is what a reload finds as it was. */
export function setLeaving(state) {
  leaving = state;
}

export function save() {
  if (!leaving) kept = keep("sessionStorage", "hanjul.rounds", rounds);
}

/** Bring back what a reload left; what was being written then has been interrupted. */
export function restore() {
  rounds = recall("sessionStorage", "hanjul.rounds", []);
  for (const column of rounds.flatMap((round) => round.columns)) {
    if (RUNNING.has(column.state)) column.state = "interrupted";
  }
}

/** Have one column written; `changed` is called after every event, the last time when it has ended. */
export async function fill(column, request, signal, changed) {
  try {
    for await (const snapshot of write(request, column.base, column.job, signal)) {
      take(column, snapshot);
      changed();
    }
    if (RUNNING.has(column.state)) throw new Failure("failed");
  } catch (error) {
    if (signal.aborted) {
      column.state = "stopped";
    } else {
      if (!(error instanceof Failure)) console.error(error);
      column.state = "problem";
      column.problem = (error instanceof Failure ? error : new Failure("failed")).problem;
    }
  }
  changed();
}

/** Take what an event says. Lines only ever come: what a visitor has done to one stays. */
function take(column, { lines, ...facts }) {
  const known = new Set(column.lines.map(({ id }) => id));
  const fresh = lines.filter(({ id }) => !known.has(id)).map((line) => ({ ...line, edited: "", verdict: "" }));
  Object.assign(column, facts, { base: column.base, lines: [...column.lines, ...fresh] });
  if (facts.state === "problem") column.problem = { key: "failed", fields: {}, sentence: facts.message };
}
