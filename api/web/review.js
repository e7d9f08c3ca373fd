// The review page: one proposed question after the other, decided by mouse or key, written at once.

import { announce, byId, copyOf, make, part, showWhen } from "./dom.js";
import { bindSidebar, bindTheme } from "./frame.js";
import * as http from "./http.js";
import { hasText, say, showLanguage, switchLanguage, t } from "./i18n.js";
import { passages } from "./passages.js";
import { bindViewer, closeViewer, isOpen, openViewer } from "./viewer.js";

const address = new URL(location.href);
const roomy = matchMedia("(min-width: 1000px)");
let set = address.searchParams.get("set") ?? "";
let questions = [];
let current = null; // id of the question shown
let busy = false;

const stateOf = (question) => question.state ?? "accepted";
const shown = () => questions.find((q) => q.id === current) ?? null;

async function start() {
  showLanguage();
  bindTheme();
  bindSidebar();
  bindViewer();
  byId("language").addEventListener("click", () => {
    switchLanguage();
    draw();
  });
  byId("set").addEventListener("change", (event) => choose(event.target.value));
  byId("filter").addEventListener("change", drawList);
  byId("accept").addEventListener("click", () => decide({ state: "accepted" }));
  byId("reject").addEventListener("click", () => decide({ state: "rejected" }));
  byId("skip").addEventListener("click", () => step(1));
  byId("back").addEventListener("click", () => step(-1));
  byId("edit").addEventListener("click", edit);
  byId("edit-no").addEventListener("click", endEdit);
  byId("editor").addEventListener("submit", save);
  byId("editor").addEventListener("keydown", editorKeys);
  addEventListener("keydown", shortcuts);
  let sets;
  try {
    sets = await http.sets();
  } catch (problem) {
    return nothing(problem.message, problem.remedy);
  }
  byId("set").replaceChildren(...sets.map(option));
  if (!sets.length) return nothing(t("review.none"), t("review.none.remedy"));
  return choose(sets.some((one) => one.name === set) ? set : sets[0].name);
}

function option({ name, questions: n, proposed }) {
  const made = say(make("option"), "review.option", { name, n, left: proposed });
  made.value = name;
  return made;
}

async function choose(name) {
  set = byId("set").value = name;
  address.searchParams.set("set", name);
  history.replaceState(null, "", address);
  closeViewer();
  try {
    questions = await http.questions(name);
  } catch (problem) {
    return nothing(problem.message, problem.remedy);
  }
  showWhen(byId("nothing"), false);
  const first = questions.find((q) => stateOf(q) === "proposed") ?? questions[0];
  return first ? show(first.id) : nothing(t("review.empty"), "");
}

function nothing(message, remedy) {
  showWhen(byId("card"), false);
  showWhen(byId("decide"), false);
  const [before, command, after] = (remedy ?? "").split("`");
  const line = make("p", "quiet", before ?? "", ...(command ? [make("code", "", command)] : []), after ?? "");
  byId("nothing").replaceChildren(make("h1", "", message), line);
  showWhen(byId("nothing"), true);
}

// --- the list --------------------------------------------------------------------------------------------------------

function drawList() {
  const wanted = byId("filter").value;
  const found = questions.filter((q) => !wanted || stateOf(q) === wanted);
  byId("questions").replaceChildren(...found.map(row));
  byId("count").textContent = found.length || "";
  const counts = { left: 0, done: 0 };
  for (const question of questions) counts[stateOf(question) === "proposed" ? "left" : "done"] += 1;
  say(byId("progress"), "review.progress", { done: counts.done, n: questions.length });
  const chosen = [...byId("set").options].find((one) => one.value === set);
  if (chosen) say(chosen, "review.option", { name: set, n: questions.length, left: counts.left });
  byId("questions").querySelector(".current")?.scrollIntoView({ block: "nearest" });
}

function row(question) {
  const item = copyOf("question-template");
  const button = part(item, "open");
  part(item, "text").textContent = question.question;
  part(item, "dot").classList.add(stateOf(question));
  say(part(item, "state"), `review.state.${stateOf(question)}`);
  button.classList.toggle("current", question.id === current);
  if (question.id === current) button.setAttribute("aria-current", "true");
  button.addEventListener("click", () => show(question.id));
  return item;
}

// --- one question ----------------------------------------------------------------------------------------------------

function show(id) {
  current = id;
  endEdit();
  draw();
  byId("scroll").scrollTop = 0;
  const { place } = shown();
  if (place && (roomy.matches || isOpen())) look();
  else closeViewer();
  byId("card").focus({ preventScroll: true });
}

function look() {
  const { place, provenance = {} } = shown();
  openViewer({ ...place, chunkId: place.chunk_id, quote: quoteOf(shown()), page: place.page ?? provenance.page }, byId("card"));
}

function draw() {
  drawList();
  const question = shown();
  showWhen(byId("card"), Boolean(question));
  showWhen(byId("decide"), Boolean(question));
  if (!question) return;
  const { provenance = {}, place } = question;
  byId("asked").textContent = question.question;
  drawFacts(question, provenance);
  const unanswerable = question.unanswerable || (!question.source && !question.evidence && !question.answer);
  const answer = byId("answer");
  answer.classList.toggle("none", Boolean(unanswerable));
  delete answer.dataset.text;
  if (unanswerable) say(answer, "review.unanswerable");
  else if (question.answer) answer.textContent = [question.answer].flat().join("\n");
  else say(answer, "review.noanswer");
  drawChanges(question, provenance);
  drawPassage(question, provenance, place);
  problem("");
  for (const [id, state] of [["accept", "accepted"], ["reject", "rejected"], ["edit", "edited"]]) {
    byId(id).setAttribute("aria-pressed", String(stateOf(question) === state));
  }
}

function drawFacts(question, made) {
  const number = questions.indexOf(question) + 1;
  const facts = [
    say(make("span"), "review.number", { n: number, of: questions.length }),
    say(make("span"), `review.state.${stateOf(question)}`),
    ...[question.kind, made.written_by].filter(Boolean).map((word) => named(word)),
  ];
  byId("facts").replaceChildren(...facts.flatMap((fact, i) => (i ? [" · ", fact] : [fact])));
}

// Kinds and authors that this page knows have a name in both languages; others stand as they are in the set.
const named = (word) => (hasText(`review.name.${word}`) ? say(make("span"), `review.name.${word}`) : make("span", "", word));

function drawChanges(question, made) {
  const list = byId("changes");
  const rows = [];
  const add = (key, text) => text && rows.push(say(make("dt"), key), make("dd", "", text));
  add("review.madefrom", made.altered?.question);
  if (made.altered) add("review.changed", `${made.altered.from} → ${made.altered.to}`);
  if (question.original) add("review.was", [question.original.question, question.original.answer].filter(Boolean).join(" — "));
  add("review.comments", made.comments?.join("\n"));
  list.replaceChildren(...rows);
  showWhen(list, rows.length > 0);
}

const quoteOf = ({ quote, provenance }) =>
  [quote ?? []].flat()[0] ?? (provenance?.span && provenance.passage ? provenance.passage.slice(...provenance.span) : "");

function drawPassage(question, made, place) {
  const name = place?.document.name ?? made.source ?? [question.source ?? ""].flat()[0];
  const text = place?.text || made.passage || quoteOf(question);
  const chunk = { chunk_id: "it", kind: place?.kind ?? (/^\|/m.test(text) ? "table" : "text"), text, headings: place?.headings ?? [], page: place?.page ?? made.page ?? null };
  if (chunk.kind === "image") chunk.chunk_id = place.chunk_id;
  const head = make("p", "from", make("span", "name", name));
  if (place) {
    const open = say(make("button", "link"), "review.look");
    open.type = "button";
    open.addEventListener("click", look);
    head.append(open);
  } else if (name) head.append(say(make("span", "caution"), "review.gone"));
  byId("passage").replaceChildren(head, ...(text ? [passages([chunk], { chunkId: "", quote: quoteOf(question), document: { name } })] : []));
  byId("passage").querySelector("mark, .marked")?.scrollIntoView({ block: "nearest" });
}

// --- decisions -------------------------------------------------------------------------------------------------------

async function decide(decision, { stay = false } = {}) {
  if (busy || !current) return false;
  busy = true;
  const id = current;
  try {
    const changed = await http.decide(set, id, decision);
    questions = questions.map((q) => (q.id === id ? changed : q));
    announce(t(`review.state.${changed.state}`));
  } catch (error) {
    problem(`${error.message} ${error.remedy ?? ""}`);
    return false;
  } finally {
    busy = false;
  }
  endEdit();
  if (stay) draw();
  else next();
  return true;
}

/** On to the next question without a decision; when there is none left, the last decision stays in view. */
function next() {
  const at = questions.findIndex((q) => q.id === current);
  const order = [...questions.slice(at + 1), ...questions.slice(0, at)];
  const open = order.find((q) => stateOf(q) === "proposed");
  if (open) return show(open.id);
  draw();
  return announce(t("review.done"));
}

function step(by) {
  const at = questions.findIndex((q) => q.id === current) + by;
  if (questions[at]) show(questions[at].id);
}

function edit() {
  const question = shown();
  if (!question) return;
  byId("edit-question").value = question.question;
  byId("edit-answer").value = [question.answer ?? ""].flat().join("\n");
  showWhen(byId("editor"), true);
  byId("edit-question").focus();
}

function endEdit() {
  if (byId("editor").hidden) return;
  showWhen(byId("editor"), false);
  byId("card").focus({ preventScroll: true });
}

function save(event) {
  event?.preventDefault();
  const question = byId("edit-question").value.trim();
  if (question) decide({ state: "edited", question, answer: byId("edit-answer").value.trim() || null });
}

function problem(text) {
  byId("problem").textContent = text;
  showWhen(byId("problem"), Boolean(text));
}

// --- keys ------------------------------------------------------------------------------------------------------------

const KEYS = { a: "accept", r: "reject", e: "edit", s: "skip", b: "back", ArrowRight: "skip", ArrowLeft: "back" };

function shortcuts(event) {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || byId("decide").hidden || event.repeat) return;
  // The arrows turn pages where the page has the keyboard.
  if (event.key.startsWith("Arrow") && event.target.closest?.("#viewer")) return;
  const button = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!button) return;
  event.preventDefault();
  byId(button).click();
}

function editorKeys(event) {
  if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    endEdit();
  }
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save(event);
}

start();
