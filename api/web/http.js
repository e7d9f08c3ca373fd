// The server's interface. Every failure is a Problem with what happened and what to do next.

import { t } from "./i18n.js";

export class Problem extends Error {
  constructor(message, remedy = "", type = "") {
    super(message);
    this.remedy = remedy;
    this.type = type;
  }
}

async function send(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(t("problem.network"), t("problem.network.remedy"), "Network");
  }
  if (response.ok) return response;
  throw asProblem(await response.json().catch(() => null), response.status);
}

function asProblem(body, status) {
  const error = body?.error;
  if (!error?.message) return new Problem(t("problem.status", { status }));
  return new Problem(error.message, error.remedy, error.type);
}

const asJson = (body, signal) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
  signal,
});

const json = async (path, options) => (await send(path, options)).json();
const quoted = encodeURIComponent;

export const collections = async () => (await json("v1/collections")).collections;
export const files = async (collection) => (await json(`v1/files?collection=${quoted(collection)}`)).files;
export const pages = async (id) => (await json(`v1/files/${quoted(id)}/pages`)).pages;
export const chunks = async (id) => (await json(`v1/files/${quoted(id)}/chunks`)).chunks;
export const remove = (id) => json(`v1/files/${quoted(id)}`, { method: "DELETE" });
export const search = (body, signal) => json("v1/search", asJson(body, signal));

const patch = (path, body) => json(path, { ...asJson(body), method: "PATCH" });

export const conversations = (collection, limit) => json(`v1/conversations?collection=${quoted(collection)}&limit=${limit}`);
export const begin = (collection, filter) => json("v1/conversations", asJson({ collection, filter }));
export const conversation = (id) => json(`v1/conversations/${quoted(id)}`);
export const changeConversation = (id, change) => patch(`v1/conversations/${quoted(id)}`, change);
export const forget = (id) => json(`v1/conversations/${quoted(id)}`, { method: "DELETE" });
export const exportUrl = (id, format) => `v1/conversations/${quoted(id)}/export?format=${format}`;

export const giveFeedback = (body) => json("v1/feedback", asJson(body));
export const takeBack = (id) => json(`v1/feedback/${quoted(id)}`, { method: "DELETE" });

export const sets = async () => (await json("v1/sets")).sets;
export const questions = async (set) => (await json(`v1/sets/${quoted(set)}/questions`)).questions;
export const decide = (set, id, decision) => json(`v1/sets/${quoted(set)}/questions/${quoted(id)}`, asJson(decision));

export const contentUrl = (id) => `v1/files/${quoted(id)}/content`;
export const pictureUrl = (chunkId) => `v1/images/${quoted(chunkId)}`;
// The version keeps a browser from showing the page of a file that has been replaced since.
export const pageUrl = (id, page, version) => `v1/files/${quoted(id)}/pages/${page}/image?scale=2&v=${quoted(version)}`;

export function upload(file, name, collection) {
  const form = new FormData();
  form.append("collection", collection);
  form.append("name", name);
  form.append("file", file, name.split("/").pop());
  return json("v1/files", { method: "POST", body: form });
}

/** Whether the server can answer, and with which models; also when it says no. */
export async function readiness() {
  try {
    return await (await fetch("readyz")).json();
  } catch {
    return null;
  }
}

/** The events of an answer as `[name, data]`, as they come. */
export async function* ask(body, signal) {
  const response = await send("v1/query", asJson({ ...body, stream: true }, signal));
  for await (const [name, data] of serverSentEvents(response.body)) {
    if (name === "error") throw asProblem(data, 500);
    yield [name, data];
    if (name === "final_answer") return;
  }
  throw new Problem(t("problem.cut"), t("problem.cut.remedy"), "Cut");
}

/** Server-sent events (WHATWG HTML, section 9.2.6) whose data is JSON. */
async function* serverSentEvents(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      // A lone \r may be the first half of \r\n: it waits for what follows.
      const blocks = (rest + value).split(/\r\n\r\n|\n\n|\r\r(?!\n)/);
      rest = blocks.pop();
      for (const block of blocks) {
        let name = "message";
        const data = [];
        for (const line of block.split(/\r\n|\n|\r/)) {
          if (line.startsWith("event:")) name = line.slice(6).trim();
          else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
        }
        if (data.length) yield [name, JSON.parse(data.join("\n"))];
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
