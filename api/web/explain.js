// How a hit was found: its rank and score in every step of the search.

import { make } from "./dom.js";
import { hasText, say, sayAttribute } from "./i18n.js";

const RECALL = new Set(["dense", "lexical", "entries", "pixels"]);

/** Steps worth a row for this hit: every retriever that found anything, and each step that has an order of its own. */
export function explanation(hit, stages) {
  const rows = stages.filter(({ name, ranking }) => name !== "hits" && name !== "fold" && ranking.length);
  const body = make("tbody", "", ...rows.map((stage) => row(stage, hit.chunk_id)));
  const head = ["step", "rank", "score"].map((column) => {
    const cell = say(make("th"), `explain.${column}`);
    cell.scope = "col";
    return cell;
  });
  const table = make("table", "why-table", make("thead", "", make("tr", "", ...head)), body);
  const details = make("details", "why small", say(make("summary"), "explain.title"), table);
  if (hit.also?.length) details.append(elsewhere(hit.also));
  return details;
}

function row({ name, ranking }, chunkId) {
  const at = ranking.findIndex(([id]) => id === chunkId);
  const known = hasText(`explain.${name}`) ? `explain.${name}` : hasText(`source.${name}`) ? `source.${name}` : null;
  const [, variant] = /^variant (\d+)$/.exec(name) ?? [];
  const title = variant ? say(make("th"), "explain.variant", { n: variant }) : known ? say(make("th"), known) : make("th", "", name);
  title.scope = "row";
  if (RECALL.has(name)) sayAttribute(title, "title", `source.${name}.title`);
  if (at < 0) return make("tr", "absent", title, make("td", "", "–"), make("td", "", "–"));
  const score = ranking[at][1];
  const best = ranking[0][1];
  const least = Math.min(0, ranking.at(-1)[1]);
  const bar = make("meter");
  bar.max = 1;
  bar.value = best > least ? Math.max(0, (score - least) / (best - least)) : 1;
  bar.ariaHidden = "true";
  const place = say(make("td"), "explain.place", { rank: at + 1, n: ranking.length });
  return make("tr", "", title, place, make("td", "", make("span", "", digits(score)), bar));
}

function elsewhere(places) {
  const list = make("ul");
  for (const { document, page } of places) {
    const item = make("li", "", document.name);
    if (page) item.append(" ", say(make("span", "quiet"), "citation.page", { page }));
    list.append(item);
  }
  return make("div", "also", say(make("p"), "explain.also", { n: places.length }), list);
}

const digits = (score) => (Math.abs(score) >= 100 ? score.toFixed(0) : score.toPrecision(3));
