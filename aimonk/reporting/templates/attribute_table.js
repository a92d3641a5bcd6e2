// Search, filter and sort the table of attributes. Without JavaScript the table is simply complete.
(() => {
  const controls = document.getElementById("attribute-controls");
  if (!controls) return;
  const table = document.getElementById("attribute-table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const headings = [...table.tHead.rows[0].cells];
  const search = controls.querySelector("input");
  const order = controls.querySelector("select");
  const shown = controls.querySelector("output");
  const value = (row, column) => row.cells[column].dataset.value;

  function sort(column, descending) {
    const isText = headings[column].dataset.kind === "text";
    const sign = descending ? -1 : 1;
    rows.sort((a, b) => {
      const x = value(a, column), y = value(b, column);
      if (x === "" || y === "") return (x === "") - (y === "");  // undefined values last in either order
      return sign * (isText ? x.localeCompare(y, undefined, {numeric: true}) : x - y);
    });
    body.append(...rows);
    headings.forEach((heading, place) => {
      heading.ariaSort = place === column ? (descending ? "descending" : "ascending") : "none";
    });
  }

  function filter() {
    const words = search.value.toLowerCase();
    let count = 0;
    for (const row of rows) {
      row.hidden = !value(row, 0).toLowerCase().includes(words);
      if (!row.hidden) count += 1;
    }
    shown.textContent = count === rows.length ? `${count} attributes` : `${count} of ${rows.length} attributes`;
  }

  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const first = heading.dataset.kind !== "text";  // numbers begin with the largest, names with A
      const again = heading.ariaSort === (first ? "descending" : "ascending");
      sort(column, first !== again);
      order.value = "";
    });
  });
  search.addEventListener("input", filter);
  order.addEventListener("change", () => {
    const [column, descending] = order.value.split(" ");
    if (column) sort(Number(column), descending === "descending");
  });
  controls.hidden = false;
  filter();
})();
