/** The brief: what the visitor asks for, checked before it is sent. */

import { commit, getValues, plain, setValues, watchChips } from "./chips.js";
import { byId, make } from "./dom.js";
import { keep, recall } from "./storage.js";
import { follow, namesOf, say, t } from "./texts.js";

const DRAFT = "hanjul.draft";
const COUNT = 5;
const CHOICES = { device: "devices", tone: "tones" }; // fields that a prompt may have, and their names' group

const form = byId("brief");
const product = byId("product");
const temperature = byId("temperature");
let limits;

export function watchForm(send) {
  watchChips();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  for (const kind of ["input", "change"]) form.addEventListener(kind, saveDraft);
  for (const field of [product, byId("values")]) field.addEventListener("input", () => blame(field, null));
  temperature.addEventListener("input", showTemperature);
}

/** Fit the form to what the server takes; what was typed meanwhile stays. */
export function fitForm({ limits: taken, fields, can_compare: canCompare, examples }) {
  byId("compare-field").hidden = !canCompare;
  if (limits) return;
  limits = taken;
  [temperature.min, temperature.max] = limits.temperature;
  const [fewest, most] = limits.count;
  for (let number = fewest; number <= most; number += 1) byId("count").append(makeCount(number));
  for (const field of fields) {
    byId(`${field}-field`).hidden = false;
    byId(field).append(...makeChoices(CHOICES[field]));
  }
  fillForm(recall("sessionStorage", DRAFT, readForm()));
  byId("examples").append(...examples.map(makeExample));
}

/** What is asked for, or null where something is missing or too long: then the field says so. */
export function readRequest() {
  commit();
  const request = readForm();
  const wrong = { product: faultOfProduct(request.product), values: faultOfValues(request.values) };
  for (const [id, sentence] of Object.entries(wrong)) blame(byId(id), sentence);
  const first = Object.keys(wrong).find((id) => wrong[id]);
  if (!first) return request;
  byId(first).focus();
  return null;
}

/** Whether the base model is to write beside the adapter. */
export const wantsBoth = () => !byId("compare-field").hidden && byId("compare").checked;

function readForm() {
  return {
    ...{ product: plain(product.value), values: getValues(), like: "" },
    ...{ count: Number(byId("count").value), temperature: Number(temperature.value) },
    ...{ device: byId("device").value, tone: byId("tone").value },
  };
}

function fillForm(draft) {
  product.value = draft.product;
  setValues(draft.values);
  temperature.value = draft.temperature;
  for (const id of ["count", "device", "tone"]) byId(id).value = draft[id];
  showTemperature();
}

const saveDraft = () => keep("sessionStorage", DRAFT, readForm());

function showTemperature() {
  byId("temperature-value").textContent = Number(temperature.value).toFixed(1);
}

function faultOfProduct(name) {
  const length = [...name].length;
  if (!length) return () => t("no_product");
  return length > limits.product ? () => t("long_product", { limit: limits.product, n: length }) : null;
}

function faultOfValues(values) {
  if (!values.length) return () => t("no_values");
  if (values.length > limits.values) return () => t("many_values", { limit: limits.values, n: values.length });
  const long = values.find((value) => [...value].length > limits.value);
  if (!long) return null;
  return () => t("long_value", { limit: limits.value, value: [...long].slice(0, limits.value).join("") });
}

/** Say at a field what is wrong with it; null when nothing is. */
function blame(field, sentence) {
  field.ariaInvalid = sentence ? "true" : "false";
  say(byId(`${field.id}-wrong`), sentence ?? (() => ""));
}

function makeCount(number) {
  const option = make("option", { value: number, selected: number === COUNT });
  say(option, () => t("count_option", { n: number }));
  return option;
}

function makeChoices(group) {
  const any = make("option", { value: "" });
  say(any, () => t("any"));
  const choices = Object.keys(namesOf(group)).map((value) => {
    const option = make("option", { value });
    say(option, () => namesOf(group)[value]);
    return option;
  });
  return [any, ...choices];
}

function makeExample(example) {
  const button = make("button", { type: "button", className: "example" });
  follow(button, () => {
    const gloss = document.documentElement.lang === "en" && example.en ? ` (${example.en.product})` : "";
    button.textContent = example.product + gloss;
    button.title = example.values.join(", ");
  });
  button.addEventListener("click", () => {
    product.value = example.product;
    setValues(example.values);
    for (const field of [product, byId("values")]) blame(field, null);
  });
  return button;
}
