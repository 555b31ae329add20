// What makes a long page handier. Everything stands in it without this script, too.
(() => {
  "use strict";
  const entries = [...document.querySelectorAll("#migrations > .entry")];
  const summaries = entries.map((entry) => entry.querySelector("summary"));
  const form = document.querySelector(".filters");

  for (const button of document.querySelectorAll(".copy")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }

  async function copy(button) {
    const code = button.closest(".file").querySelector("code");
    const said = (await put(code)) ? "Copied" : "Press Ctrl+C";
    button.textContent = said;
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  }

  async function put(code) {
    try {
      await navigator.clipboard.writeText(code.textContent);
      return true;
    } catch {
      // A page that was opened from a disk may not write there: select it instead.
      getSelection().selectAllChildren(code);
      return document.execCommand("copy");
    }
  }

  // Statements in pictures lead to their SQL.
  document.documentElement.classList.add("live");
  document.addEventListener("click", (event) => {
    const to = event.target.closest("[data-to]");
    if (to) location.hash = encodeURIComponent(to.dataset.to);
  });

  // Whatever is printed is printed in full where something failed.
  let closed = [];
  addEventListener("beforeprint", () => {
    // On paper, a wide picture is small: its table is there, too.
    closed = [...document.querySelectorAll(".entry.failed > details:not([open]), .entry.failed figure details:not([open])")];
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
  });

  if (!form) return;
  form.hidden = false;
  const texts = new Map();

  function textOf(entry) {
    if (!texts.has(entry)) texts.set(entry, entry.textContent.toLowerCase());
    return texts.get(entry);
  }

  function filter() {
    const kinds = new Set([...form.querySelectorAll("[name=kind]:checked")].map((box) => box.value));
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const entry of entries) {
      const fits = kinds.has(entry.dataset.kind) && words.every((word) => textOf(entry).includes(word));
      entry.hidden = !fits;
      shown += fits;
    }
    form.elements.shown.value = shown === entries.length ? `${shown} shown` : `${shown} of ${entries.length} shown`;
  }

  let waiting = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 80);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("click", (event) => {
    const what = event.target.dataset.do;
    if (what) for (const entry of entries) if (!entry.hidden) entry.querySelector("details").open = what === "open";
  });
  filter();

  // A link may lead to what the filter hides.
  function reveal() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const entry = target && target.closest(".entry");
    if (entry && entry.hidden) {
      entry.hidden = false;
      target.scrollIntoView();
    }
  }
  addEventListener("hashchange", reveal);

  document.addEventListener("keydown", (event) => {
    const step = { j: 1, k: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey || !form.elements.keys.checked) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select")) return;
    const shown = summaries.filter((_, at) => !entries[at].hidden);
    const here = document.activeElement.closest(".entry");
    const at = here ? shown.indexOf(here.querySelector("summary")) : step > 0 ? -1 : shown.length;
    const next = shown[at + step];
    if (next) {
      event.preventDefault();
      next.focus();
      next.scrollIntoView({ block: "nearest" });
    }
  });
})();
