// The conversation: one turn after the other, each from its question to its checked answer.

import { citationItem, prose, showHits } from "./answer.js";
import { announce, byId, copyOf, make, part, showWhen } from "./dom.js";
import { bindFeedback } from "./feedback.js";
import * as http from "./http.js";
import { say, t } from "./i18n.js";
import { distinct } from "./prose.js";

const TOP_K = 10;
const PATIENCE_MS = 15_000; // an answer that was stopped ends with the word it is at; until then the next one waits

let conversation = null; // {id, collection}; made with its first question
let filter = {}; // that of the conversation, or of the one to come
let stopped = 0; // when an answer was stopped
let running = null; // {controller}
let onChange = () => {};

export const isRunning = () => running !== null;
export const stop = () => running?.controller.abort();
export const shownConversation = () => conversation?.id ?? null;
export const scope = () => filter.document_id ?? [];

/** `listener` hears when an answer begins or ends, and when another conversation is shown. */
export function bindTurns(listener) {
  onChange = listener;
}

export function newConversation() {
  stop();
  conversation = null;
  filter = {};
  byId("turns").replaceChildren();
}

/** Questions go to another collection from here on; what was said about the old one would mislead. */
export function changeCollection(name) {
  stop();
  conversation = null;
  filter = {};
  const turns = byId("turns");
  if (turns.lastElementChild?.matches(".divider")) turns.lastElementChild.remove();
  if (turns.childElementCount) turns.append(say(make("p", "divider quiet small"), "collection.now", { collection: name }));
  for (const tools of turns.querySelectorAll('[data-part="tools"]')) tools.hidden = true;
}

/** Shows a stored conversation; answers its collection, or null where it is not there. */
export async function openConversation(id) {
  stop();
  let found;
  try {
    found = await http.conversation(id);
  } catch (problem) {
    announce(problem.message);
    return null;
  }
  showStored(found);
  byId("turns").lastElementChild?.scrollIntoView({ block: "start", behavior: "instant" });
  return found.collection;
}

/** Keeps which documents are asked; with no ids, all of them. */
export async function setScope(ids) {
  const wanted = { ...filter, document_id: ids };
  if (conversation) await http.changeConversation(conversation.id, { filter: wanted });
  filter = wanted;
}

function showStored(found) {
  conversation = { id: found.id, collection: found.collection };
  filter = found.filter;
  byId("turns").replaceChildren(...found.turns.map(stored));
}

function stored(data) {
  const turn = copyOf("turn-template");
  part(turn, "question").textContent = data.question;
  showRewritten(turn, data.searched, data.question);
  place(turn, data);
  if (data.state === "complete") finish(turn, data, { question: data.question, collection: conversation.collection }, false);
  else {
    state(turn, data.state === "removed" ? "turn.removed" : data.answer ? "turn.incomplete" : "turn.empty");
    part(turn, "answer").replaceChildren(...prose(data.answer));
    if (data.error) part(turn, "state").append(` ${data.error}`);
  }
  return turn;
}

/** The tools of a turn that is kept: edited, asked again, and its versions. */
function place(turn, { id, versions = [id] }) {
  turn.dataset.id = id;
  showWhen(part(turn, "tools"), true);
  const at = versions.indexOf(id);
  showWhen(part(turn, "versions"), versions.length > 1);
  say(part(turn, "version"), "turn.version", { n: at + 1, of: versions.length });
  for (const [name, other] of [["older", versions[at - 1]], ["newer", versions[at + 1]]]) {
    part(turn, name).disabled = !other;
    part(turn, name).onclick = () => showVersion(other);
  }
  const form = part(turn, "editing");
  const asked = part(turn, "question").textContent;
  part(turn, "again").onclick = () => !isRunning() && askAnew(turn, asked);
  part(turn, "edit").onclick = () => {
    part(turn, "edited").value = asked;
    showWhen(form, true);
    part(turn, "edited").focus();
  };
  part(turn, "edit-no").onclick = () => showWhen(form, false);
  form.onsubmit = (event) => {
    event.preventDefault();
    const question = part(turn, "edited").value.trim();
    if (question && !isRunning()) askAnew(turn, question);
  };
}

async function showVersion(id) {
  if (isRunning()) return;
  try {
    showStored(await http.changeConversation(conversation.id, { shown: id }));
  } catch (problem) {
    announce(problem.message);
  }
  byId("turns").querySelector(`[data-id="${CSS.escape(id)}"]`)?.scrollIntoView({ block: "start", behavior: "instant" });
  onChange();
}

/** Asks in the place of a turn: it and what followed are another version from now on. */
async function askAnew(turn, question) {
  const replaces = turn.dataset.id;
  while (turn.nextElementSibling) turn.nextElementSibling.remove();
  turn.remove();
  await ask(question, conversation.collection, { replaces });
  try {
    const found = await http.conversation(conversation.id);
    const last = found.turns.at(-1);
    const shown = byId("turns").lastElementChild;
    if (last && shown?.dataset.id === last.id) place(shown, last);
  } catch {
    // only the count of versions is missing
  }
}

/** Asks (or only searches) and shows everything that comes; resolves when the turn is over. */
export async function ask(question, collection, { answer = true, replaces = null } = {}) {
  const turn = copyOf("turn-template");
  part(turn, "question").textContent = question;
  byId("turns").append(turn);
  turn.scrollIntoView({ block: "start", behavior: "instant" });
  const controller = new AbortController();
  const mine = (running = { controller });
  onChange();
  state(turn, "turn.searching");
  const retry = () => {
    if (turn.dataset.id) return askAnew(turn, question);
    turn.remove();
    return ask(question, collection, { answer, replaces });
  };
  try {
    if (answer) await answerInto(turn, question, collection, replaces, controller.signal);
    else await findInto(turn, question, collection, controller.signal);
  } catch (error) {
    if (error.name === "AbortError") {
      stopped = Date.now();
      state(turn, "turn.stopped");
    }
    else showProblem(turn, error, retry);
  } finally {
    if (running === mine) running = null;
    turn.classList.remove("writing");
    onChange();
  }
}

async function findInto(turn, question, collection, signal) {
  const result = await http.search({ query: question, collection, top_k: TOP_K, explain: true }, signal);
  state(turn, null);
  showHits(turn, result.hits, true, result.explain?.stages);
  showVariants(turn, result.explain?.search?.variants);
  showFacts(turn, result);
}

async function answerInto(turn, question, collection, replaces, signal) {
  const writer = new Writer(turn);
  conversation ??= { id: (await http.begin(collection, filter)).id, collection };
  const body = { question, conversation_id: conversation.id, replaces, top_k: TOP_K };
  for await (const [name, data] of patiently(body, signal)) {
    if (name === "rewrite") {
      showRewritten(turn, data.question, question);
      place(turn, { id: data.turn_id });
    } else if (name === "search_results") {
      showHits(turn, data.hits, false);
      state(turn, "turn.reading");
    } else if (name === "message") writer.add(data.delta);
    else if (name === "final_answer") {
      writer.end();
      finish(turn, data, { question, collection });
    }
  }
}

async function* patiently(body, signal) {
  for (;;) {
    try {
      yield* http.ask(body, signal);
      return;
    } catch (problem) {
      if (problem.type !== "ConversationBusy" || Date.now() - stopped > PATIENCE_MS) throw problem;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
}

/** The answer while it is written: drawn once a frame, however fast the pieces come. */
class Writer {
  constructor(turn) {
    this.turn = turn;
    this.text = "";
    this.frame = 0;
  }

  add(piece) {
    this.text += piece;
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = 0;
    this.turn.classList.add("writing");
    state(this.turn, null);
    part(this.turn, "answer").replaceChildren(...prose(this.text));
  }

  end() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
  }
}

function finish(turn, data, asked, fresh = true) {
  state(turn, null);
  turn.classList.toggle("abstained", data.abstained);
  showWhen(part(turn, "abstained"), data.abstained);
  part(turn, "answer").replaceChildren(...prose(data.answer, data.citations));
  if (fresh) announce(data.abstained ? t("turn.abstained") : t("turn.done", { n: data.citations.length }));
  const citations = distinct(data.citations);
  part(turn, "citations").replaceChildren(...citations.map(citationItem));
  showWhen(part(turn, "cited"), citations.length > 0);
  showWhen(part(turn, "uncited"), !data.abstained && citations.length === 0);
  showUnsupported(turn, data);
  showHits(turn, data.context, data.abstained);
  showFacts(turn, data);
  bindCopy(turn, data);
  bindFeedback(turn, data, citations, asked);
}

function showUnsupported(turn, data) {
  const failing = data.unsupported ?? [];
  const line = part(turn, "unsupported");
  say(line, "turn.unsupported", {
    n: failing.length,
    claims: failing.map((claim) => `“${claim}”`).join(" "),
  });
  showWhen(line, !data.abstained && failing.length > 0);
}

function showRewritten(turn, searched, asked) {
  const line = part(turn, "rewritten");
  showWhen(line, searched.trim() !== asked.trim());
  say(line, "turn.rewritten", { question: searched });
}

/** What a generator wrote to search for beside the question. */
function showVariants(turn, variants = {}) {
  const texts = Object.values(variants).flat();
  const line = part(turn, "rewritten");
  showWhen(line, texts.length > 0);
  say(line, "turn.variants", { texts: texts.map((text) => `“${text}”`).join(" ") });
}

const duration = (ms) => (ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`);

function showFacts(turn, { generator, timings = {}, usage = {}, notes = [] }) {
  const facts = part(turn, "facts-text");
  facts.replaceChildren();
  const add = (element) => facts.append(facts.childElementCount ? " · " : "", element);
  if (generator) add(make("span", "", generator));
  for (const step of ["search", "first_token", "total"]) {
    if (timings[step]) add(say(make("span"), `turn.time.${step}`, { time: duration(timings[step]) }));
  }
  if (usage.dropped_markers) add(say(make("span"), "turn.dropped", { n: usage.dropped_markers }));
  showWhen(part(turn, "facts"), true);
  part(turn, "notes").replaceChildren(...notes.map((note) => make("li", "", note)));
  showWhen(part(turn, "notes"), notes.length > 0);
}

function bindCopy(turn, data) {
  const button = part(turn, "copy");
  // Browsers offer the clipboard only to pages that came over HTTPS or from this machine.
  if (!navigator.clipboard) return;
  showWhen(button, true);
  const sources = distinct(data.citations).map(
    (c) => `[${c.marker}] ${c.document.name}${c.page ? `, ${t("citation.page", { page: c.page })}` : ""}: “${c.quote}”`,
  );
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText([data.answer, ...sources].join("\n"));
    say(button, "turn.copied");
    setTimeout(() => say(button, "turn.copy"), 2000);
  });
}

function showProblem(turn, problem, retry) {
  state(turn, null);
  showWhen(part(turn, "problem"), true);
  part(turn, "message").textContent = problem.message;
  part(turn, "remedy").textContent = problem.remedy ?? "";
  part(turn, "retry").addEventListener("click", () => !isRunning() && retry());
  announce(problem.message);
}

function state(turn, key) {
  const line = part(turn, "state");
  showWhen(line, Boolean(key));
  line.classList.toggle("busy", key !== null && key !== "turn.stopped");
  if (key) say(line, key);
}
