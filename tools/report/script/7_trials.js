// SPDX-License-Identifier: Apache-2.0
// Every trial, a page of them at a time: sorted by any column, kept by a word.

const kPage = 25;

let renewTrials = null; // once they are shown
function showTrials() {
  if (renewTrials) {
    section("trials", "Trials").isKept = true;
    return renewTrials();
  }
  let total = 0, columns = [], heads = [];
  const view = { rows: [], page: 0, by: null, down: false, word: "" };
  const head = make("tr"), body = make("tbody"), place = make("span", { class: "num" });

  function take() {
    total = report.trials.rows;
    columns = report.trials.columns.map((column) => ({ ...column, cells: cellsOf(column) }))
      .filter((column) => !(report.sweep && column.name === "arm")) // its axes say the same
      .filter((column) => column.cells.some((cell) => cell != null && cell !== ""));
    heads = columns.map((column) => make("th", { scope: "col", class: column.texts ? null : "right" },
      button(`${short(column.name, 40)}${unitOf(column.unit)}`, () => sort(column.name))));
    put(head, heads);
    heads = [...head.children];
  }
  function show() {
    const first = view.page * kPage, rows = view.rows.slice(first, first + kPage);
    put(body, rows.map((row) => make("tr", {}, columns.map((column) => {
      const cell = column.cells[row];
      return make("td", { class: column.texts ? "name" : "right" }, column.texts ? named(column.axis ? shownValue(cell ?? "") : cell ?? "", kLong / 2) : cell == null ? "" : typeof cell === "boolean" ? String(cell) : num(cell, 6));
    }))));
    place.textContent = view.rows.length
      ? `${(first + 1).toLocaleString("en")} to ${(first + rows.length).toLocaleString("en")} of ${view.rows.length.toLocaleString("en")}` : "none";
    for (const [i, one] of heads.entries())
      one.setAttribute("aria-sort", view.by !== columns[i].name ? "none" : view.down ? "descending" : "ascending");
  }
  function sort(name) {
    view.down = view.by === name ? !view.down : false;
    view.by = name;
    apply(0);
  }
  function apply(page) {
    const word = view.word.toLowerCase();
    view.rows = Array.from({ length: total }, (_, i) => i).filter((row) => !word ||
      columns.some((column) => column.cells[row] != null && String(column.cells[row]).toLowerCase().includes(word)));
    const by = columns.find((column) => column.name === view.by);
    if (by) {
      const { cells } = by, sign = view.down ? -1 : 1;
      const rank = (cell) => (cell == null ? 2 : isNumber(cell) ? 0 : 1);
      view.rows.sort((a, b) => {
        const x = cells[a], y = cells[b];
        return rank(x) - rank(y) || (rank(x) === 2 ? 0 : sign * (isNumber(x) ? x - y : String(x) < String(y) ? -1 : String(x) > String(y) ? 1 : 0)) || a - b;
      });
    }
    turnTo(page);
  }
  function turnTo(page) {
    view.page = Math.max(0, Math.min(Math.ceil(view.rows.length / kPage) - 1, page));
    show();
  }
  const turn = (by) => () => turnTo(view.page + by);
  const search = make("input", { type: "search", input: () => { view.word = search.value; apply(0); } });
  section("trials", "Trials",
    make("div", { class: "row" }, make("label", {}, "Keep those with", search),
      make("span", { class: "save" }, button("CSV", () => save(fileName("trials.csv"), "text/csv", csvText(columns.map((column) => column.name),
        view.rows.map((row) => columns.map((column) => column.cells[row])))), "Save the trials as CSV"))),
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Trials" },
      make("table", {}, make("thead", {}, head), body)),
    make("div", { class: "row pager" }, button("Before", turn(-1), "Page before"), place, button("Next", turn(1), "Next page")));
  take();
  apply(0);
  renewTrials = () => {
    take();
    apply(view.page);
  };
}
