// Which documents a conversation is about: chosen in a dialog, kept with the conversation.

import { byId, make, showWhen } from "./dom.js";
import * as http from "./http.js";
import { say } from "./i18n.js";
import { scope, setScope } from "./turns.js";

/** `collection` answers the name of the one that is asked. */
export function bindScope(collection) {
  byId("scope").addEventListener("click", () => choose(collection()));
  byId("scoping-all").addEventListener("click", () => use([]));
  byId("scoping-form").addEventListener("submit", (event) => {
    event.preventDefault();
    use([...byId("scoping-files").querySelectorAll("input:checked")].map((box) => box.value));
  });
}

export function showScope() {
  const n = scope().length;
  say(byId("scope"), n ? "scope.some" : "scope.all", { n });
}

async function choose(collection) {
  showWhen(byId("scoping-problem"), false);
  let files = [];
  try {
    files = (await http.files(collection)).filter((file) => file.status === "published");
  } catch (problem) {
    tell(problem);
  }
  const chosen = new Set(scope());
  byId("scoping-files").replaceChildren(
    ...files.map((file) => {
      const box = make("input");
      box.type = "checkbox";
      box.value = file.id;
      box.checked = chosen.has(file.id);
      return make("li", "", make("label", "", box, make("span", "", file.name)));
    }),
  );
  byId("scoping").showModal();
}

async function use(ids) {
  try {
    await setScope(ids);
    byId("scoping").close();
    showScope();
  } catch (problem) {
    tell(problem);
  }
}

function tell(problem) {
  byId("scoping-problem").textContent = `${problem.message} ${problem.remedy ?? ""}`;
  showWhen(byId("scoping-problem"), true);
}
