/** Every word of the page in the visitor's language; what is already on screen follows when the language changes. */

const PLACEHOLDER = /\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g;
const STATIC = { text: "textContent", placeholder: "placeholder", label: "ariaLabel" };
const followers = new WeakMap();
let texts = {};

export async function loadTexts() {
  texts = await (await fetch(new URL("texts.json", import.meta.url))).json();
}

export const language = () => document.documentElement.lang;

/** A sentence. `{n}` becomes the field, `{n|line|lines}` the field with the word that fits the number. */
export function t(key, fields = {}) {
  return texts[language()][key].replace(PLACEHOLDER, (_, name, one, many) =>
    one === undefined ? String(fields[name]) : `${fields[name]} ${fields[name] === 1 ? one : many}`,
  );
}

/** The names of what the server calls by keys: reasons, devices, tones, what stands in the footer. */
export const namesOf = (group) => texts[language()][group];

/** The words of a sentence that the server sends in both languages. */
export const either = (sentence) => sentence[language()];

/** Let `write` put words on an element, now and whenever the language changes. */
export function follow(element, write) {
  followers.set(element, write);
  element.dataset.follows = "";
  write(element);
}

/** Set an element's text, now and whenever the language changes; the same text again is no change to a screen reader. */
export function say(element, sentence) {
  follow(element, () => {
    const text = sentence();
    if (element.textContent !== text) element.textContent = text;
  });
}

/** Write every static word, then what follows the language. */
export function setLanguage(lang) {
  document.documentElement.lang = lang;
  for (const [name, property] of Object.entries(STATIC)) {
    for (const element of document.querySelectorAll(`[data-${name}]`)) element[property] = t(element.dataset[name]);
  }
  for (const element of document.querySelectorAll("[data-follows]")) followers.get(element)(element);
}
