// The page: choose an attribute, answer by keyboard, see what is left.

import {Grid, WORDS, opinion} from "./grid.js";
import {Outbox} from "./outbox.js";

const get = (id) => document.getElementById(id);
const {journal, reviewer} = document.body.dataset;
const name = `aimonk-review:${reviewer}:${journal}:`;
const tabs = new BroadcastChannel(name);
const grid = new Grid(get("grid"), chosen);
const outbox = new Outbox(name, settled, trouble);
const done = []; // this tab's answers, for undo
let queues = [];
let evidence = null; // the cell whose evidence the large view shows

const queueOf = () => queues.find((queue) => queue.name === get("queue").value);
const attributeOf = () => queueOf()?.attributes.find((one) => one.name === get("attribute").value);

async function fetched(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

function choices(select, names, value) {
  select.replaceChildren(...names.map(([name, text]) => new Option(text, name)));
  if (names.some(([name]) => name === value)) select.value = value;
}

function listAttributes(value) {
  const names = queueOf().attributes.map((one) => [one.name, `${one.name} (${one.answered}/${one.cells})`]);
  choices(get("attribute"), names, value);
}

async function open(queue, attribute) {
  choices(get("queue"), queues.map((one) => [one.name, one.title]), queue);
  listAttributes(attribute);
  const query = new URLSearchParams({queue: get("queue").value, attribute: get("attribute").value});
  history.replaceState(null, "", `#${query}`);
  const question = document.createElement("b");
  question.textContent = get("attribute").value;
  get("question").replaceChildren("Is it there: ", question, "?");
  document.title = `${get("attribute").value} · review`;
  grid.show(await fetched(`/cells?${query}`));
  filter();
  grid.selectOpen();
  count();
  grid.list.focus({preventScroll: true});
}

function filter() {
  const shown = get("shown").value;
  const part = get("name").value.toLowerCase();
  grid.filter((cell) => cell.image.toLowerCase().includes(part) && (shown === "all" || (shown === "open") === !cell.answer));
  const empty = grid.visible().length === 0;
  get("empty").hidden = !empty;
  get("empty").textContent = shown === "open" && !part ? "Nothing is left to do here." : "No photo fits the filter.";
}

function count() {
  const here = attributeOf();
  here.answered = grid.cells.filter((cell) => cell.answer).length;
  const all = queues.flatMap((queue) => queue.attributes);
  const sum = (field) => all.reduce((total, one) => total + one[field], 0);
  get("progress").max = here.cells;
  get("progress").value = here.answered;
  get("count").textContent = `${here.answered} of ${here.cells} here, ${sum("answered")} of ${sum("cells")} in all`;
  get("attribute").selectedOptions[0].textContent = `${here.name} (${here.answered}/${here.cells})`;
}

function redraw(cell) {
  grid.draw(cell);
  filter();
  count();
}

function answer(word) {
  const cell = grid.cell(grid.current);
  if (!cell || grid.tiles.get(cell.key).hidden) return;
  const entry = crypto.randomUUID();
  const before = {answer: cell.answer, entry: cell.entry};
  if (!outbox.add("/answers", {entry, key: cell.key, answer: word, replaces: cell.entry})) return;
  done.push({key: cell.key, entry, before});
  Object.assign(cell, {answer: word, entry});
  redraw(cell);
  const more = grid.selectOpen();
  if (!more) get("status").textContent = "All of these are answered. Press N for the next attribute.";
}

function undo() {
  const selected = grid.cell(grid.current);
  let last = done.pop();
  if (!last && selected?.answer) last = {key: selected.key, entry: selected.entry, before: {answer: null, entry: ""}};
  if (!last) return say("There is nothing to undo.");
  outbox.add("/undo", {entry: crypto.randomUUID(), key: last.key, undoes: last.entry});
  const cell = grid.cell(last.key);
  if (!cell) return say("The last answer, of another attribute, is undone.");
  Object.assign(cell, last.before);
  if (!cell.answer && "blind" in document.body.dataset) {
    delete cell.label;
    delete cell.probability;
  }
  redraw(cell);
  grid.select(cell.key);
  say(`${cell.image}: undone`);
}

// The server has confirmed an answer, or has refused it because another tab was first.
function settled(item, state, taken) {
  tabs.postMessage(state);
  const at = done.findIndex((one) => one.entry === item.body.entry);
  if (!taken && at >= 0) done.splice(at, 1);
  received(state);
  const said = state.answer ? WORDS[state.answer] : "no answer";
  const seen = [said, opinion(state)].filter(Boolean).join(" · ");
  say(taken ? `${state.image}: ${seen}` : `${state.image} was answered in another tab: ${seen}`);
}

function received(state) {
  const cell = grid.cell(state.key);
  if (!cell || outbox.waiting().some((item) => item.body.key === state.key)) return;
  grid.update(state);
  redraw(cell);
  chosen("cell");
}

function say(words) {
  get("status").textContent = words;
}

function trouble(words) {
  get("trouble").textContent = words;
  get("trouble").hidden = !words;
}

function chosen(what) {
  const cell = grid.cell(grid.current);
  const large = get("large");
  if (!cell) return;
  if (what === "large" && !large.open) large.showModal();
  if (!large.open) return;
  const known = "label" in cell;
  if (!known || evidence !== cell.key) evidence = null;
  get("evidence").hidden = !known;
  get("evidence").ariaPressed = String(evidence !== null);
  const source = evidence ? `/evidence/${cell.key}` : `/photos/${cell.row}?large=true`;
  if (!get("photo").src.endsWith(source)) get("photo").src = source;
  get("photo").alt = cell.image;
  const said = cell.answer ? [WORDS[cell.answer], opinion(cell)] : [];
  const colors = evidence ? "red speaks for it, blue against" : "";
  get("caption").textContent = [`${get("attribute").value}?`, cell.image, ...said, colors].filter(Boolean).join(" · ");
}

// Shows where the model sees the attribute, or the photo again.
function look() {
  const cell = grid.cell(grid.current);
  if (!get("large").open || !cell || !("label" in cell)) return;
  evidence = evidence ? null : cell.key;
  chosen("cell");
}

// Opens the next attribute that has something to do, of this queue and then of the others.
function next() {
  const all = queues.flatMap((queue) => queue.attributes.map((one) => ({queue: queue.name, ...one})));
  const at = all.findIndex((one) => one.queue === get("queue").value && one.name === get("attribute").value);
  const order = [...all.slice(at + 1), ...all.slice(0, at)];
  const found = order.find((one) => one.answered < one.cells);
  return found ? open(found.queue, found.name) : say("Everything is answered. Stop aimonk review with Ctrl-C.");
}

const KEYS = {
  p: () => answer("present"),
  a: () => answer("absent"),
  c: () => answer("unclear"),
  s: () => answer("skipped"),
  u: undo,
  n: next,
  e: look,
  ArrowLeft: () => grid.step(-1, 0),
  ArrowRight: () => grid.step(1, 0),
  ArrowUp: () => grid.step(0, -1),
  ArrowDown: () => grid.step(0, 1),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, select");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const onButton = event.target.matches("button");
  const act = event.key === "Enter" && !onButton ? () => chosen("large") : KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act || event.repeat && !event.key.startsWith("Arrow")) return;
  event.preventDefault();
  act();
});
for (const button of document.querySelectorAll("[data-answer]")) {
  if (button.matches("button")) button.addEventListener("click", () => answer(button.dataset.answer));
}
get("undo").addEventListener("click", undo);
get("next").addEventListener("click", next);
get("enlarge").addEventListener("click", () => chosen("large"));
get("close").addEventListener("click", () => get("large").close());
get("evidence").addEventListener("click", look);
get("photo").addEventListener("error", () => {
  if (!evidence) return;
  evidence = null;
  chosen("cell");
  get("caption").textContent += " · this run keeps no model that can be explained";
});
get("queue").addEventListener("change", () => open(get("queue").value));
get("attribute").addEventListener("change", () => open(get("queue").value, get("attribute").value));
for (const id of ["shown", "name"]) {
  get(id).addEventListener("input", () => { filter(); grid.selectOpen(); });
}
tabs.addEventListener("message", (event) => received(event.data));

// The header covers the top of the page, and is as high as the window is narrow.
new ResizeObserver(([entry]) => {
  document.documentElement.style.setProperty("--header", `${entry.target.offsetHeight}px`);
}).observe(document.querySelector("header"));

async function start() {
  await outbox.send();
  queues = await fetched("/queues");
  const wanted = new URLSearchParams(location.hash.slice(1));
  if (queues.length) await open(wanted.get("queue"), wanted.get("attribute"));
  else get("question").textContent = "Nothing is doubtful: there is no cell to review.";
}

start().catch((error) => trouble(`The page could not be opened (${error.message}). Reload it, or start aimonk review again.`));
