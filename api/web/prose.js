// Text with a little structure, as data: what an answer's paragraphs, a table's cells and a quote's place are.
// Nothing here touches the page, so that it can be tested without a browser.

const ITEM = /^\s*(?:[-*•]|(\d{1,3})[.)、])\s+(.*)$/;

/** Paragraphs and lists of an answer: `{kind: "paragraph" | "ul" | "ol", items: [text], start}`. */
export function blocks(text) {
  const found = [];
  let open = null;
  for (const line of text.split(/\r?\n/)) {
    const item = ITEM.exec(line);
    if (!line.trim()) {
      if (open?.kind === "paragraph") open = null;
    } else if (item) {
      const kind = item[1] ? "ol" : "ul";
      if (open?.kind !== kind) found.push((open = { kind, items: [], start: Number(item[1] ?? 1) }));
      open.items.push(item[2]);
    } else if (open && open.kind !== "paragraph" && /^\s{2,}/.test(line)) {
      open.items[open.items.length - 1] += ` ${line.trim()}`;
    } else if (open?.kind === "paragraph") {
      open.items[0] += `\n${line}`;
    } else {
      found.push((open = { kind: "paragraph", items: [line], start: 1 }));
    }
  }
  return found;
}

/** Text and markers in order: strings and numbers. `[1]` is a marker, `[1](…)` is not. */
export function markers(text) {
  const found = [];
  let last = 0;
  for (const match of text.matchAll(/\s?\[(\d{1,2})\](?!\()/g)) {
    if (match.index > last) found.push(text.slice(last, match.index));
    found.push(Number(match[1]));
    last = match.index + match[0].length;
  }
  if (last < text.length) found.push(text.slice(last));
  return found;
}

/**
 * For each marker of a text, the citation it stands for. Citations come in the order of the markers; where the two do not
 * match one to one, a marker takes the first citation of its number.
 */
export function assign(text, citations) {
  const numbers = markers(text).filter((piece) => typeof piece === "number");
  const same = numbers.length === citations.length && numbers.every((n, i) => citations[i].marker === n);
  return numbers.map((n, i) => (same ? citations[i] : (citations.find((c) => c.marker === n) ?? null)));
}

/** Citations without repeats: one for each number, quote and verdict. */
export function distinct(citations) {
  const seen = new Map();
  for (const c of citations) {
    const key = JSON.stringify([c.marker, c.quote, c.verified]);
    if (!seen.has(key)) seen.set(key, c);
  }
  return [...seen.values()].sort((a, b) => a.marker - b.marker);
}

/** Rows of cells of a GitHub-flavoured Markdown table, or null for text that is none. The first row is the header. */
export function table(markdown) {
  const lines = markdown.trim().split("\n");
  const rule = lines.findIndex((line) => /^\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(line) && line.includes("|"));
  if (rule < 1 || !lines.slice(rule - 1).every((line) => line.trim().startsWith("|"))) return null;
  return {
    before: lines.slice(0, rule - 1).join("\n"),
    rows: [cells(lines[rule - 1]), ...lines.slice(rule + 1).map(cells)],
  };
}

/** Text for a line or two of a list: rows of a Markdown table become cells with dots between. */
export function plain(text) {
  return text
    .split("\n")
    .filter((line) => !/^\s*\|?[\s:|-]+\|?\s*$/.test(line))
    .map((line) => (/^\s*\|.*\|\s*$/.test(line) ? cells(line).filter(Boolean).join(" · ") : line))
    .join("\n");
}

const ENTRY = /^(caption|nearby|ocr|label|name|description): (.*)$/;
const TELLING = ["caption", "description", "ocr", "nearby", "name", "label"];

/** What a picture is found by, `[{kind, text}]`, what stands in the document first and guesses last. */
export function entries(text) {
  const found = new Map();
  let kind = "nearby";
  for (const line of text.split("\n")) {
    const match = ENTRY.exec(line);
    kind = match ? match[1] : kind;
    const piece = match ? match[2] : line;
    found.set(kind, found.has(kind) ? `${found.get(kind)}${match ? "; " : " "}${piece}` : piece);
  }
  return TELLING.filter((k) => found.has(k)).map((k) => ({ kind: k, text: found.get(k) }));
}

function cells(row) {
  const bare = row.trim().replace(/^\||\|$/g, "");
  return bare.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

const IGNORED = /[\s|]/;

/** Where a quote stands in a text, `[start, end]`, whatever its white space; null where it does not. */
export function place(text, quote) {
  const bare = [...quote].filter((c) => !IGNORED.test(c)).join("");
  if (!bare) return null;
  let letters = "";
  const positions = [];
  for (let i = 0; i < text.length; i += 1) {
    if (!IGNORED.test(text[i])) {
      letters += text[i];
      positions.push(i);
    }
  }
  const at = letters.indexOf(bare);
  return at < 0 ? null : [positions[at], positions[at + bare.length - 1] + 1];
}
