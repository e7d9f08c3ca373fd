"use strict";
// Pages through the failures. Without this script, and on paper, all of them stand below each other.
(() => {
  const cases = Array.from(document.querySelectorAll(".case"));
  const pager = document.querySelector(".pager");
  if (!pager || !cases.length) return;
  const byClass = document.getElementById("by-class");
  const byKind = document.getElementById("by-kind");
  const previous = document.getElementById("previous");
  const next = document.getElementById("next");
  const place = document.getElementById("place");
  let chosen = cases;
  let at = 0;

  function show(moved) {
    cases.forEach((one) => one.classList.toggle("current", one === chosen[at]));
    place.textContent = chosen.length ? `${at + 1} of ${chosen.length}` : "none of this class and kind";
    previous.disabled = at <= 0;
    next.disabled = at >= chosen.length - 1;
    if (moved && chosen[at]) {
      history.replaceState(null, "", `#${chosen[at].id}`);
      if (pager.getBoundingClientRect().top < 0 || chosen[at].getBoundingClientRect().top < 0) pager.scrollIntoView();
    }
  }
  function turn(step) {
    const target = Math.min(Math.max(at + step, 0), chosen.length - 1);
    if (target === at || target < 0) return;
    at = target;
    show(true);
  }
  function filter() {
    chosen = cases.filter((one) =>
      (!byClass.value || one.dataset.class === byClass.value) && (!byKind.value || one.dataset.kind === byKind.value));
    at = 0;
    show(false);
  }
  function named() {
    const found = chosen.findIndex((one) => `#${one.id}` === location.hash);
    if (found >= 0) at = found;
    show(false);
    // Hiding the others moved the place that the browser had gone to.
    if (found >= 0) pager.scrollIntoView();
  }
  document.querySelectorAll(".enlarge").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      const large = button.closest(".with-page").classList.toggle("large");
      button.setAttribute("aria-pressed", String(large));
      button.textContent = large ? "Make smaller" : "Enlarge";
    });
  });
  document.documentElement.classList.add("paged");
  pager.hidden = false;
  previous.addEventListener("click", () => turn(-1));
  next.addEventListener("click", () => turn(1));
  byClass.addEventListener("change", filter);
  byKind.addEventListener("change", filter);
  window.addEventListener("hashchange", named);
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target instanceof HTMLSelectElement) return;
    // A table that scrolls sideways keeps its own arrow keys.
    if (event.target instanceof Element && event.target.closest(".scroll")) return;
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -cases.length, End: cases.length }[event.key];
    if (!step) return;
    const onPager = pager.contains(document.activeElement) || document.activeElement?.classList?.contains("case");
    if ((event.key === "Home" || event.key === "End") && !onPager) return;
    event.preventDefault();
    turn(step);
  });
  named();
})();
