"use strict";
// Without it the page is whole: the table is in the report's order, and nothing is hidden.
(() => {
  // What is folded is printed all the same.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const one of folded) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of folded) one.open = false;
  });

  const table = document.getElementById("vms");
  if (table === null) return;
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...body.rows];
  const form = document.getElementById("filter");
  const count = document.getElementById("count");
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const places = Object.fromEntries(heads.map((head, place) => [head.dataset.name, place]));

  const readCell = (row, place) => {
    const cell = row.cells[place];
    return cell.dataset.key ?? cell.textContent.trim();
  };

  const readWord = (row, place) => {
    const cell = row.cells[place];
    return cell.lastChild === null ? "" : cell.lastChild.textContent.trim();
  };

  const sortRows = (place, isUp) => {
    const keyed = rows.map((row) => [readCell(row, place), row]);
    // What says nothing comes last, whichever way.
    keyed.sort(([a], [b]) => (a === "") - (b === "") || collator.compare(a, b) * (isUp ? 1 : -1));
    const sorted = document.createDocumentFragment();
    for (const [, row] of keyed) sorted.append(row);
    body.append(sorted);
  };

  const filterRows = () => {
    const words = form.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, number) => {
      const fits =
        words.every((word) => texts[number].includes(word)) &&
        [form.verdict, form.state].every(
          (field) => field.value === "" || readWord(row, places[field.name]) === field.value,
        );
      row.hidden = !fits;
      shown += fits;
    });
    count.textContent = `${shown} of ${rows.length} shown`;
  };

  heads.forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const isUp = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
      sortRows(place, isUp);
    });
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", filterRows);
  form.addEventListener("reset", () => setTimeout(filterRows));
  form.hidden = false;
  filterRows();
})();
