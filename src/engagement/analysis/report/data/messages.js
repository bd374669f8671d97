// The messages of a theme, or of a theme in a group: searched, filtered, fifty at a time.
const atATime = 50;
const missing = -1;
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLocaleLowerCase();

function groupName(grouping, group) {
  return group === missing ? missingName : group < 0 ? heldBack : grouping.groups[group];
}

// Places of the messages with a theme, and with a group if there is one.
function findMessages(episode, theme, filters, words) {
  const { text, code, codes, groups, folded } = episode.messages;
  const holds = codes.map((held) => held.includes(theme));
  return Array.from(text.keys()).filter((at) =>
    holds[code[at]]
    && Object.entries(filters).every(([key, group]) => groups[key][at] === group)
    && words.every((word) => folded[text[at]].includes(word)));
}

function itemOf(episode, theme, at) {
  const { texts, text, codes, code, days, day, groups } = episode.messages;
  const others = codes[code[at]].filter((place) => place !== theme).map((place) => episode.themes[place].name);
  const about = page.groupings
    .filter((grouping) => groups[grouping.key][at] !== missing)
    .map((grouping) => `${grouping.title}: ${groupName(grouping, groups[grouping.key][at])}`);
  const said = [days[day[at]], ...about, ...(others.length ? [`also: ${others.join(", ")}`] : [])].join(" · ");
  return make("li", {}, make("span", { class: "text", dir: "auto" }, texts[text[at]]), make("span", { class: "about" }, said));
}

function sayFound(episode, found, shown) {
  const listed = episode.messages.text.length;
  const sample = listed < episode.written
    ? ` This page holds a sample of ${number(listed)} of the ${number(episode.written)} messages of ${episode.key}; all are in messages.csv.`
    : "";
  return `${number(found)} ${found === 1 ? "message" : "messages"}, the first ${number(Math.min(shown, found))} shown.${sample}`;
}

function filterOf(episode, grouping, chosen, change) {
  const present = new Set(episode.messages.groups[grouping.key]);
  const name = `${episode.anchor}-only-${grouping.key}`;
  const select = make("select", { id: name }, make("option", { value: "" }, "all"));
  [...grouping.groups.keys(), missing].filter((group) => present.has(group)).forEach((group) => {
    select.append(make("option", { value: group }, groupName(grouping, group)));
  });
  select.value = chosen === null ? "" : chosen;
  select.addEventListener("change", change);
  return [make("div", {}, make("label", { for: name }, grouping.title), select), select];
}

// Fill the box of an episode with the messages of a theme; `close` is called when the reader has done.
function listMessages(box, episode, theme, start, close) {
  const messages = episode.messages;
  messages.folded = messages.folded || messages.texts.map(fold);
  const name = `Messages: ${episode.themes[theme].name} (${episode.key})`;
  const search = make("input", { type: "search", id: `${episode.anchor}-search` });
  const list = make("ol", { "aria-label": name });
  const status = make("p", { role: "status", class: "note" });
  const more = make("button", { type: "button" }, `Show ${atATime} more`);
  const shut = make("button", { type: "button" }, "Close the messages");
  const selects = {};
  let found = [];
  let shown = 0;

  function showMore() {
    const next = found.slice(shown, shown + atATime);
    list.append(...next.map((at) => itemOf(episode, theme, at)));
    shown += next.length;
    more.hidden = shown >= found.length;
    status.textContent = sayFound(episode, found.length, shown);
  }

  function find() {
    const filters = {};
    for (const [key, select] of Object.entries(selects)) {
      if (select.value !== "") {
        filters[key] = Number(select.value);
      }
    }
    found = findMessages(episode, theme, filters, fold(search.value).split(/\s+/).filter(Boolean));
    shown = 0;
    list.replaceChildren();
    showMore();
  }

  const boxes = page.groupings.map((grouping) => {
    const [field, select] = filterOf(episode, grouping, start && start.key === grouping.key ? start.group : null, find);
    selects[grouping.key] = select;
    return field;
  });
  search.addEventListener("input", find);
  more.addEventListener("click", () => {
    const first = shown;
    showMore();
    list.children[first].setAttribute("tabindex", "-1");
    list.children[first].focus();
  });
  shut.addEventListener("click", close);
  const heading = make("h4", { tabindex: "-1" }, name);
  box.replaceChildren(heading,
    make("div", { class: "filters" }, make("div", {}, make("label", { for: search.id }, "Search in the texts"), search), ...boxes),
    status, list, more, " ", shut);
  box.hidden = false;
  find();
  heading.focus();
}
