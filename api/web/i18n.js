// Texts in the chosen language. An element remembers its key, so that switching changes what is already shown.

import { MESSAGES } from "./messages.js";

const STORED = "tuwen.language";
let language = stored() ?? (/^zh\b/i.test(navigator.language ?? "") ? "zh" : "en");

function stored() {
  try {
    const value = localStorage.getItem(STORED);
    return value in MESSAGES ? value : null;
  } catch {
    return null; // storage may be forbidden; the page works without it
  }
}

export function t(key, values = {}) {
  const texts = MESSAGES[language];
  const text = (values.n === 1 && texts[`${key}.one`]) || texts[key];
  if (text === undefined) throw new Error(`no text for ${key}`);
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export const hasText = (key) => key in MESSAGES.en;

/** Puts a text into an element and keeps it in the chosen language. */
export function say(element, key, values = {}) {
  element.dataset.text = key;
  element.dataset.values = JSON.stringify(values);
  element.textContent = t(key, values);
  return element;
}

/** The same for an attribute: `title`, `aria-label`, `placeholder`, `alt`. */
export function sayAttribute(element, attribute, key, values = {}) {
  const all = JSON.parse(element.dataset.attributes ?? "{}");
  element.dataset.attributes = JSON.stringify({ ...all, [attribute]: [key, values] });
  element.setAttribute(attribute, t(key, values));
  return element;
}

/** Fills in every element of a tree that names a text. */
export function translate(root) {
  for (const element of root.querySelectorAll("[data-text]")) {
    element.textContent = t(element.dataset.text, JSON.parse(element.dataset.values ?? "{}"));
  }
  for (const element of root.querySelectorAll("[data-attributes]")) {
    for (const [attribute, [key, values]] of Object.entries(JSON.parse(element.dataset.attributes))) {
      element.setAttribute(attribute, t(key, values ?? {}));
    }
  }
}

export function switchLanguage() {
  language = language === "en" ? "zh" : "en";
  try {
    localStorage.setItem(STORED, language);
  } catch {
    // only the choice for next time is lost
  }
  showLanguage();
}

export function showLanguage() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  translate(document);
}
