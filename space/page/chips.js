/** The field of values: what is typed or pasted becomes chips. */

import { announce, byId, make } from "./dom.js";
import { follow, t } from "./texts.js";

/** What parts two values, as `part_values` of request.py has it. */
const SEPARATORS = /[;；、|｜\n\r\u2028]|(?<!\d)[,，]|[,，](?!\d{3}(?!\d))|(?<!\d)[·ㆍ・‧•]|[·ㆍ・‧•](?!\d)/u;
/** A number that may still go on: `1,` on the way to `1,000원`, `3·` on the way to `3·1절`. */
const UNDECIDED = /\d[,，]\d{0,3}$|\d[·ㆍ・‧•]$/u;

const input = byId("values");
const list = byId("chips");
let chosen = [];

export const getValues = () => [...chosen];

/** One line of text: NFC, no control characters, single spaces. */
export const plain = (text) => text.normalize("NFC").replace(/[\p{C}\s]+/gu, " ").trim();

export function setValues(values) {
  chosen = [];
  list.replaceChildren();
  input.value = "";
  addValues(values);
}

/** Make chips of all that stands in the field. */
export function commit() {
  const parts = input.value.split(SEPARATORS);
  input.value = "";
  addValues(parts);
}

export function watchChips() {
  follow(input, () => (input.placeholder = chosen.length ? "" : t("values_example")));
  input.addEventListener("input", (event) => {
    if (event.isComposing || UNDECIDED.test(input.value) || !SEPARATORS.test(input.value)) return;
    const parts = input.value.split(SEPARATORS);
    input.value = parts.pop().trimStart();
    addValues(parts);
  });
  input.addEventListener("compositionend", () => input.dispatchEvent(new Event("input", { bubbles: true })));
  input.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text");
    if (!SEPARATORS.test(text)) return;
    event.preventDefault(); // a field of one line would run pasted lines together
    const { value, selectionStart, selectionEnd } = input;
    input.value = "";
    addValues((value.slice(0, selectionStart) + text + value.slice(selectionEnd)).split(SEPARATORS));
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && input.value.trim()) {
      event.preventDefault(); // an Enter in the empty field sends the form
      commit();
    } else if (event.key === "Backspace" && !input.value && chosen.length) {
      remove(chosen.at(-1));
    }
  });
}

function addValues(values) {
  for (const value of values.map(plain)) {
    if (!value || chosen.includes(value)) continue;
    chosen.push(value);
    list.append(make("li", {}, makeChip(value)));
  }
  changed();
}

function makeChip(value) {
  const chip = make("button", { type: "button", className: "chip", dir: "auto" }, value);
  chip.addEventListener("click", () => remove(value));
  follow(chip, () => (chip.ariaLabel = t("remove", { value })));
  return chip;
}

function remove(value) {
  const place = chosen.indexOf(value);
  chosen.splice(place, 1);
  list.children[place].remove();
  input.focus();
  announce(t("removed", { value }));
  changed();
}

function changed() {
  input.placeholder = chosen.length ? "" : t("values_example");
  input.dispatchEvent(new Event("change", { bubbles: true }));
}
