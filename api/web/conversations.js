// The stored conversations of a collection: listed, opened, named, exported, deleted.

import { announce, byId, copyOf, part, showWhen } from "./dom.js";
import * as http from "./http.js";
import { say, t } from "./i18n.js";
import { newConversation, openConversation, shownConversation } from "./turns.js";

const STEP = 20; // rows; more on demand

let collection = "default";
let limit = STEP;
let doomed = null;
let onOpen = () => {};

export function bindConversations(listener) {
  onOpen = listener;
  byId("talks-more").addEventListener("click", () => {
    limit += STEP;
    listConversations(collection);
  });
  byId("forget-no").addEventListener("click", () => byId("forget").close());
  byId("forget-yes").addEventListener("click", forget);
}

export async function listConversations(of) {
  if (of !== collection) limit = STEP;
  collection = of;
  let found;
  try {
    found = await http.conversations(of, limit);
  } catch {
    return; // listed again with the next change
  }
  if (of !== collection) return;
  byId("talks").replaceChildren(...found.conversations.filter((one) => one.turns || one.title).map(row));
  showWhen(byId("conversations"), byId("talks").childElementCount > 0);
  showWhen(byId("talks-more"), found.more);
}

function row(talk) {
  const item = copyOf("talk-template");
  const shown = talk.id === shownConversation();
  item.dataset.id = talk.id;
  item.classList.toggle("shown", shown);
  const name = part(item, "name");
  if (talk.title) name.textContent = talk.title;
  else say(name, "conversations.untitled");
  const open = part(item, "open");
  open.title = talk.title;
  if (shown) open.setAttribute("aria-current", "true");
  open.addEventListener("click", async () => {
    await openConversation(talk.id);
    onOpen();
    await listConversations(collection);
  });
  showWhen(part(item, "tools"), shown);
  part(item, "markdown").href = http.exportUrl(talk.id, "markdown");
  part(item, "json").href = http.exportUrl(talk.id, "json");
  bindNaming(item, talk);
  part(item, "delete").addEventListener("click", () => {
    doomed = talk;
    say(byId("forget-text"), "conversations.delete.text", { title: talk.title });
    showWhen(byId("forget-problem"), false);
    byId("forget").showModal();
  });
  return item;
}

function bindNaming(item, talk) {
  const form = part(item, "naming");
  const field = part(item, "title");
  part(item, "rename").addEventListener("click", () => {
    field.value = talk.title;
    showWhen(form, true);
    field.select();
  });
  field.addEventListener("keydown", (event) => event.key === "Escape" && showWhen(form, false));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!field.value.trim()) return;
    try {
      await http.changeConversation(talk.id, { title: field.value.trim() });
    } catch (problem) {
      announce(problem.message);
    }
    await listConversations(collection);
  });
}

async function forget() {
  const talk = doomed;
  try {
    await http.forget(talk.id);
    byId("forget").close();
    announce(t("conversations.removed"));
    if (talk.id === shownConversation()) {
      newConversation();
      onOpen();
    }
  } catch (problem) {
    byId("forget-problem").textContent = `${problem.message} ${problem.remedy ?? ""}`;
    showWhen(byId("forget-problem"), true);
  }
  await listConversations(collection);
}
