"use strict";
// A click on a column's name sorts its table by it; a second click turns the order round.
const compareTexts = new Intl.Collator(undefined, { numeric: true }).compare;

function keyOf(row, column) {
  const cell = row.cells[column];
  return cell.dataset.value === undefined ? cell.textContent : cell.dataset.value;
}

function sortBy(header) {
  const table = header.closest("table");
  const column = header.cellIndex;
  // Numbers are first looked at from the largest, texts from A.
  const wasSorted = header.getAttribute("aria-sort");
  const isNumeric = header.classList.contains("number");
  const isAscending = wasSorted === null ? !isNumeric : wasSorted === "descending";
  for (const other of header.parentNode.cells) {
    other.removeAttribute("aria-sort");
  }
  header.setAttribute("aria-sort", isAscending ? "ascending" : "descending");
  const sign = isAscending ? 1 : -1;
  const rows = Array.from(table.tBodies[0].rows, (row) => [keyOf(row, column), row]);
  rows.sort(([first], [second]) => {
    // Cells without a number stay at the end.
    if (isNumeric && (first === "" || second === "")) {
      return (first === "") - (second === "");
    }
    return sign * (isNumeric ? Number(first) - Number(second) : compareTexts(first, second));
  });
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

for (const button of document.querySelectorAll("table.sortable th button")) {
  button.addEventListener("click", () => sortBy(button.parentNode));
}
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) {
    details.open = true;
  }
});
