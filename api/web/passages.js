// A document as it is searched: its passages one after the other, the cited one marked, the quote in it highlighted.

import { make } from "./dom.js";
import { entryLines, highlighted } from "./entries.js";
import { pictureUrl } from "./http.js";
import { say, sayAttribute } from "./i18n.js";
import { place, table } from "./prose.js";

const AROUND = 25; // passages shown on either side of the cited one; a long document has thousands

/** The list for `chunks`; `chunkId` and `quote` of the target say what to mark. */
export function passages(chunks, { chunkId, quote = "", document: { name } }) {
  const list = make("div", "passages");
  const cited = Math.max(
    0,
    chunks.findIndex((c) => c.chunk_id === chunkId),
  );
  // A passage may have been widened by its neighbours before it was quoted.
  const near = [cited, cited + 1, cited - 1].find((i) => quote && chunks[i] && place(chunks[i].text, quote));
  const quoted = near ?? cited;
  const add = (from, to, before) => {
    const items = chunks.slice(from, to).map((chunk, i) => {
      const index = from + i;
      return passage(chunk, chunks[index - 1], name, chunkId && index === cited, index === quoted ? quote : "");
    });
    before ? before.after(...items) : list.append(...items);
  };
  let first = Math.max(0, cited - AROUND);
  let last = Math.min(chunks.length, cited + AROUND + 1);
  const earlier = say(make("button", "link more"), "viewer.earlier");
  const later = say(make("button", "link more"), "viewer.later");
  list.append(earlier);
  add(first, last);
  list.append(later);
  const update = () => {
    earlier.hidden = first === 0;
    later.hidden = last === chunks.length;
  };
  earlier.addEventListener("click", () => {
    const from = Math.max(0, first - 2 * AROUND);
    add(from, first, earlier);
    first = from;
    update();
  });
  later.addEventListener("click", () => {
    const to = Math.min(chunks.length, last + 2 * AROUND);
    later.remove();
    add(last, to);
    list.append(later);
    last = to;
    update();
  });
  update();
  return list;
}

function passage(chunk, previous, name, isCited, quote) {
  const item = make("div", isCited ? "passage cited" : "passage");
  const path = pathOf(chunk);
  if (path && path !== (previous && pathOf(previous))) item.append(make("p", "path quiet small", path));
  if (chunk.page && chunk.page !== previous?.page) {
    item.append(say(make("p", "quiet small"), "citation.page", { page: chunk.page }));
  }
  if (chunk.kind === "image") {
    const image = new Image();
    image.loading = "lazy";
    image.src = pictureUrl(chunk.chunk_id);
    sayAttribute(image, "alt", "viewer.picture", { name });
    item.append(image, make("p", "entries small", ...entryLines(chunk.text, quote)));
    return item;
  }
  const cells = chunk.kind === "table" ? table(chunk.text) : null;
  if (!cells) {
    item.append(make("p", chunk.kind === "table" ? "text pre" : "text", ...highlighted(chunk.text, quote)));
    return item;
  }
  if (cells.before) item.append(make("p", "text", ...highlighted(cells.before, quote)));
  item.append(tableOf(cells.rows, quote));
  return item;
}

// A passage that begins with its own heading does not need it above itself, too.
function pathOf({ headings, text }) {
  const last = headings.at(-1) ?? "";
  return (text.startsWith(last) ? headings.slice(0, -1) : headings).join(" › ");
}

function tableOf(rows, quote) {
  const made = make("table");
  rows.forEach((row, i) => {
    const whole = row.join(" ");
    const holds = quote && (place(quote, whole) || place(whole, quote));
    made.append(make("tr", holds ? "marked" : "", ...row.map((cell) => make(i ? "td" : "th", "", cell))));
  });
  return make("div", "wide-table", made);
}
