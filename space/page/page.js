/** The desk: reads the brief, has it written, shows the rounds. */

import { announce, byId, make } from "./dom.js";
import { fitConsent, showConsent, watchConsent } from "./feedback.js";
import { fitForm, readRequest, wantsBoth, watchForm } from "./form.js";
import { showHistory, watchHistory } from "./history.js";
import { makeRoundView } from "./round_view.js";
import * as store from "./rounds.js";
import { Failure, readStatus, stop } from "./server.js";
import { either, language, loadTexts, namesOf, say, setLanguage, t } from "./texts.js";

const POLL = 1000; // milliseconds while the model loads
const POLL_TROUBLE = 4000; // and while something is wrong

const actions = { more, again, stop: stopWriting };
const views = new WeakMap(); // of rounds
let current = null; // the round that is being written, and what hangs up on its streams

async function boot() {
  await loadTexts();
  setLanguage(language());
  byId("unloaded").remove(); // it would appear after a while
  byId("language").addEventListener("click", switchLanguage);
  watchForm(press);
  watchConsent();
  watchHistory(render);
  store.restore();
  render();
  showWriting();
  addEventListener("pagehide", leave);
  addEventListener("pageshow", () => store.setLeaving(false)); // the browser may have kept the page for its back button
  await watchStatus();
}

/** Follow the server's state until the model is there. */
async function watchStatus() {
  for (let fitted = false; ; ) {
    let state = "problem";
    try {
      const status = await readStatus();
      state = status.state;
      if (!fitted || state === "ready") fit(status);
      fitted = true;
      say(byId("state"), () => (state === "ready" ? "" : either(status.message)));
      if (state === "ready") return;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      say(byId("state"), () => t("no_status"));
    }
    byId("state").className = state;
    await new Promise((resolve) => setTimeout(resolve, state === "loading" ? POLL : POLL_TROUBLE));
  }
}

/** Fit the page to what the server can do. */
function fit(status) {
  fitForm(status);
  fitConsent(status);
  showConsent(store.rounds.some(store.hasLines));
  byId("warning").hidden = !status.warning;
  if (status.warning) say(byId("warning"), () => either(status.warning));
  const named = Object.entries({ ...status.footer, engine: { name: status.engine } }).filter(([, found]) => found);
  byId("names").replaceChildren(...named.map(makeName));
}

function makeName([key, { name, url }]) {
  const label = make("span");
  say(label, () => `${namesOf("footer")[key]} `);
  return make("span", {}, label, url ? make("a", { href: url, target: "_blank", rel: "noopener" }, name) : name);
}

function switchLanguage() {
  setLanguage(language() === "ko" ? "en" : "ko");
  const url = new URL(location);
  url.searchParams.set("lang", language());
  history.replaceState(null, "", url); // a reload stays in this language
}

function press() {
  const request = current ? null : readRequest();
  if (current) announce(t("busy"));
  if (request) start(request, wantsBoth() ? [false, true] : [false]);
}

/** Write further lines like one of a round. */
function more(round, column, line) {
  if (current) announce(t("busy"));
  else start({ ...round.request, like: line }, [column.base], true);
}

/** Ask for a round again that has failed. */
function again(round) {
  if (current) announce(t("busy"));
  else start(round.request, round.columns.map(({ base }) => base), true);
}

/** Have a round written. `fromList`: the button that was pressed stands in the list, which is about to move. */
async function start(request, bases, fromList = false) {
  const round = store.makeRound(request, bases);
  const hangUp = new AbortController();
  store.add(round);
  current = { round, hangUp };
  render();
  showWriting();
  if (fromList) views.get(round).stop.focus({ preventScroll: true });
  bringIntoView(byId("result"));
  await Promise.all(round.columns.map((column) => store.fill(column, request, hangUp.signal, showProgress)));
  finish();
}

function showProgress() {
  store.save();
  const { stop, update } = views.get(current.round);
  const focused = document.activeElement === stop;
  update();
  if (focused && stop.hidden) byId("result-name").focus({ preventScroll: true });
  showConsent(store.rounds.some(store.hasLines));
}

function finish() {
  current = null;
  showWriting();
  showHistory();
}

function leave() {
  store.setLeaving(true);
  for (const { job } of current?.round.columns ?? []) stop(job);
}

function stopWriting() {
  for (const { job } of current.round.columns) stop(job);
  current.hangUp.abort();
}

/** The main button: pressed while writing it says so, and keeps the focus. */
function showWriting() {
  byId("write").ariaDisabled = String(Boolean(current));
  say(byId("write"), () => t(current ? "writing_button" : "write"));
}

/** Show all rounds, the newest apart. Their elements stay what they are, with what is being edited in them. */
function render() {
  const shown = store.rounds.map((round) => {
    if (!views.has(round)) views.set(round, makeRoundView(round, actions));
    return views.get(round);
  });
  for (const view of shown.slice(1)) view.retire();
  const [newest, ...others] = shown.map((view) => view.element);
  byId("empty").hidden = Boolean(newest);
  byId("current").replaceChildren(...(newest ? [newest] : []));
  byId("rounds").replaceChildren(...others);
  showHistory();
  showConsent(store.rounds.some(store.hasLines));
}

function bringIntoView(element) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const { top } = element.getBoundingClientRect();
  if (top > innerHeight * 0.6 || top < 0) element.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
}

boot();
