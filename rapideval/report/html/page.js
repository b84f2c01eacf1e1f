"use strict";
// Tables that sort and filter, a choice of curves, what is drawn over photographs, light and dark. Without it all is there, in order.
const root = document.documentElement;
document.getElementById("theme").addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

const collator = new Intl.Collator(undefined, { numeric: true });
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = head.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
      const number = (text) => (text === "" ? NaN : Number(text));
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [key(a), key(b)], [p, q] = [number(x), number(y)];
        if (Number.isNaN(p) !== Number.isNaN(q)) return Number.isNaN(p) ? 1 : -1; // what is undefined stays last
        const order = Number.isNaN(p) ? collator.compare(x, y) : p - q;
        return down ? -order : order;
      });
      body.append(...rows);
    });
  });
}

for (const input of document.querySelectorAll("input[data-filter]")) {
  const table = document.getElementById(input.dataset.filter);
  const told = document.getElementById(`${input.dataset.filter}-count`);
  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden) shown += 1;
    }
    told.textContent = words.length ? `${shown} of ${table.tBodies[0].rows.length} rows` : "";
  };
  input.addEventListener("input", filter);
}

for (const select of document.querySelectorAll("select[data-figures]")) {
  const figures = document.querySelectorAll(`[data-of="${select.dataset.figures}"]`);
  const choose = () => { for (const figure of figures) figure.hidden = figure.dataset.name !== select.value; };
  select.addEventListener("change", choose);
  choose();
}

const pictures = document.getElementById("pictures-list");
for (const box of document.querySelectorAll("input[data-layer]")) {
  box.addEventListener("change", () => pictures.classList.toggle(`hide-${box.dataset.layer}`, !box.checked));
}
