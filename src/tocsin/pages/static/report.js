"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);

  const theme = byId("theme");
  const isDark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const label = () => {
    theme.textContent = isDark() ? "Light" : "Dark";
    theme.setAttribute("aria-label", `Change to ${isDark() ? "light" : "dark"} colours`);
  };
  theme.hidden = false;
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    label();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
  label();

  let clearFilter = () => {};
  const reveal = () => {
    const target = location.hash.length > 1 && byId(location.hash.slice(1));
    if (!target) return;
    if (target.closest("[hidden]")) clearFilter();
    const own = target.matches("li") && target.querySelector(":scope > details");
    if (own) own.open = true;
    for (let above = target.parentElement; above; above = above.parentElement) {
      if (above.tagName === "DETAILS") above.open = true;
    }
    requestAnimationFrame(() => target.scrollIntoView());
  };
  addEventListener("hashchange", reveal);
  reveal();

  const filter = byId("filter");
  const overview = byId("overview");
  if (!filter || !overview) return;

  const rows = all("tbody tr", overview).map((row) => {
    const section = byId(row.dataset.for);
    return { row, section, severity: section.dataset.severity, text: section.dataset.text.toLowerCase() };
  });
  const words = byId("words");
  const boxes = all("input[type=checkbox]", filter);
  const apply = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const severities = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let shown = 0;
    for (const one of rows) {
      const fits = severities.has(one.severity) && wanted.every((word) => one.text.includes(word));
      one.row.hidden = one.section.hidden = !fits;
      shown += fits;
    }
    byId("matches").textContent = shown === rows.length ? "" : `${shown} of ${rows.length} rules`;
  };
  clearFilter = () => {
    words.value = "";
    for (const box of boxes) box.checked = true;
    apply();
  };
  filter.hidden = false;
  words.addEventListener("input", apply);
  boxes.forEach((box) => box.addEventListener("change", apply));
  apply();

  const key = (row, at, kind) => {
    const cell = row.cells[at];
    return kind === "number" ? Number(cell.dataset.value) : cell.textContent;
  };
  all("thead th", overview).forEach((head, at) => {
    const kind = head.dataset.sort;
    if (!kind) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      all("thead th", overview).forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const sign = up ? 1 : -1;
      const sorted = all("tbody tr", overview).sort((one, other) => {
        const [a, b] = [key(one, at, kind), key(other, at, kind)];
        return sign * (a < b ? -1 : a > b ? 1 : 0);
      });
      overview.tBodies[0].append(...sorted);
    });
  });
})();
