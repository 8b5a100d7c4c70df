/** Small pieces of the page. Text only ever enters as text. */

import { say, t } from "./texts.js";

const COPIED = 1500; // milliseconds
const flashes = new WeakMap();

export const byId = (id) => document.getElementById(id);

/** An element with its properties and what stands in it. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** A button whose name is the text of `key`. */
export function makeButton(key, press, className = "") {
  const button = make("button", { type: "button", className });
  say(button, () => t(key));
  button.addEventListener("click", press);
  return button;
}

/** Have a screen reader say it, also when it says the same twice. */
export function announce(text) {
  byId("announce").textContent = "";
  setTimeout(() => (byId("announce").textContent = text), 50);
}

/** Copy, and say so on the button and aloud: `sentence` is what is announced. */
export async function copy(text, button, key, sentence) {
  if (!(await copied(text))) {
    announce(t("copy_failed"));
    say(button, () => t("copy_failed"));
    return;
  }
  announce(sentence);
  say(button, () => t("copied"));
  clearTimeout(flashes.get(button));
  flashes.set(button, setTimeout(() => say(button, () => t(key)), COPIED));
}

/** Whether the text is on the clipboard. Without HTTPS, or in a frame without the permission, there is no API for it. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const focused = document.activeElement;
    const area = make("textarea", { value: text, className: "unseen" });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    focused.focus();
    return done;
  }
}
