// The documents of a collection: listed, added, watched while they are read, deleted.

import { announce, byId, copyOf, make, part, showWhen } from "./dom.js";
import * as http from "./http.js";
import { say, sayAttribute, t } from "./i18n.js";
import { droppedFiles } from "./dropped.js";
import { closeViewer, openViewer, shownDocument } from "./viewer.js";

const SHOWN = 200; // rows; beyond, the filter helps better than a longer list
const FILTER_FROM = 8;
const POLL_MS = 1500;
const TOGETHER = 2; // uploads under way at a time

let collection = "default";
let files = []; // as the server lists them
let local = new Map(); // name -> {status: "uploading" | "failed", error?} of this page's uploads
let timer = 0;
let onFiles = () => {};

const published = (file) => file.status === "published" || file.status === "unchanged";
const moving = (file) => ["uploading", "queued", "paused", "parsing", "embedding"].includes(file.status);

export function bindDocuments(listener) {
  onFiles = listener;
  byId("add").addEventListener("click", () => byId("chooser").click());
  byId("chooser").addEventListener("change", (event) => {
    add([...event.target.files].map((file) => ({ file, name: file.webkitRelativePath || file.name })));
    event.target.value = "";
  });
  byId("documents-filter").addEventListener("input", draw);
  bindDrop();
  bindDelete();
  document.addEventListener("visibilitychange", () => !document.hidden && refresh());
}

export function showCollection(name) {
  collection = name;
  files = [];
  local = new Map();
  return refresh();
}

/** Asks the server what there is, and again soon while something is being read. */
export async function refresh() {
  clearTimeout(timer);
  const of = collection;
  let found;
  try {
    found = await http.files(of);
  } catch (problem) {
    if (of === collection) timer = setTimeout(refresh, 4 * POLL_MS);
    return problem;
  }
  if (of !== collection) return null;
  tellChanges(files, found);
  files = found;
  draw();
  if (files.some(moving)) timer = setTimeout(refresh, POLL_MS);
  return null;
}

function tellChanges(before, after) {
  const old = new Map(before.map((file) => [file.id, file]));
  for (const file of after) {
    if (!old.has(file.id) || !moving(old.get(file.id)) || moving(file)) continue;
    announce(t(published(file) ? "documents.added" : "documents.failed", { name: file.name }));
  }
}

function all() {
  const waiting = [...local].map(([name, item]) => ({ name, ...item }));
  const names = new Set(waiting.map((file) => file.name));
  return [...waiting, ...files.filter((file) => !names.has(file.name))];
}

function draw() {
  const everything = all();
  const filter = byId("documents-filter");
  showWhen(filter, everything.length >= FILTER_FROM);
  const wanted = filter.hidden ? "" : filter.value.trim().toLowerCase();
  // What needs attention comes first: what is on its way, then what failed, then the rest by name.
  const rank = (file) => (moving(file) ? 0 : file.status === "failed" ? 1 : 2);
  const found = everything
    .filter((file) => file.name.toLowerCase().includes(wanted))
    .sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  keepFocus(() => byId("files").replaceChildren(...found.slice(0, SHOWN).map(row)));
  const note = byId("files-note");
  showWhen(note, found.length > SHOWN || found.length === 0);
  if (found.length > SHOWN) say(note, "documents.more", { n: found.length - SHOWN });
  else if (found.length === 0) say(note, everything.length ? "documents.nothing" : "documents.empty");
  byId("documents-count").textContent = everything.length || "";
  onFiles({
    published: files.filter(published).length,
    moving: everything.filter(moving).length,
    total: everything.length,
  });
}

// A list that is drawn anew while it is used must not lose the place of the keyboard.
function keepFocus(change) {
  const focused = byId("files").contains(document.activeElement) ? document.activeElement : null;
  const key = focused && [focused.closest("li").dataset.name, focused.dataset.part];
  const opened = new Set([...byId("files").querySelectorAll("details[open]")].map((d) => d.closest("li").dataset.name));
  change();
  for (const item of byId("files").children) {
    if (opened.has(item.dataset.name)) part(item, "warnings").open = true;
    if (key && item.dataset.name === key[0] && key[1]) part(item, key[1]).focus();
  }
}

function row(file) {
  const item = copyOf("file-template");
  item.dataset.name = file.name;
  item.dataset.status = file.status;
  const open = part(item, "open");
  const slash = file.name.lastIndexOf("/") + 1;
  part(item, "name").append(
    ...(slash ? [make("span", "folder quiet", file.name.slice(0, slash))] : []),
    file.name.slice(slash),
  );
  open.title = file.name;
  facts(part(item, "facts"), file);
  open.disabled = !file.chunks;
  open.addEventListener("click", () => openViewer({ document: file, version: file.sha256?.slice(0, 12) }, open));
  const remove = part(item, "delete");
  sayAttribute(remove, "aria-label", "documents.delete", { name: file.name });
  sayAttribute(remove, "title", "documents.delete", { name: file.name });
  remove.disabled = file.status === "uploading";
  remove.addEventListener("click", () => (file.id ? askToDelete(file) : forget(file.name)));
  if (file.error) {
    showWhen(part(item, "problem"), true);
    part(item, "message").textContent = file.error.message;
    part(item, "remedy").textContent = file.error.remedy ?? "";
  }
  if (file.warnings?.length) {
    showWhen(part(item, "warnings"), true);
    say(part(item, "warnings-title"), "documents.warnings", { n: file.warnings.length });
    part(item, "warnings-list").append(...file.warnings.map((text) => make("li", "", text)));
  }
  return item;
}

function facts(line, file) {
  const add = (element) => line.append(line.childNodes.length ? " · " : "", element);
  if (!published(file)) add(say(make("span", `status ${file.status}`), `documents.state.${file.status}`));
  if (file.pages) add(say(make("span"), "documents.pages", { n: file.pages }));
  if (file.chunks) add(say(make("span"), "documents.chunks", { n: file.chunks }));
  if (file.size) add(make("span", "", size(file.size)));
}

const size = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

function forget(name) {
  local.delete(name);
  draw();
}

/** Uploads files, a few at a time; each failure stands at its file. */
export async function add(items) {
  const into = collection;
  const queue = items.slice();
  for (const { name } of queue) local.set(name, { status: "uploading" });
  draw();
  const work = async () => {
    for (let item = queue.shift(); item; item = queue.shift()) await send(item, into);
  };
  await Promise.all(Array.from({ length: TOGETHER }, work));
}

async function send({ file, name }, into) {
  let failure = null;
  try {
    await http.upload(file, name, into);
  } catch (problem) {
    failure = { status: "failed", error: problem };
  }
  if (into !== collection) return;
  if (failure) local.set(name, failure);
  else local.delete(name);
  draw();
  await refresh();
}

function bindDrop() {
  const cover = byId("drop");
  let depth = 0; // a drag enters and leaves every element on its way
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  const show = (visible) => {
    showWhen(cover, visible);
    if (visible) say(byId("drop-text"), "documents.drop", { collection });
    else depth = 0;
  };
  addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth += 1;
    show(true);
  });
  addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  addEventListener("dragleave", (event) => {
    if (carriesFiles(event) && --depth <= 0) show(false);
  });
  addEventListener("drop", async (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    show(false);
    add(await droppedFiles(event.dataTransfer));
  });
}

let doomed = null;

function askToDelete(file) {
  doomed = file;
  say(byId("delete-text"), "delete.text", { name: file.name });
  showWhen(byId("delete-problem"), false);
  byId("delete").showModal();
}

function bindDelete() {
  byId("delete-no").addEventListener("click", () => byId("delete").close());
  byId("delete-yes").addEventListener("click", async () => {
    const file = doomed;
    byId("delete-yes").disabled = true;
    try {
      await http.remove(file.id);
      byId("delete").close();
      announce(t("documents.removed", { name: file.name }));
      if (shownDocument() === file.id) closeViewer();
    } catch (problem) {
      byId("delete-problem").textContent = `${problem.message} ${problem.remedy ?? ""}`;
      showWhen(byId("delete-problem"), true);
    }
    byId("delete-yes").disabled = false;
    await refresh();
  });
}
