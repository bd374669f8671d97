// Themes of an episode by group: the chooser, the chart and the table of each theme in each group.
const page = JSON.parse(document.getElementById("episodes").textContent);
const smallMark = "*";
const smallBaseMark = "†";
const longestChart = 90;

// The score interval of Wilson (1927), 95 %, in percent.
function wilson(count, base) {
  const z2 = 1.959963984540054 ** 2;
  const share = count / base;
  const middle = share + z2 / (2 * base);
  const half = Math.sqrt(z2) * Math.sqrt((share * (1 - share)) / base + z2 / (4 * base * base));
  const whole = 1 + z2 / base;
  return [count === 0 ? 0 : (100 * (middle - half)) / whole, count === base ? 100 : (100 * (middle + half)) / whole];
}

function shareOf(count, base) {
  if (count === null || base === null || base < page.smallestBase) {
    return null;
  }
  const [low, high] = wilson(count, base);
  return { percent: (100 * count) / base, low, high };
}

const number = (value) => value.toLocaleString("en");
const isSmall = (count) => count > 0 && count < page.smallCount;
const heldBack = "held back";
const missingName = "(missing)";

function sayCount(count) {
  return count === null ? heldBack : number(count) + (isSmall(count) ? smallMark : "");
}

function sayBase(base) {
  return base === null ? heldBack : number(base) + (base > 0 && base < page.smallBase ? smallBaseMark : "");
}

function svg(name, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, value);
  }
  if (text !== undefined) {
    element.textContent = text;
  }
  return element;
}

// Rows of an episode by a grouping: a theme and a group each, empty groups left out.
function rowsByGroup(episode, grouping, theme) {
  const { n, base } = episode.by[grouping.key];
  const names = [...grouping.groups, missingName];
  const rows = [];
  episode.themes.forEach((one, place) => {
    if (!one.isTheme || (theme === null ? episode.n[place] === 0 : place !== theme)) {
      return;
    }
    names.forEach((group, at) => {
      if (base[at] !== 0) {
        const count = n[place][at];
        rows.push({ place, theme: one.name, at, group, count, base: base[at], share: shareOf(count, base[at]) });
      }
    });
  });
  return rows;
}

// A row of a chart as a button, which a key presses as well as a pointer.
function pressable(row, label, press) {
  row.setAttribute("role", "button");
  row.setAttribute("tabindex", "0");
  row.setAttribute("aria-label", `Messages of ${label}`);
  row.addEventListener("click", () => press(row));
  row.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      press(row);
    }
  });
  // What holds buttons is no picture.
  row.closest("svg").setAttribute("role", "group");
}

function drawGroups(rows, description, open) {
  const most = Math.max(...rows.map((row) => (row.share ? row.share.high : 0))) || 100;
  const scale = 36 / most;
  const drawing = svg("svg", { class: "drawing", role: "img", width: "100%", "aria-label": description });
  let y = 0;
  let theme = null;
  for (const row of rows) {
    if (row.place !== theme) {
      theme = row.place;
      y += 22;
      drawing.append(svg("text", { class: "label", x: 0, y: y - 4 }, row.theme.length > 46 ? `${row.theme.slice(0, 45)}…` : row.theme));
    }
    const middle = y + 8;
    drawing.append(svg("text", { class: "value", x: 0, y: y + 12 }, row.group.length > 16 ? `${row.group.slice(0, 15)}…` : row.group));
    let end = 0;
    if (row.share) {
      const { percent, low, high } = row.share;
      drawing.append(svg("rect", { class: row.group === missingName ? "aside" : row.at % 2 ? "series1" : "series0", x: "30%", y: y + 2, width: `${percent * scale}%`, height: 12 }));
      const line = { x1: `${30 + low * scale}%`, x2: `${30 + high * scale}%`, y1: middle, y2: middle };
      drawing.append(svg("line", { class: "halo interval", ...line }), svg("line", { class: "interval", ...line }));
      end = high * scale;
    }
    const said = row.share ? `${row.share.percent.toFixed(1)} % (${sayCount(row.count)} of ${sayBase(row.base)})` : `${sayCount(row.count)} of ${sayBase(row.base)}`;
    drawing.append(svg("text", { class: "value", x: `${30 + end}%`, dx: 6, y: y + 12 }, said));
    if (row.count !== null) {
      const button = svg("rect", { class: "row", x: 0, y, width: "100%", height: 18 });
      drawing.append(button);
      pressable(button, `${row.theme}, ${row.group}`, () => open(row.place, row.at, button));
    }
    y += 18;
  }
  drawing.setAttribute("height", y + 4);
  return drawing;
}

function tableOf(caption, rows, hasGroups, open) {
  const names = ["Theme", ...(hasGroups ? ["Group"] : []), "Participants", "Base", "Share %", "95 % interval"];
  const head = make("tr", {}, ...names.map((name, at) =>
    make("th", { scope: "col", class: at > (hasGroups ? 1 : 0) && name !== "95 % interval" ? "number" : undefined }, make("button", { type: "button" }, name))));
  const cell = (name, key, content) => make("td", { class: "number", "data-label": name, "data-value": key }, content);
  const body = rows.map((row) => {
    const label = hasGroups ? `${row.theme}, ${row.group}` : row.theme;
    const button = make("button", { type: "button", class: "open", "aria-label": `Messages of ${label}` }, row.theme);
    button.addEventListener("click", () => open(row.place, hasGroups ? row.at : null, button));
    const cells = [
      make("td", { "data-label": "Theme", "data-value": row.theme }, row.count === null ? row.theme : button),
      ...(hasGroups ? [make("td", { "data-label": "Group" }, row.group)] : []),
      cell("Participants", row.count === null ? "" : row.count, sayCount(row.count)),
      cell("Base", row.base === null ? "" : row.base, sayBase(row.base)),
      cell("Share %", row.share ? row.share.percent.toFixed(1) : "", row.share ? row.share.percent.toFixed(1) : "–"),
      make("td", { "data-label": "95 % interval" }, row.share ? `${row.share.low.toFixed(1)}–${row.share.high.toFixed(1)}` : "–"),
    ];
    return make("tr", {}, ...cells);
  });
  return make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption }, make("table", { class: "sortable" }, make("caption", {}, caption), make("thead", {}, head), make("tbody", {}, ...body)));
}

function toolsOf(hasDrawing) {
  const tool = (name, text) => make("button", { type: "button", "data-tool": name }, text);
  return make("div", { class: "tools" }, tool("copy", "Copy table"), tool("csv", "Download CSV"), ...(hasDrawing ? [tool("svg", "Download SVG")] : []));
}

function notesOf(rows) {
  const notes = [];
  if (rows.some((row) => isSmall(row.count))) {
    notes.push(`${smallMark} fewer than ${page.smallCount} participants.`);
  }
  if (rows.some((row) => row.base > 0 && row.base < page.smallBase)) {
    notes.push(`${smallBaseMark} a base of fewer than ${page.smallBase}; without a percentage: fewer than ${page.smallestBase}.`);
  }
  if (rows.some((row) => row.count === null || row.base === null)) {
    notes.push("Held back: few enough to tell who somebody is, or could be worked out from such a cell.");
  }
  return notes;
}

// The figure of an episode by a grouping; with a theme, of that theme alone.
function figureOf(episode, grouping, theme, open) {
  const rows = rowsByGroup(episode, grouping, theme);
  const what = theme === null ? `Themes of ${episode.key}` : `${episode.themes[theme].name} (${episode.key})`;
  const title = `${what} by ${grouping.title}`;
  const base = `n = ${number(episode.base)} participants with a theme; each share is of its group's`;
  const shown = rows.slice(0, longestChart);
  const figure = make("figure", { class: "panel", id: `${episode.anchor}-by-${grouping.key}` });
  figure.append(make("figcaption", {}, make("strong", {}, title), " ", make("span", { class: "base" }, base),
    make("span", { class: "caveat" }, page.caveat)));
  figure.append(drawGroups(shown, `Bar chart. ${title}. ${base}. The table below has every number.`, open));
  const notes = notesOf(rows);
  if (rows.length > shown.length) {
    notes.unshift("The chart has the first themes only: the table has all, or choose a theme.");
  }
  figure.append(make("ul", { class: "notes" }, ...notes.map((note) => make("li", {}, note))));
  figure.append(make("p", { class: "caveat" }, page.caveat));
  figure.append(tableOf(title, rows, true, open), toolsOf(true));
  return figure;
}
