// Each episode's chooser, and what a link says of it: #<episode>/<grouping>/<theme>/<group>.
function option(value, text) {
  return make("option", { value }, text);
}

function setUp(article) {
  const episode = page.episodes.find((one) => one.key === article.dataset.episode);
  if (!episode) {
    return null;
  }
  const chooser = article.querySelector(".chooser");
  const whole = article.querySelector(".whole");
  const by = article.querySelector(".by");
  const box = article.querySelector(".messages");
  const grouping = make("select", { id: `${episode.anchor}-by` }, option("", "all participants"),
    ...page.groupings.map((one) => option(one.key, one.title)));
  const theme = make("select", { id: `${episode.anchor}-theme` }, option("", "all themes"),
    ...episode.themes.map((one, place) => [one, place]).filter(([one]) => one.isTheme).map(([one, place]) => option(place, one.name)));
  const themeField = make("div", {}, make("label", { for: theme.id }, "Theme"), theme);
  let lastButton = null;

  function note(open) {
    const chosen = [article.id, grouping.value, open ? episode.themes[open.theme].value : "", open && open.group !== null ? open.group : ""];
    history.replaceState(null, "", `#${chosen.map(encodeURIComponent).join("/").replace(/\/+$/, "")}`);
  }

  function close() {
    box.hidden = true;
    box.replaceChildren();
    note(null);
    if (lastButton && lastButton.isConnected) {
      lastButton.focus();
    }
  }

  function open(place, group, button) {
    lastButton = button;
    const key = grouping.value;
    const size = key ? page.groupings.find((one) => one.key === key).groups.length : 0;
    const start = key && group !== null ? { key, group: group === size ? missing : group } : null;
    listMessages(box, episode, place, start, close);
    note({ theme: place, group });
  }

  function show() {
    const chosen = page.groupings.find((one) => one.key === grouping.value);
    whole.hidden = Boolean(chosen);
    by.hidden = !chosen;
    themeField.hidden = !chosen;
    by.replaceChildren(...(chosen ? [figureOf(episode, chosen, theme.value === "" ? null : Number(theme.value), open)] : []));
  }

  // The rows of the chart and the table that are in the page without any script.
  for (const row of whole.querySelectorAll("rect[data-row]")) {
    const place = episode.themes.findIndex((one) => one.name === row.dataset.row);
    if (place >= 0) {
      pressable(row, row.dataset.row, () => open(place, null, row));
    }
  }
  for (const row of whole.querySelectorAll("tbody tr")) {
    const cell = row.cells[0];
    const place = episode.themes.findIndex((one) => one.name === cell.textContent);
    if (place >= 0) {
      const button = make("button", { type: "button", class: "open", "aria-label": `Messages of ${cell.textContent}` }, cell.textContent);
      cell.dataset.value = cell.textContent;
      button.addEventListener("click", () => open(place, null, button));
      cell.replaceChildren(button);
    }
  }
  chooser.append(make("div", {}, make("label", { for: grouping.id }, "Break down by"), grouping), themeField);
  chooser.hidden = false;
  const change = () => {
    show();
    box.hidden = true;
    note(null);
  };
  grouping.addEventListener("change", change);
  theme.addEventListener("change", change);
  show();
  return { article, episode, grouping, show, open };
}

const setUps = Array.from(document.querySelectorAll("article[data-episode]"), setUp).filter(Boolean);

function follow() {
  const [anchor, key, value, group] = location.hash.slice(1).split("/").map(decodeURIComponent);
  const one = setUps.find((candidate) => candidate.article.id === anchor);
  if (!one || key === undefined) {
    return;
  }
  one.grouping.value = page.groupings.some((grouping) => grouping.key === key) ? key : "";
  one.show();
  const place = one.episode.themes.findIndex((theme) => theme.value === value);
  one.article.scrollIntoView();
  if (place >= 0) {
    one.open(place, group === undefined || group === "" ? null : Number(group), null);
  }
}

addEventListener("hashchange", follow);
follow();
