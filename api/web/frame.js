// What every page of Tuwen has around it: the theme, and the list at the side.

import { byId } from "./dom.js";

/** The list at the side: open where there is room, otherwise behind its button. */
export function bindSidebar(onToggle = () => {}) {
  const wide = matchMedia("(min-width: 1000px)");
  const show = (visible) => {
    document.body.classList.toggle("listing", visible);
    byId("documents-toggle").setAttribute("aria-expanded", String(visible));
  };
  show(wide.matches);
  wide.addEventListener("change", () => show(wide.matches));
  byId("documents-toggle").addEventListener("click", () => {
    show(!document.body.classList.contains("listing"));
    onToggle();
  });
  byId("talk").addEventListener("pointerdown", () => !wide.matches && show(false));
  byId("documents").addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || wide.matches) return;
    show(false);
    byId("documents-toggle").focus();
  });
}

export function bindTheme() {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  try {
    root.dataset.theme = localStorage.getItem("tuwen.theme") ?? "";
  } catch {
    // storage may be forbidden
  }
  byId("theme").addEventListener("click", () => {
    const now = root.dataset.theme || (dark.matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("tuwen.theme", root.dataset.theme);
    } catch {
      // only the choice for next time is lost
    }
  });
}
