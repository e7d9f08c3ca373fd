// An answer's text, its citations and what was found, as elements.

import { copyOf, make, part, showWhen } from "./dom.js";
import { entryLines } from "./entries.js";
import { pictureUrl } from "./http.js";
import { explanation } from "./explain.js";
import { hasText, say, sayAttribute, t } from "./i18n.js";
import { assign, blocks, markers, plain } from "./prose.js";
import { openViewer } from "./viewer.js";

/** Paragraphs and lists with markers; without `citations` the answer is still being written, and markers are plain. */
export function prose(text, citations = null) {
  const assigned = citations ? assign(text, citations) : null;
  let nth = 0;
  const inline = (piece) =>
    markers(piece).map((p) => (typeof p === "string" ? p : marker(p, assigned && assigned[nth++])));
  return blocks(text).map(({ kind, items, start }) => {
    if (kind === "paragraph") return make("p", "", ...inline(items[0]));
    const list = make(kind, "", ...items.map((item) => make("li", "", ...inline(item))));
    if (kind === "ol" && start > 1) list.start = start;
    return list;
  });
}

function marker(number, citation) {
  if (!citation) return make("span", "marker", String(number));
  const button = make("button", `marker ${citation.verified ? "good" : "bad"}`, String(number));
  button.type = "button";
  sayAttribute(button, "aria-label", "citation.open", { n: number, name: citation.document.name });
  button.title = plain(citation.quote);
  button.addEventListener("click", () => showCitation(citation, button));
  return button;
}

function showCitation(citation, from) {
  setCurrent(from);
  // What a newer version of the document has elsewhere is shown there; what it has no more has no place in it.
  const place = citation.now && citation.now.state !== "current" ? { ...citation, ...citation.now } : citation;
  openViewer({ ...place, chunkId: place.chunk_id }, from);
}

function setCurrent(element) {
  for (const other of document.querySelectorAll(".current")) other.classList.remove("current");
  element.classList.add("current");
}

export function citationItem(citation) {
  const item = copyOf("citation-template");
  part(item, "number").textContent = citation.marker;
  part(item, "number").classList.add(citation.verified ? "good" : "bad");
  part(item, "name").textContent = citation.document.name;
  if (citation.page) say(part(item, "page"), "citation.page", { page: citation.page });
  const verdict = citation.verified ? "citation.verified" : "citation.unverified";
  const mark = say(part(item, "mark"), verdict);
  mark.classList.add(citation.verified ? "good" : "bad");
  sayAttribute(mark, "title", `${verdict}.title`);
  part(item, "quote").textContent = plain(citation.quote);
  if (citation.now && citation.now.state !== "current") {
    mark.after(" ", say(make("span", "mark bad"), `citation.now.${citation.now.state}`));
  }
  const button = part(item, "open");
  button.addEventListener("click", () => showCitation(citation, button));
  return item;
}

/** `stages` are what each step of the search left, where the server was asked for that. */
export function hitItem(hit, stages = null) {
  const item = copyOf("hit-template");
  part(item, "name").textContent = hit.document.name;
  if (hit.page) say(part(item, "page"), "citation.page", { page: hit.page });
  part(item, "text").append(...(hit.kind === "image" ? entryLines(hit.text) : [plain(hit.text)]));
  const chips = part(item, "chips");
  if (hit.kind !== "text") chips.append(say(make("span", "chip kind"), `kind.${hit.kind}`));
  for (const source of hit.sources) chips.append(sourceChip(source, hit.ranks?.[source]));
  const button = part(item, "open");
  if (hit.kind === "image") {
    const image = new Image();
    image.loading = "lazy";
    image.alt = "";
    image.src = pictureUrl(hit.chunk_id);
    image.addEventListener("error", () => image.remove());
    button.classList.add("pictured");
    button.prepend(image);
  }
  button.addEventListener("click", () => {
    setCurrent(button);
    openViewer({ ...hit, chunkId: hit.chunk_id }, button);
  });
  if (hit.also?.length) chips.append(say(make("span", "chip"), "hit.also", { n: hit.also.length }));
  if (stages) item.append(explanation(hit, stages));
  return item;
}

function sourceChip(source, rank) {
  const known = hasText(`source.${source}`);
  const chip = known ? say(make("span", "chip"), `source.${source}`) : make("span", "chip", source);
  const title = [known && t(`source.${source}.title`), rank && t("source.rank", { n: rank })];
  chip.title = title.filter(Boolean).join(", ");
  return chip;
}

/** Puts what was found under an answer; `open` shows it at once. */
export function showHits(turn, hits, open, stages = null) {
  const found = part(turn, "found");
  say(part(turn, "found-title"), hits.length ? "turn.found" : "turn.found.none", { n: hits.length });
  part(turn, "hits").replaceChildren(...hits.map((hit) => hitItem(hit, stages)));
  found.open = open && hits.length > 0;
  showWhen(found, true);
}
