/** What a visitor's verdict teaches: sent where the server keeps it and the visitor has not switched it off. */

import { announce, byId, make, makeButton } from "./dom.js";
import { shown } from "./rounds.js";
import { Failure, sendFeedback, sentenceOf } from "./server.js";
import { keep, recall } from "./storage.js";
import { say, t } from "./texts.js";

const TEACH = "hanjul.teach";
let kept = false; // by the server

export const teaches = () => kept && byId("teach").checked;

export function watchConsent() {
  byId("teach").checked = recall("localStorage", TEACH, true);
  byId("teach").addEventListener("change", () => keep("localStorage", TEACH, byId("teach").checked));
}

export function fitConsent({ feedback }) {
  kept = feedback;
}

/** Show the consent line once there is something to judge. */
export function showConsent(anyLines) {
  byId("consent").hidden = !(kept && anyLines);
}

/** Send a verdict on a line; a failure is told in the line's row, with a button to repeat it. */
export async function teach(kind, { round, column, line, row, focus }) {
  if (!teaches()) return;
  row.querySelector(".unsent")?.remove();
  const judged = kind === "edit" ? { line: line.text, edited: line.edited } : { line: shown(line), edited: "" };
  try {
    await sendFeedback({
      ...{ kind, product: round.request.product, values: round.request.values, ...judged },
      others: column.lines.filter((other) => other !== line).map(shown),
    });
    line.sent = true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    row.append(makeUnsent(error.problem, async () => {
      focus();
      await teach(kind, { round, column, line, row, focus });
      if (!row.querySelector(".unsent")) announce(t("sent"));
    }));
  }
}

function makeUnsent(problem, repeat) {
  const sentence = make("span");
  say(sentence, () => `${t("feedback_failed")} ${sentenceOf(problem)}`);
  const said = make("p", { className: "unsent problem", role: "alert" }, sentence);
  said.append(makeButton("send_again", repeat));
  return said;
}
