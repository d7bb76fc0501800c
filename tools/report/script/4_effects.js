// SPDX-License-Identifier: Apache-2.0
// Every difference with its interval and seeds, and the table for a paper.

const kMostRows = 60; // of the figure

function effectsFigure(rows) {
  const shown = rows.slice(0, kMostRows);
  const make_ = () => {
    const data = [], axis = shown.map((row) => plain(row.name));
    const y = shown.map((_, i) => shown.length - 1 - i);
    for (const [i, row] of shown.entries()) {
      data.push({ type: "scatter", mode: "markers", x: row.differences, y: row.differences.map(() => y[i] - 0.22),
        marker: { color: colour(0), size: 6, opacity: 0.55 }, text: row.differences.map((_, k) => `seed ${row.seeds[k]}`),
        hovertemplate: "%{text}: %{x:+.5g}<extra></extra>" });
    }
    const tone = (row) => getComputedStyle(document.documentElement).getPropertyValue(`--${(kTones[row.verdict] ?? ["open"])[0]}`).trim();
    data.push({ type: "scatter", mode: "markers", x: shown.map((row) => row.value), y,
      error_x: { type: "data", symmetric: false, thickness: 2.5, width: 6, color: colour(0),
        array: shown.map((row) => (isNumber(row.high) ? row.high - row.value : 0)),
        arrayminus: shown.map((row) => (isNumber(row.low) ? row.value - row.low : 0)) },
      marker: { size: 12, symbol: "diamond", color: shown.map(tone) },
      text: shown.map((row) => `${plain(row.name)}<br>${signed(row.value)} ${range(row.low, row.high)}<br>${row.verdict}`),
      hovertemplate: "%{text}<extra></extra>" });
    const margin = report.comparison.margin ?? 0;
    const line = { type: "line", x0: 0, x1: 0, yref: "paper", y0: 0, y1: 1, line: { color: colour(0), dash: "dot", width: 1.5 } };
    const band = { type: "rect", x0: -margin, x1: margin, yref: "paper", y0: 0, y1: 1, fillcolor: faded(colour(0), 0.13), line: { width: 0 }, layer: "below" };
    return { data, layout: {
      shapes: margin > 0 ? [band, line] : [line],
      xaxis: { title: { text: `difference in ${plain(study.metric)}${unitOf(study.unit)}` }, zeroline: false },
      yaxis: { tickvals: y, ticktext: axis, range: [-0.7, shown.length - 0.4], showgrid: false, zeroline: false, fixedrange: true } } };
  };
  return figureOf({ id: "effects", height: 110 + 46 * shown.length, make: make_,
    says: `Differences with their intervals: ${shown.slice(0, 8).map(described).join("; ")}`,
    csv: () => [["name", "seed", "difference", "mean", "low", "high", "p", "p_holm", "verdict"],
      rows.flatMap((row) => (row.differences.length ? row.differences : [null]).map((value, k) =>
        [row.name, value == null ? null : row.seeds[k], value, row.value, row.low, row.high, row.p, row.p_holm, row.verdict]))] },
    `Diamonds: means with their intervals; dots: the difference of each seed.${rows.length > shown.length ? ` The first ${shown.length} of ${rows.length}; the table has all.` : ""}`);
}

const tableButtons = () => make("div", { class: "row" },
  button("Copy LaTeX", () => copy(report.tables.latex, "LaTeX table")),
  button("Copy Markdown", () => copy(report.tables.markdown, "Markdown table")));

function effectsTable(rows) {
  const isDesign = report.comparison.effects.length > 0;
  const head = isDesign
    ? ["effect", right("seeds"), right("estimate"), right("interval"), right("p"), right("p (Holm)"), "verdict"]
    : ["arm", right("seeds"), right(short(report.comparison.baseline, 24)), right("mean"), right("difference"), right("interval"), right("p"), right("p (Holm)"), "verdict"];
  return table("Differences and their tests", head, rows.map((row) => {
    const tail = [right(signed(row.value)), right(range(row.low, row.high)), right(num(row.p, 3)), right(num(row.p_holm, 3)), chip(row.verdict)];
    const who = row.aliases?.length ? make("span", {}, named(row.name), make("span", { class: "faint small" }, ` or ${short(row.aliases.join(", "))}`)) : named(row.name);
    return isDesign ? [who, right(String(row.n)), ...tail]
      : [who, right(String(row.n)), right(num(row.baseline_mean)), right(num(row.arm_mean)), ...tail];
  }));
}

function excludedOf(rows) {
  const seen = new Set();
  const lines = rows.flatMap((row) => row.excluded.map((one) =>
    `seed ${one.seed}${row.effect ? "" : ` of ${short(row.name)}`}: ${short(one.reason, 300)}`))
    .filter((line) => !seen.has(line) && seen.add(line));
  if (!lines.length) return null;
  return make("details", {}, make("summary", {}, `${count(lines.length, "pair")} not counted`),
    make("ul", {}, lines.slice(0, 200).map((line) => make("li", {}, line))));
}

function showEffects() {
  const rows = questions();
  if (rows.length) {
    const made = section("effects", report.comparison.effects.length ? "Effects" : "Differences");
    made.append(effectsFigure(rows).element, tableButtons(), effectsTable(rows));
    if (rows.length > 1)
      made.append(make("ul", {}, rows.slice(0, 40).map((row) => make("li", {}, named(`${row.sentence}.`, kSentence)))));
    made.append(excludedOf(rows) ?? "");
  }
  const best = report.arms.filter((arm) => arm.rank != null).sort((a, b) => a.rank - b.rank);
  const arms = report.sweep ? best.slice(0, 20) : report.arms.slice(0, 200);
  const made = section("arms", report.sweep ? "Best points" : "Arms");
  if (!rows.length) made.append(tableButtons());
  const cut = report.arms.length - arms.length;
  made.append(table("Results by arm",
    [report.sweep ? "point" : "arm", right("trials"), right(`mean ${short(study.metric, 30)}${unitOf(study.unit)}`), right("sd"), right("least"), right("greatest"), right("epochs")],
    arms.map((arm) => [named(arm.arm), right(arm.n === arm.trials ? String(arm.n) : `${arm.n} of ${arm.trials}`),
      right(num(arm.mean)), right(num(arm.sd, 2)), right(num(arm.least)), right(num(arm.greatest)), right(num(arm.epochs))])));
  if (cut > 0) made.append(make("p", { class: "small faint" }, `${count(cut, "other")} not shown here; Trials has all.`));
}
