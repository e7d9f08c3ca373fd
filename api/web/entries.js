// What a picture is found by, each under its kind, so that nobody takes a guess for a fact.

import { make } from "./dom.js";
import { say } from "./i18n.js";
import { entries, place } from "./prose.js";

/** Lines for the text of a picture; where the quote stands in one, it is marked. */
export function entryLines(text, quote = "") {
  return entries(text).flatMap(({ kind, text: words }, i) => [
    i ? "\n" : "",
    say(make("span", "entry-kind"), `entry.${kind}`),
    " ",
    ...highlighted(words, quote),
  ]);
}

/** Text with the quote in it marked, where it stands there. */
export function highlighted(text, quote) {
  const found = quote ? place(text, quote) : null;
  if (!found) return [text];
  const [start, end] = found;
  return [text.slice(0, start), make("mark", "", text.slice(start, end)), text.slice(end)];
}
