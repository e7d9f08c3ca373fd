// Binds the parts of the page together.

import { bindDocuments, refresh, showCollection } from "./documents.js";
import { byId, make, showWhen } from "./dom.js";
import { bindSidebar, bindTheme } from "./frame.js";
import * as http from "./http.js";
import { say, showLanguage, switchLanguage } from "./i18n.js";
import { watchModels } from "./models.js";
import { bindConversations, listConversations } from "./conversations.js";
import { bindScope, showScope } from "./scope.js";
import { ask, bindTurns, changeCollection, isRunning, newConversation, openConversation, shownConversation, stop } from "./turns.js";
import { bindViewer, closeViewer, isOpen } from "./viewer.js";

const address = new URL(location.href);
let collection = address.searchParams.get("collection") ?? "default";
let known = []; // [{name, documents}]
let counts = null; // of the collection shown; null until they are known
let refused = null; // why the documents could not be listed

function start() {
  showLanguage();
  bindTheme();
  bindComposer();
  bindTurns(conversationChanged);
  bindConversations(() => {
    closeViewer();
    conversationChanged();
  });
  bindScope(() => collection);
  bindCollections();
  bindSidebar(refresh);
  bindViewer();
  bindDocuments((found) => {
    const fresh = counts?.published !== found.published;
    counts = found;
    if (fresh) listCollections();
    showState();
  });
  byId("language").addEventListener("click", switchLanguage);
  addEventListener("keydown", shortcuts);
  let opened = false;
  watchModels((found) => {
    if (!found || opened) return;
    opened = true;
    open();
  });
}

async function open() {
  const talk = address.searchParams.get("conversation");
  if (talk) collection = (await openConversation(talk)) ?? collection;
  await listCollections();
  if (!address.searchParams.has("collection") && !known.some((c) => c.name === collection) && known.length) {
    collection = known[0].name;
    await listCollections();
  }
  refused = await showCollection(collection);
  conversationChanged();
  byId("question").value ||= address.searchParams.get("q") ?? "";
  fit();
  if (!isOpen()) byId("question").focus();
}

// --- collections -----------------------------------------------------------------------------------------------------

const NEW = "\u0000new";

async function listCollections() {
  try {
    known = await http.collections();
  } catch {
    // What could not be listed now is listed with the next change.
  }
  const all = known.some((c) => c.name === collection) ? known : [...known, { name: collection, documents: 0 }];
  const options = all.map(({ name, documents }) => {
    const option = say(make("option"), "collection.option", { name, n: documents });
    option.value = name;
    return option;
  });
  const fresh = say(make("option"), "collection.new");
  fresh.value = NEW;
  byId("collection").replaceChildren(...options, fresh);
  byId("collection").value = collection;
}

async function choose(name) {
  if (!name || name === collection) return;
  collection = name;
  counts = null;
  address.searchParams.set("collection", name);
  history.replaceState(null, "", address);
  closeViewer();
  changeCollection(name);
  await listCollections();
  refused = await showCollection(name);
  conversationChanged();
}

function bindCollections() {
  byId("collection").addEventListener("change", (event) => {
    if (event.target.value !== NEW) return choose(event.target.value);
    event.target.value = collection;
    byId("naming-name").value = "";
    return byId("naming").showModal();
  });
  byId("naming-no").addEventListener("click", () => byId("naming").close());
  byId("naming-form").addEventListener("submit", (event) => {
    event.preventDefault();
    byId("naming").close();
    choose(byId("naming-name").value.trim());
  });
}

// --- the question ----------------------------------------------------------------------------------------------------

function bindComposer() {
  const field = byId("question");
  field.addEventListener("input", fit);
  field.addEventListener("keydown", (event) => {
    // Enter also chooses a word in a Chinese input method: that one is not for us.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit(true);
  });
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit(true);
  });
  byId("find").addEventListener("click", () => submit(false));
  byId("stop").addEventListener("click", stop);
  byId("new").addEventListener("click", () => {
    newConversation();
    closeViewer();
    conversationChanged();
    field.focus();
  });
}

function submit(answer) {
  const field = byId("question");
  const question = field.value.trim();
  if (!question || isRunning()) return;
  field.value = "";
  fit();
  ask(question, collection, { answer });
}

// The field grows with its text, up to a third of the window.
function fit() {
  const field = byId("question");
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, innerHeight / 3)}px`;
}

/** An answer began or ended, or another conversation is shown: the address leads back to it. */
function conversationChanged() {
  const id = shownConversation();
  if (id) address.searchParams.set("conversation", id);
  else address.searchParams.delete("conversation");
  history.replaceState(null, "", address);
  showState();
  showScope();
  if (!isRunning()) listConversations(collection);
}

// --- what the page says of itself -------------------------------------------------------------------------------------

function showState() {
  const running = isRunning();
  showWhen(byId("stop"), running);
  showWhen(byId("send"), !running);
  showWhen(byId("find"), !running);
  const turns = byId("turns").childElementCount > 0;
  showWhen(byId("new"), turns && !running);
  document.body.classList.toggle("talking", turns);
  showWelcome(!turns);
}

function showWelcome(wanted) {
  const box = byId("welcome");
  showWhen(box, wanted);
  if (!wanted) return;
  if (refused && !counts) {
    box.replaceChildren(make("div", "problem", make("p", "", refused.message), make("p", "", refused.remedy ?? "")));
  } else if (counts) {
    const key = JSON.stringify([counts, collection]);
    if (box.dataset.shows !== key) box.replaceChildren(...(counts.published ? greeting() : instructions()));
    box.dataset.shows = key;
  }
}

function greeting() {
  const picture = new Image(64, 64);
  picture.src = "static/icon.svg";
  picture.alt = "";
  return [
    picture,
    say(make("h1"), "welcome.title"),
    say(make("p"), "welcome.text"),
    say(make("p", "quiet"), "welcome.count", { n: counts.published, collection }),
    say(make("p", "quiet"), "welcome.languages"),
    ...busy(),
  ];
}

function instructions() {
  const command = `tuwen ingest FOLDER${collection === "default" ? "" : ` -c ${JSON.stringify(collection)}`}`;
  const steps = make(
    "ol",
    "steps",
    say(make("li"), "welcome.empty.drop"),
    say(make("li"), "welcome.empty.command", { command }),
    say(make("li"), "welcome.empty.ask"),
  );
  return [
    say(make("h1"), "welcome.empty.title"),
    say(make("p"), "welcome.empty.text", { collection }),
    steps,
    ...busy(),
  ];
}

function busy() {
  const { moving, published } = counts;
  return moving ? [say(make("p", "state busy"), published ? "welcome.more" : "welcome.busy", { n: moving })] : [];
}

// --- keys ------------------------------------------------------------------------------------------------------------

function shortcuts(event) {
  const typing = event.target.closest?.("input, textarea, select, dialog, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    byId("question").focus();
  }
  if (event.key === "Escape" && isOpen() && event.target === byId("question")) closeViewer();
}

start();
