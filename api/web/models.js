// Which models are active, by the names the server gives them, and whether it can answer.

import { byId, make, showWhen } from "./dom.js";
import { readiness } from "./http.js";
import { hasText, say } from "./i18n.js";

const PARTS = ["text_encoder", "image_encoder", "image_describer", "reranker", "generator"];
const RETRY_MS = 2000;

/** Shows the state now, and again until the server is ready; answers it each time. */
export async function watchModels(onState = () => {}) {
  const found = await readiness();
  show(found);
  onState(found);
  if (!found?.ready) setTimeout(() => watchModels(onState), RETRY_MS);
}

function show(found) {
  // A server that is still loading gives an error without a type.
  const trouble = found && !found.ready && found.error?.type;
  const state = !found ? "offline" : found.ready ? "ready" : trouble ? "trouble" : "loading";
  say(byId("models-state"), found?.ready ? "models.button" : `models.${state}`);
  byId("models-dot").className = `dot ${state}`;
  const list = byId("models-list");
  const models = found?.models ?? {};
  list.replaceChildren(
    ...PARTS.filter((name) => models[name]).flatMap((name) => [
      say(make("dt"), `models.${name}`),
      value(name, models[name]),
    ]),
  );
  const note = byId("models-note");
  note.className = trouble ? "problem" : "quiet";
  if (!found) say(note, "models.unreachable");
  else if (found.ready) say(note, "models.ready");
  else if (trouble) {
    delete note.dataset.text;
    note.textContent = `${found.error.message} ${found.error.remedy ?? ""}`;
  } else say(note, "models.wait");
  showWhen(note, true);
}

function value(name, told) {
  if (/^none\b/.test(told)) {
    return say(make("dd", "quiet"), hasText(`models.none.${name}`) ? `models.none.${name}` : "models.none");
  }
  const shown = make("dd", "", make("span", "", told));
  if (name === "generator" && told.startsWith("extractive")) {
    shown.append(make("br"), say(make("span", "quiet small"), "models.extractive"));
  }
  return shown;
}
