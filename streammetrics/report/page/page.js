"use strict";
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector) => document.querySelector(selector);

// The table: sorted by a header's button, filtered by the form above it.
const body = one("#incidents tbody");
if (body) {
  const number = (text) => (text === "" ? NaN : Number(text));
  const compare = (a, b) => {
    const [x, y] = [number(a), number(b)];
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x < y ? -1 : x > y ? 1 : 0;
  };
  all("#incidents th button").forEach((button) => button.addEventListener("click", () => {
    const header = button.closest("th"), isUp = header.getAttribute("aria-sort") !== "ascending";
    all("#incidents th").forEach((other) => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", isUp ? "ascending" : "descending");
    const key = (row) => row.cells[header.cellIndex].dataset.key;
    body.append(...[...body.rows].sort((a, b) => compare(key(a), key(b)) * (isUp ? 1 : -1)));
  }));
  const filter = () => {
    const [state, pair, text] = ["#state", "#pair", "#code"].map((id) => one(id).value);
    for (const row of body.rows) {
      row.hidden = (state && row.dataset.state !== state) || (pair && row.dataset.pair !== pair)
        || !row.dataset.code.toLowerCase().includes(text.toLowerCase());
    }
    one("#shown").textContent = `${[...body.rows].filter((row) => !row.hidden).length} of ${body.rows.length} shown`;
  };
  all("#state, #pair, #code").forEach((field) => field.addEventListener("input", filter));
  filter();
}

// Plots are drawn when they come near the window, and again where the colour scheme changes.
const data = JSON.parse(one("#data").textContent), views = new Map();
// The attributes of an incident's models by their names, put into the figure before it is drawn.
const attributes = (it) => {
  const columns = (entries) => ({ data: { type: "map", entries: Object.entries(entries) } });
  const x = it.baseline.map((_, place) => it.start + place * it.step);
  const rate = (errors) => errors.map((count) => count * 60000 / it.step);
  return {
    time: { start: it.start, end: it.start + it.step * x.length },
    rates: columns({ x, baseline: rate(it.baseline), candidate: rate(it.candidate) }),
    alerts: columns({ x: it.alerts, value: it.values, required: it.required }), unit: { axis_label: it.unit },
    onset: { location: it.onset }, opened: { location: it.opened }, end: { location: it.end },
  };
};
const fill = (node, given) => {
  if (node === null || typeof node !== "object") return;
  Object.assign(node.attributes ?? {}, given[node.attributes?.name]);
  Object.values(node).forEach((child) => fill(child, given));
};
const draw = async (target) => {
  const style = getComputedStyle(document.documentElement), incident = data.incidents[target.id];
  let text = JSON.stringify(incident ? data.incident : data.plots[target.id]);
  for (const [name, placeholder] of Object.entries(data.inks)) {
    text = text.replaceAll(placeholder, style.getPropertyValue(`--${name}`).trim());
  }
  // A finger that drags over a plot scrolls the page.
  if (matchMedia("(pointer: coarse)").matches) text = text.replace(/"active_drag":\{[^}]*\}/, '"active_drag":null');
  views.get(target)?.clear();
  target.replaceChildren();
  const item = JSON.parse(text);
  if (incident) fill(item.doc, attributes(incident));
  views.set(target, await Bokeh.embed.embed_item(item, target.id));
  target.dataset.drawn = "yes";
};
const watch = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
  watch.unobserve(entry.target);
  draw(entry.target);
}), { rootMargin: "400px" });
all(".plot").forEach((target) => watch.observe(target));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => [...views.keys()].forEach(draw));

// The clipboard is closed to pages from disk in some browsers: then the text is selected.
all("button.copy").forEach((button) => button.addEventListener("click", async () => {
  getSelection().selectAllChildren(button.nextElementSibling);
  try {
    await navigator.clipboard.writeText(button.nextElementSibling.textContent);
    button.textContent = "Copied";
  } catch { button.textContent = "Selected: press Ctrl+C"; }
}));
