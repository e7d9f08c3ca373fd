// Thumbs for an answer and for each of its citations, with a comment: kept by the server, for labelled sets.

import { announce, copyOf, part, showWhen } from "./dom.js";
import * as http from "./http.js";
import { say, t } from "./i18n.js";

/** Binds the thumbs of a finished turn. `citations` are those shown, in the order of the list. */
export function bindFeedback(turn, data, citations, { question, collection }) {
  const said = {
    collection,
    question,
    answer: data.answer,
    abstained: data.abstained,
    generator: data.generator,
    context: data.context.map((hit) => hit.chunk_id),
  };
  const box = part(turn, "feedback");
  const thumbs = copyOf("thumbs-template");
  box.replaceChildren(thumbs);
  bindThumbs(thumbs, { ...said, target: "answer", citations: data.citations.map(judged) }, "answer");
  bindComment(box, thumbs);
  showWhen(box, true);
  [...part(turn, "citations").children].forEach((item, i) => {
    const own = copyOf("thumbs-template");
    item.append(own);
    bindThumbs(own, { ...said, target: "citation", citations: [judged(citations[i])] }, "citation");
  });
}

const judged = ({ chunk_id, page, quote, verified }) => ({ chunk_id, page, quote, verified });

/** A second press of the same thumb takes it back; the other thumb replaces it. */
function bindThumbs(thumbs, body, target) {
  thumbs.rating = null;
  thumbs.send = async (change) => {
    const wanted = { ...body, ...thumbs.rating, ...change };
    const given = await http.giveFeedback(wanted);
    thumbs.rating = { id: given.id, rating: given.rating, comment: given.comment };
  };
  for (const rating of ["up", "down"]) {
    const button = part(thumbs, rating);
    button.title = t(`feedback.${target}.${rating}`);
    button.setAttribute("aria-label", button.title);
    button.dataset.attributes = JSON.stringify({ title: [`feedback.${target}.${rating}`], "aria-label": [`feedback.${target}.${rating}`] });
    button.addEventListener("click", () => press(thumbs, rating));
  }
}

async function press(thumbs, rating) {
  const buttons = [...thumbs.querySelectorAll("button")];
  for (const button of buttons) button.disabled = true;
  try {
    if (thumbs.rating?.rating === rating) {
      await http.takeBack(thumbs.rating.id);
      thumbs.rating = null;
    } else await thumbs.send({ rating });
    announce(t(thumbs.rating ? "feedback.thanks" : "feedback.taken"));
    problem(thumbs, "");
  } catch (error) {
    problem(thumbs, `${error.message} ${error.remedy ?? ""}`);
  }
  for (const button of buttons) {
    button.disabled = false;
    button.setAttribute("aria-pressed", String(button.dataset.part === thumbs.rating?.rating));
  }
  thumbs.dispatchEvent(new Event("rated"));
}

function problem(thumbs, text) {
  const line = part(thumbs, "problem");
  line.textContent = text;
  showWhen(line, Boolean(text));
}

function bindComment(box, thumbs) {
  const form = copyOf("comment-template");
  const field = part(form, "comment");
  const sent = part(form, "sent");
  box.append(form);
  thumbs.addEventListener("rated", () => {
    showWhen(form, Boolean(thumbs.rating));
    showWhen(sent, false);
    if (thumbs.rating?.rating === "down") field.focus();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await thumbs.send({ comment: field.value.trim() });
      say(sent, "feedback.kept");
      showWhen(sent, true);
      problem(thumbs, "");
    } catch (error) {
      problem(thumbs, `${error.message} ${error.remedy ?? ""}`);
    }
  });
}
