"use strict";
// Tables: sorted by a click on a column's name, copied and downloaded; and drawings, downloaded.
const compareTexts = new Intl.Collator(undefined, { numeric: true }).compare;

function make(name, attributes, ...content) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value !== undefined && value !== false) {
      element.setAttribute(key, value === true ? "" : value);
    }
  }
  element.append(...content);
  return element;
}

function say(text) {
  document.getElementById("status").textContent = text;
}

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

function rowsOf(table) {
  return Array.from(table.rows, (row) => Array.from(row.cells, (cell) => cell.dataset.value || cell.textContent.trim()));
}

// No spreadsheet may run what somebody wrote.
function guard(text) {
  return /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
}

function toCSV(table) {
  const quote = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rowsOf(table).map((row) => row.map((text) => quote(guard(text))).join(",")).join("\n") + "\n";
}

function download(name, type, content) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = make("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
  say(`Downloaded ${name}.`);
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // An older browser, or one that asks and was told no.
    const area = make("textarea", {});
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say(`Copied ${what}.`);
}

const drawn = ["fill", "stroke", "stroke-width", "stroke-dasharray", "font-size", "font-weight", "font-family", "text-anchor"];

// The drawing alone, with the colours that the page gives it, its shapes and its title.
function toSVG(panel) {
  const drawing = panel.querySelector("svg.drawing");
  const heading = panel.querySelector("figcaption");
  const { width, height } = drawing.getBoundingClientRect();
  const alone = drawing.cloneNode(true);
  const originals = drawing.querySelectorAll("*");
  alone.querySelectorAll("*").forEach((element, number) => {
    const style = getComputedStyle(originals[number]);
    for (const property of drawn) {
      element.setAttribute(property, style.getPropertyValue(property));
    }
    element.removeAttribute("class");
    if (element.localName === "use") {
      const shape = document.getElementById(element.getAttribute("href").slice(1)).cloneNode(true);
      shape.removeAttribute("id");
      for (const property of drawn) {
        shape.setAttribute(property, style.getPropertyValue(property));
      }
      shape.append(...element.childNodes);
      element.replaceWith(shape);
    }
  });
  alone.querySelectorAll("[data-row], [role=button]").forEach((row) => row.remove());
  const ink = getComputedStyle(document.body).color;
  const paper = getComputedStyle(document.body).backgroundColor;
  const space = "http://www.w3.org/2000/svg";
  const whole = document.createElementNS(space, "svg");
  whole.setAttribute("width", Math.round(width) + 20);
  whole.setAttribute("height", Math.round(height) + 60);
  const ground = document.createElementNS(space, "rect");
  ground.setAttribute("width", "100%");
  ground.setAttribute("height", "100%");
  ground.setAttribute("fill", paper);
  whole.append(ground);
  [[heading.querySelector("strong"), 20, 15], [heading.querySelector(".base"), 38, 12]].forEach(([part, y, size]) => {
    const text = document.createElementNS(space, "text");
    text.setAttribute("x", "10");
    text.setAttribute("y", y);
    text.setAttribute("fill", ink);
    text.setAttribute("font-size", size);
    text.setAttribute("font-family", "sans-serif");
    text.textContent = part.textContent;
    whole.append(text);
  });
  alone.removeAttribute("class");
  alone.setAttribute("x", "10");
  alone.setAttribute("y", "50");
  alone.setAttribute("width", Math.round(width));
  alone.setAttribute("height", Math.round(height));
  whole.append(alone);
  return new XMLSerializer().serializeToString(whole);
}

function useTool(button) {
  const panel = button.closest(".panel");
  const table = panel.querySelector("table");
  const name = panel.id || (table && table.caption ? table.caption.textContent : "text").replace(/\W+/g, "-").slice(0, 60);
  const tools = {
    copy: () => copy(rowsOf(table).map((row) => row.map((text) => guard(text.replace(/\s+/g, " "))).join("\t")).join("\n"), "the table"),
    csv: () => download(`${name}.csv`, "text/csv;charset=utf-8", toCSV(table)),
    svg: () => download(`${name}.svg`, "image/svg+xml", toSVG(panel)),
    text: () => copy(Array.from(panel.querySelectorAll("p"), (part) => part.textContent).join("\n\n"), "the text"),
  };
  tools[button.dataset.tool]();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button && button.dataset.tool) {
    useTool(button);
  } else if (button && button.parentNode.matches("table.sortable th")) {
    sortBy(button.parentNode);
  }
});
for (const tools of document.querySelectorAll(".tools")) {
  tools.hidden = false;
}
let opened = [];
addEventListener("beforeprint", () => {
  opened = Array.from(document.querySelectorAll("details.multiples:not([open]), details.reading:not([open])"));
  opened.forEach((details) => { details.open = true; });
});
addEventListener("afterprint", () => {
  opened.forEach((details) => { details.open = false; });
});
