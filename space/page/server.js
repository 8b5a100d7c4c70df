/** The server's side of the page. Every way to fail ends as a `Failure`, which has a sentence. */

import { quotaHeaders } from "./quota.js";
import { language, t } from "./texts.js";

const ROOT = new URL("../", import.meta.url);
const SILENCE = 45; // seconds; Gradio sends a heartbeat every 15
const VISIT = makeId();

/** What went wrong: a key of the texts, or the sentence that the server gave. */
export class Failure extends Error {
  constructor(key, fields = {}, sentence = "") {
    super(key);
    this.problem = { key, fields, sentence };
  }
}

export const sentenceOf = ({ key, fields, sentence }) => sentence || t(key, fields);

/** Random, and possible on pages without HTTPS too. */
export function makeId() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const readStatus = async () => (await reach("status")).json();

export const sendFeedback = (feedback) => post("feedback", { ...feedback, lang: language() });

/** Stop a job. Its stream ends here in any case, which the server notices too, so a failure changes nothing. */
export const stop = (job) => post("stop", { job }, { keepalive: true }).catch(() => {});

/** The snapshots of one job, as they come. */
export async function* write({ product, values, count, temperature, device, tone, like }, base, job, signal) {
  const data = [product, values, count, temperature, device, tone, base, like, language(), VISIT, job];
  const headers = await quotaHeaders();
  const { event_id: id } = await (await post("gradio_api/call/write", { data }, { signal, headers })).json();
  const { body } = await reach(`gradio_api/call/write/${id}`, { signal });
  for await (const { event, data } of messages(body)) {
    if (event === "error") throw new Failure("failed");
    const [snapshot] = JSON.parse(data) ?? [];
    if (snapshot) yield snapshot;
    if (event === "complete") return;
  }
  throw new Failure("lost");
}

function post(path, content, { headers = {}, ...options } = {}) {
  const all = { ...headers, "Content-Type": "application/json" };
  return reach(path, { method: "POST", headers: all, body: JSON.stringify(content), ...options });
}

async function reach(path, options = {}) {
  const response = await orFailure(fetch(new URL(path, ROOT), options));
  if (response.ok) return response;
  const { message } = await response.json().catch(() => ({}));
  const key = response.status === 503 ? "crowded" : "refused";
  throw new Failure(key, { status: response.status }, message);
}

/** The events of a stream (server-sent events). */
async function* messages(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await orFailure(reader.read());
      if (done) return;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) yield Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/, 2)));
    }
  } finally {
    reader.cancel().catch(() => {}); // hangs up; fails where the line is dead already
  }
}

/** What the network gives, in time. */
async function orFailure(pending) {
  let timer;
  const silence = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Failure("silent", { seconds: SILENCE })), SILENCE * 1000);
  });
  try {
    return await Promise.race([pending, silence]);
  } catch (error) {
    if (error instanceof Failure || error.name === "AbortError") throw error;
    throw new Failure(navigator.onLine ? "lost" : "offline");
  } finally {
    clearTimeout(timer);
  }
}
