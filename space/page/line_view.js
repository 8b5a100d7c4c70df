/** A line of copy with what can be done to it. */

import { plain } from "./chips.js";
import { announce, copy, make, makeButton } from "./dom.js";
import { teach } from "./feedback.js";
import { save, shown } from "./rounds.js";
import { follow, say, t } from "./texts.js";

/** A row with room for a line, so that a line that comes moves no other. Only its text is read out when it comes. */
export function makeRow() {
  const text = make("p", { className: "line", lang: "ko", dir: "auto" });
  const tools = make("div", { className: "tools", ariaLive: "off" });
  return make("li", { className: "pending" }, text, make("p", { className: "mark" }), tools);
}

/** Put a line into its row. `more` writes further ones like it. */
export function fillRow(row, round, column, line, more) {
  const [text, mark, tools] = row.children;
  text.id = `line-${round.id}-${Number(column.base)}-${line.id}`;
  row.className = "";
  const view = { round, column, line, row, text, mark, tools };
  const copyButton = makeButton("copy", () => {
    copy(shown(line), copyButton, "copy", t("copied_line", { line: shown(line) }));
  }, "copy");
  const verdicts = ["like", "dislike"].map((verdict) => makeVerdict(view, verdict));
  view.edit = makeButton("edit", () => edit(view));
  tools.append(copyButton, ...verdicts, view.edit, makeButton("more", () => more(shown(line))));
  for (const button of tools.children) button.setAttribute("aria-describedby", text.id);
  showText(view);
}

function showText({ text, mark, line }) {
  text.textContent = shown(line);
  say(mark, () => (line.edited ? t("edited") : ""));
}

function makeVerdict(view, verdict) {
  const { line, row, tools } = view;
  const button = makeButton(verdict, () => {
    line.verdict = line.verdict === verdict ? "" : verdict;
    for (const other of tools.querySelectorAll("[data-verdict]")) press(other, line);
    save();
    row.querySelector(".unsent")?.remove();
    if (line.verdict) teach(verdict, { ...view, focus: () => button.focus() });
    else if (line.sent) announce(t("kept_here"));
  });
  button.dataset.verdict = verdict;
  press(button, line);
  return button;
}

function press(button, line) {
  button.ariaPressed = String(button.dataset.verdict === line.verdict);
}

/** Edit in place: Enter saves, Escape leaves the line as it was. */
function edit(view) {
  const { line, text, tools } = view;
  const close = () => {
    editor.replaceWith(text);
    tools.hidden = false;
    view.edit.focus();
  };
  const accept = (words) => {
    const changed = words !== shown(line);
    line.edited = words === line.text ? "" : words;
    showText(view);
    close();
    save();
    if (changed) announce(t("saved"));
    if (changed && line.edited) teach("edit", { ...view, focus: () => view.edit.focus() });
  };
  const editor = makeEditor(text, accept, close);
  text.replaceWith(editor);
  tools.hidden = true;
  editor.firstChild.select();
}

function makeEditor({ id, textContent: value }, accept, close) {
  const field = make("textarea", { value, rows: 1, lang: "ko", dir: "auto", className: "line" });
  const wrong = make("p", { className: "wrong", id: `${id}-wrong` });
  follow(field, () => (field.ariaLabel = t("edit_line")));
  field.setAttribute("aria-describedby", wrong.id);
  const tryIt = () => {
    const words = plain(field.value);
    if (words) return accept(words);
    field.ariaInvalid = "true";
    say(wrong, () => t("edit_empty"));
    field.focus();
  };
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // the Enter that ends a syllable saves nothing
    if (event.key === "Enter") {
      event.preventDefault();
      tryIt();
    } else if (event.key === "Escape") {
      close();
    }
  });
  const buttons = make("div", { className: "tools" }, makeButton("save", tryIt), makeButton("cancel", close));
  return make("div", { className: "editor", ariaLive: "off" }, field, wrong, buttons);
}
