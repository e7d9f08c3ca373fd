// The side panel: the page with the boxes of a citation drawn on it, or the document's passages as text.

import { byId, make, showWhen } from "./dom.js";
import * as http from "./http.js";
import { say, sayAttribute } from "./i18n.js";
import { passages } from "./passages.js";
import { plain } from "./prose.js";

const RENDERED = /^(application\/pdf|image\/(?!svg))/;
const ZOOMS = [1, 1.4, 2, 3];
const narrow = matchMedia("(max-width: 760px)");

let shown = null; // {target, pages, chunks, page, mode, zoom}
let opener = null;

/** Shows a place: `{document, page, boxes, quote?, verified?, marker?, chunkId?, version?}`; boxes in points. */
export async function openViewer(target, from = document.activeElement) {
  opener = from;
  const mine = (shown = { target, pages: [], chunks: null, page: target.page ?? 1, mode: "page", zoom: 0 });
  const name = byId("viewer-name");
  delete name.dataset.text; // from now on a document's name, the same in every language
  name.textContent = name.title = target.document.name;
  byId("viewer-original").href = http.contentUrl(target.document.id);
  showQuote(target);
  byId("viewer-body").replaceChildren();
  note("viewer.loading");
  byId("viewer").hidden = false;
  document.body.classList.add("viewing");
  keepOut(narrow.matches);
  byId("viewer").focus({ preventScroll: true });
  try {
    mine.pages = await http.pages(target.document.id);
  } catch (problem) {
    if (mine === shown) fail(problem);
    return;
  }
  if (mine !== shown) return;
  if (!canShowPages()) mine.mode = "text";
  await show();
}

export function closeViewer() {
  if (!shown) return;
  shown = null;
  byId("viewer").hidden = true;
  document.body.classList.remove("viewing");
  keepOut(false);
  for (const marked of document.querySelectorAll(".current")) marked.classList.remove("current");
  if (opener?.isConnected) opener.focus();
}

export const isOpen = () => shown !== null;
export const shownDocument = () => shown?.target.document.id ?? null;

export function bindViewer() {
  byId("viewer-close").addEventListener("click", closeViewer);
  byId("viewer-as-page").addEventListener("click", () => become("page"));
  byId("viewer-as-text").addEventListener("click", () => become("text"));
  byId("viewer-previous").addEventListener("click", () => turnPage(-1));
  byId("viewer-next").addEventListener("click", () => turnPage(1));
  byId("viewer-in").addEventListener("click", () => zoom(1));
  byId("viewer-out").addEventListener("click", () => zoom(-1));
  narrow.addEventListener("change", () => keepOut(shown !== null && narrow.matches));
  byId("viewer").addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeViewer();
    if (shown?.mode !== "page" || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "PageUp" || event.key === "ArrowLeft") turnPage(-1, event);
    if (event.key === "PageDown" || event.key === "ArrowRight") turnPage(1, event);
  });
}

// On a small screen the panel covers everything: what is behind it must not take the focus.
function keepOut(covered) {
  byId("talk").inert = covered;
  byId("documents").inert = covered;
}

const canShowPages = () => shown.pages.length > 0 && RENDERED.test(shown.target.document.media_type);

function showQuote({ quote, verified, marker }) {
  const box = byId("viewer-quote");
  showWhen(box, Boolean(quote));
  if (!quote) return;
  if (!marker) {
    box.replaceChildren(make("span", "words", plain(quote)));
    return;
  }
  const mark = say(make("span", `mark ${verified ? "good" : "bad"}`), verified ? "citation.verified" : "citation.unverified");
  box.replaceChildren(make("span", `number ${verified ? "good" : "bad"}`, String(marker)), make("span", "words", plain(quote)), " ", mark);
}

function note(key) {
  const line = byId("viewer-note");
  showWhen(line, Boolean(key));
  if (key) say(line, key);
}

function fail(problem) {
  note(null);
  const gone = problem.type === "NotFound" ? say(make("p"), "viewer.gone") : make("p", "", problem.message);
  byId("viewer-body").replaceChildren(make("div", "problem", gone, make("p", "", problem.remedy ?? "")));
  showWhen(byId("viewer-modes"), false);
  showWhen(byId("viewer-paging"), false);
  showWhen(byId("viewer-zooming"), false);
}

function become(mode) {
  if (!shown || shown.mode === mode) return;
  shown.mode = mode;
  show();
}

function turnPage(step, event) {
  const page = (shown?.page ?? 0) + step;
  if (!shown?.pages.some((p) => p.number === page)) return;
  event?.preventDefault();
  shown.page = page;
  show();
}

function zoom(step) {
  shown.zoom = Math.min(ZOOMS.length - 1, Math.max(0, shown.zoom + step));
  byId("viewer-body").firstElementChild?.style.setProperty("width", `${ZOOMS[shown.zoom] * 100}%`);
  showTools();
}

function showTools() {
  const { mode, pages, page, zoom: step } = shown;
  const paged = mode === "page";
  showWhen(byId("viewer-modes"), canShowPages());
  byId("viewer-as-page").setAttribute("aria-pressed", String(paged));
  byId("viewer-as-text").setAttribute("aria-pressed", String(!paged));
  showWhen(byId("viewer-paging"), paged && pages.length > 1);
  showWhen(byId("viewer-zooming"), paged);
  say(byId("viewer-number"), "viewer.of", { page, pages: pages.length });
  byId("viewer-previous").disabled = page <= pages[0]?.number;
  byId("viewer-next").disabled = page >= pages.at(-1)?.number;
  byId("viewer-out").disabled = step === 0;
  byId("viewer-in").disabled = step === ZOOMS.length - 1;
}

async function show() {
  showTools();
  if (shown.mode === "page") showPage();
  else await showText();
}

function showPage() {
  const mine = shown;
  const { target, page: number } = mine;
  const page = mine.pages.find((p) => p.number === number) ?? mine.pages[0];
  mine.page = page.number;
  const image = new Image(page.width, page.height);
  sayAttribute(image, "alt", "viewer.alt", { page: page.number, name: target.document.name });
  const figure = make("figure", "page", image, overlay(page, target.boxes));
  figure.style.width = `${ZOOMS[mine.zoom] * 100}%`;
  note("viewer.loading");
  image.addEventListener("load", () => {
    if (mine !== shown || mine.page !== page.number) return;
    note(page.source === "ocr" ? "viewer.ocr" : null);
    figure.querySelector("rect")?.scrollIntoView({ block: "center", behavior: "instant" });
  });
  image.addEventListener("error", () => {
    if (mine !== shown || mine.page !== page.number || mine.mode !== "page") return;
    mine.mode = "text";
    show().then(() => note("viewer.nopicture"));
  });
  image.src = http.pageUrl(target.document.id, page.number, target.version ?? "");
  byId("viewer-body").replaceChildren(figure);
  byId("viewer-body").scrollTop = 0;
}

/** Boxes `[page, left, top, right, bottom]` of one page as a drawing in the page's own units, which scales with it. */
function overlay(page, boxes = []) {
  const SVG = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", `0 0 ${page.width} ${page.height}`);
  drawing.setAttribute("preserveAspectRatio", "none");
  drawing.setAttribute("aria-hidden", "true");
  const margin = 0.003 * Math.max(page.width, page.height);
  for (const [number, left, top, right, bottom] of boxes) {
    if (number !== page.number) continue;
    const box = document.createElementNS(SVG, "rect");
    box.setAttribute("x", left - margin);
    box.setAttribute("y", top - margin);
    box.setAttribute("width", right - left + 2 * margin);
    box.setAttribute("height", bottom - top + 2 * margin);
    box.setAttribute("rx", margin);
    // A picture file is one box: tinting all of it would only change its colours.
    const share = ((right - left) * (bottom - top)) / (page.width * page.height);
    if (share > 0.9) box.setAttribute("class", "whole");
    drawing.append(box);
  }
  return drawing;
}

async function showText() {
  const mine = shown;
  const body = byId("viewer-body");
  note("viewer.loading");
  try {
    mine.chunks ??= await http.chunks(mine.target.document.id);
  } catch (problem) {
    if (mine === shown) fail(problem);
    return;
  }
  if (mine !== shown || mine.mode !== "text") return;
  note(null);
  body.replaceChildren(passages(mine.chunks, mine.target));
  (body.querySelector("mark, .marked") ?? body.querySelector(".cited"))?.scrollIntoView({ block: "center", behavior: "instant" });
}
