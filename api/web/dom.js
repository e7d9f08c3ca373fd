// Building the page. Text from documents and answers only ever becomes a text node.

import { translate } from "./i18n.js";

export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element ${id}`);
  return found;
}

/** A copy of a template's only element, in the chosen language. */
export function copyOf(id) {
  const element = byId(id).content.firstElementChild.cloneNode(true);
  translate(element);
  return element;
}

/** The element of a copy that plays a part: `part(turn, "answer")`. */
export function part(root, name) {
  const found = root.querySelector(`[data-part="${name}"]`);
  if (!found) throw new Error(`no part ${name}`);
  return found;
}

/** An element with a class and children: strings become text nodes. */
export function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** Tells people who do not see the page. */
export function announce(text) {
  byId("announcer").textContent = text;
}

export function showWhen(element, condition) {
  element.hidden = !condition;
}
