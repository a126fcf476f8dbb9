"use strict";
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const hidden = new Set();
  let printing = false;

  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  function models() {
    return window.Bokeh ? Bokeh.documents.flatMap((shown) => [...shown.all_models]) : [];
  }

  // The charts are drawn on a canvas, which no style sheet reaches: their colours follow the theme here.
  function paint() {
    const text = colour("--text"), muted = colour("--muted"), line = colour("--line"), grid = colour("--grid");
    for (const model of models()) {
      if (model.type.endsWith("Axis")) {
        model.setv({axis_label_text_color: muted, major_label_text_color: text, axis_line_color: line, major_tick_line_color: line});
      } else if (model.type === "Grid") {
        model.setv({grid_line_color: grid});
      } else if (model.type === "Toolbar") {
        model.visible = !printing;
      } else if (model.type === "GlyphRenderer" && model.tags.length === 3) {
        paintRenderer(model);
      }
    }
  }

  function paintRenderer(renderer) {
    const [role, row, slot] = renderer.tags;
    const own = role === "warm-up" ? colour("--warm-up") : colour(`--series-${slot % 6}`);
    renderer.glyph.setv(role === "line" ? {line_color: own} : {fill_color: own});
    renderer.visible = !hidden.has(row);
  }

  function setTheme(theme) {
    root.dataset.theme = theme;
    try { localStorage.setItem("model-dyno-theme", theme); } catch { /* a page opened from a file may have no storage */ }
    paint();
  }

  function restoreTheme() {
    try {
      const kept = localStorage.getItem("model-dyno-theme");
      if (kept === "light" || kept === "dark") root.dataset.theme = kept;
    } catch { /* as above */ }
  }

  async function copy(button) {
    const text = document.getElementById(button.dataset.copy).textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const before = button.textContent;
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = before; }, 1500);
  }

  function toggle(chip) {
    const row = Number(chip.dataset.row);
    if (!hidden.delete(row)) hidden.add(row);
    chip.setAttribute("aria-pressed", String(!hidden.has(row)));
    for (const model of models()) {
      if (model.type === "GlyphRenderer" && model.tags[1] === row) model.visible = !hidden.has(row);
    }
  }

  function openTarget() {
    const target = document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
  }

  async function draw() {
    const data = document.getElementById("chart-data");
    if (!data) return;
    const documents = JSON.parse(data.textContent);
    const places = [...document.querySelectorAll("[data-root]")];
    const items = Object.keys(documents).map((docid) => ({
      docid, root_ids: places.map((place) => place.dataset.root), roots: Object.fromEntries(places.map((place) => [place.dataset.root, place])),
    }));
    await Bokeh.embed.embed_items(documents, items);
    paint();
    root.dataset.drawn = "true";
  }

  restoreTheme();
  const theme = document.getElementById("theme");
  theme.hidden = false;
  theme.addEventListener("click", () => setTheme((root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark" ? "light" : "dark"));
  dark.addEventListener("change", paint);
  for (const button of document.querySelectorAll(".copy")) button.addEventListener("click", () => copy(button));
  for (const chip of document.querySelectorAll(".chip")) chip.addEventListener("click", () => toggle(chip));
  addEventListener("hashchange", openTarget);
  openTarget();

  // Paper is white, and what is folded cannot be opened on it.
  let before = {};
  addEventListener("beforeprint", () => {
    if (printing) return;
    printing = true;
    before = {theme: root.dataset.theme, closed: [...document.querySelectorAll("details:not([open])")]};
    for (const details of before.closed) details.open = true;
    root.dataset.theme = "light";
    paint();
  });
  addEventListener("afterprint", () => {
    printing = false;
    for (const details of before.closed ?? []) details.open = false;
    if (before.theme) root.dataset.theme = before.theme; else delete root.dataset.theme;
    paint();
  });
  draw();
})();
