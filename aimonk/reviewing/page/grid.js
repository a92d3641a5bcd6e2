// The photos of one attribute, one of which is selected.

export const WORDS = {present: "present", absent: "absent", unclear: "cannot tell", skipped: "skipped"};

// What the label said and what the model says; empty while that is not to be seen.
export function opinion(cell, between = " · ") {
  if (!("label" in cell)) return "";
  const label = cell.label === null ? "no label" : `label: ${cell.label ? "present" : "absent"}`;
  return cell.probability === null ? label : `${label}${between}model: ${Math.round(100 * cell.probability)}% present`;
}

export class Grid {
  constructor(list, chosen) {
    this.list = list;
    this.chosen = chosen;
    this.cells = [];
    this.tiles = new Map();
    this.current = null;
    list.addEventListener("click", (event) => {
      const tile = event.target.closest("li");
      if (tile) this.select(tile.dataset.key);
    });
    list.addEventListener("dblclick", () => this.chosen("large"));
  }

  show(cells) {
    this.cells = cells;
    this.tiles = new Map(cells.map((cell) => [cell.key, this.tile(cell)]));
    this.list.replaceChildren(...this.tiles.values());
    this.current = null;
    for (const cell of cells) this.draw(cell);
  }

  tile(cell) {
    const tile = document.createElement("li");
    tile.setAttribute("role", "option");
    tile.setAttribute("aria-selected", "false");
    tile.id = `cell-${cell.key}`;
    tile.dataset.key = cell.key;
    const photo = document.createElement("img");
    photo.loading = "lazy";
    photo.decoding = "async";
    photo.alt = "";
    photo.src = `/photos/${cell.row}`;
    const parts = ["answer", "name", "opinion"].map((name) => {
      const part = document.createElement(name === "answer" ? "span" : "p");
      part.className = name;
      return part;
    });
    parts[1].textContent = parts[1].title = cell.image;
    tile.append(photo, ...parts);
    return tile;
  }

  draw(cell) {
    const tile = this.tiles.get(cell.key);
    tile.dataset.answer = cell.answer ?? "";
    tile.querySelector(".answer").textContent = cell.answer ? WORDS[cell.answer] : "";
    tile.querySelector(".opinion").textContent = opinion(cell, "\n");
  }

  // Takes the server's word for a cell.
  update(state) {
    const cell = this.cell(state.key);
    if (!cell) return;
    if (!("label" in state)) {
      delete cell.label;
      delete cell.probability;
    }
    Object.assign(cell, state);
    this.draw(cell);
  }

  cell(key) {
    return this.cells.find((cell) => cell.key === key);
  }

  filter(keep) {
    for (const cell of this.cells) this.tiles.get(cell.key).hidden = !keep(cell);
  }

  visible() {
    return this.cells.filter((cell) => !this.tiles.get(cell.key).hidden);
  }

  select(key) {
    if (this.current) this.tiles.get(this.current)?.setAttribute("aria-selected", "false");
    this.current = key;
    const tile = this.tiles.get(key);
    if (tile) {
      tile.setAttribute("aria-selected", "true");
      this.list.setAttribute("aria-activedescendant", tile.id);
      tile.scrollIntoView({block: "nearest"});
    } else {
      this.list.removeAttribute("aria-activedescendant");
    }
    this.chosen("cell");
  }

  // Selects the next cell without an answer, from the current one on and then from the start.
  selectOpen() {
    const at = this.cells.findIndex((cell) => cell.key === this.current);
    const order = [...this.cells.slice(at + 1), ...this.cells.slice(0, at + 1)];
    const next = order.find((cell) => !cell.answer && !this.tiles.get(cell.key).hidden);
    if (next) this.select(next.key);
    else if (at >= 0 && !this.tiles.get(this.current).hidden) this.select(this.current);
    else this.select(this.visible()[0]?.key ?? null);
    return Boolean(next);
  }

  step(columns, rows) {
    const cells = this.visible();
    const at = cells.findIndex((cell) => cell.key === this.current);
    const wide = getComputedStyle(this.list).gridTemplateColumns.split(" ").length;
    const to = at < 0 ? 0 : at + columns + rows * wide;
    if (cells[to]) this.select(cells[to].key);
  }
}
