// The conversation: one turn after the other, each from its question to its checked answer.

import { citationItem, prose, showHits } from "./answer.js";
import { announce, byId, copyOf, make, part, showWhen } from "./dom.js";
import { bindFeedback } from "./feedback.js";
import * as http from "./http.js";
import { say, t } from "./i18n.js";
import { distinct } from "./prose.js";

const TURNS_SENT = 20; // messages of the conversation that go along with a question
const TOP_K = 10;

let conversation = []; // {role, content}
let running = null; // {controller}

export const isRunning = () => running !== null;
export const stop = () => running?.controller.abort();

export function newConversation() {
  stop();
  conversation = [];
  byId("turns").replaceChildren();
}

/** Questions go to another collection from here on; what was said about the old one would mislead. */
export function changeCollection(name) {
  stop();
  conversation = [];
  const turns = byId("turns");
  if (turns.lastElementChild?.matches(".divider")) turns.lastElementChild.remove();
  if (turns.childElementCount) turns.append(say(make("p", "divider quiet small"), "collection.now", { collection: name }));
}

/** Asks (or only searches) and shows everything that comes; resolves when the turn is over. */
export async function ask(question, collection, { answer = true } = {}, onChange = () => {}) {
  const turn = copyOf("turn-template");
  part(turn, "question").textContent = question;
  byId("turns").append(turn);
  turn.scrollIntoView({ block: "start", behavior: "instant" });
  const controller = new AbortController();
  const mine = (running = { controller });
  onChange();
  state(turn, "turn.searching");
  const retry = () => {
    turn.remove();
    return ask(question, collection, { answer }, onChange);
  };
  try {
    if (answer) await answerInto(turn, question, collection, controller.signal);
    else await findInto(turn, question, collection, controller.signal);
  } catch (error) {
    if (error.name === "AbortError") state(turn, "turn.stopped");
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
  showFacts(turn, result);
}

async function answerInto(turn, question, collection, signal) {
  const writer = new Writer(turn);
  const body = { question, collection, turns: conversation.slice(-TURNS_SENT) };
  for await (const [name, data] of http.ask(body, signal)) {
    if (name === "rewrite") showRewritten(turn, data.question, question);
    else if (name === "search_results") {
      showHits(turn, data.hits, false);
      state(turn, "turn.reading");
    } else if (name === "message") writer.add(data.delta);
    else if (name === "final_answer") {
      writer.end();
      finish(turn, data, { question, collection });
      conversation.push({ role: "user", content: question }, { role: "assistant", content: data.answer });
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

function finish(turn, data, asked) {
  state(turn, null);
  turn.classList.toggle("abstained", data.abstained);
  showWhen(part(turn, "abstained"), data.abstained);
  part(turn, "answer").replaceChildren(...prose(data.answer, data.citations));
  announce(data.abstained ? t("turn.abstained") : t("turn.done", { n: data.citations.length }));
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
  say(line, failing.length === 1 ? "turn.unsupported.one" : "turn.unsupported", {
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
