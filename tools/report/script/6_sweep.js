// SPDX-License-Identifier: Apache-2.0
// Of a sweep: what each parameter does, all of them together, and how much each tells.

const kManyTrials = 1500; // beyond which a figure is drawn by the graphics processor
const kGoodScale = "Viridis";

const hasGraphics = () => {
  try {
    return Boolean(document.createElement("canvas").getContext("webgl"));
  } catch {
    return false;
  }
};

/** A column's cells, texts in place of their codes. */
const cellsOf = (column) => (column.texts ? column.values.map((code) => (code == null ? null : column.texts[code])) : column.values);
const columnOf = (name) => report.trials.columns.find((column) => column.name === name);

/** How an axis is drawn: its values as numbers, logarithmic where they span more than a factor of thirty. */
function scaleFor(column) {
  const cells = cellsOf(column), all = numbers(cells);
  if (all.length && all.length === cells.filter((cell) => cell != null).length) {
    const low = all.reduce((a, b) => Math.min(a, b)), high = all.reduce((a, b) => Math.max(a, b));
    return { name: column.name, values: cells, log: low > 0 && high / low > 30, low, high };
  }
  const texts = cells.map((cell) => (cell == null ? null : shownValue(cell)));
  const levels = [...new Set(texts.filter((text) => text != null))].sort();
  return { name: column.name, texts, levels, values: texts.map((text) => (text == null ? null : levels.indexOf(text))) };
}

function sweepData() {
  const metric = (study.at === "best" && columnOf(`best.${study.metric}`)) || columnOf(study.metric);
  const axes = report.trials.columns.filter((column) => column.axis).map(scaleFor);
  const rows = metric ? cellsOf(metric).flatMap((value, row) => (isNumber(value) ? [row] : [])) : [];
  return { axes, rows, metric: metric ? cellsOf(metric) : [], ids: cellsOf(columnOf("id")) };
}

function slices({ axes, rows, metric, ids }) {
  const shown = axes.slice(0, 24);
  const columns = Math.min(shown.length, Math.max(1, Math.floor(document.getElementById("main").clientWidth / 260)));
  const lines = Math.ceil(shown.length / columns);
  const make_ = () => {
    const layout = { grid: { rows: lines, columns, pattern: "independent", ygap: 0.32, xgap: 0.16 } };
    const type = rows.length > kManyTrials && hasGraphics() ? "scattergl" : "scatter";
    const data = shown.map((axis, i) => {
      const number = i ? i + 1 : "";
      layout[`xaxis${number}`] = axisOf(axis);
      layout[`yaxis${number}`] = { zeroline: false, title: { text: i % columns ? "" : plain(study.metric, 24) } };
      return { type, mode: "markers", x: rows.map((row) => axis.values[row]), y: rows.map((row) => metric[row]), text: rows.map((row) => ids[row]),
        xaxis: `x${number}`, yaxis: `y${number}`, marker: { color: colour(1), size: rows.length > 300 ? 4 : 7, opacity: rows.length > 300 ? 0.45 : 0.75 },
        hovertemplate: "%{y:.5g} at %{x}, trial %{text}<extra></extra>" };
    });
    return { data, layout };
  };
  return figureOf({ id: "slices", height: Math.max(300, 250 * lines), make: make_,
    says: `Value of ${short(study.metric)} against each swept parameter; importance says how much each tells`,
    csv: () => [[...axes.map((axis) => axis.name), study.metric, "trial"],
      rows.map((row) => [...axes.map((axis) => (axis.texts ? axis.texts[row] : axis.values[row])), metric[row], ids[row]])] },
    `Each trial at its value of one parameter.${axes.length > shown.length ? ` The first ${shown.length} of ${axes.length}.` : ""}`);
}

/** How each axis of a figure of dots is drawn. */
const axisOf = (axis, title) => ({ title: { text: plain(title ?? axis.name, 34), standoff: 4 }, type: axis.log ? "log" : "linear", zeroline: false,
  ...(axis.log ? { dtick: axis.high / axis.low > 90 ? 1 : "D2" } : {}),
  ...(axis.levels ? { tickvals: axis.levels.map((_, k) => k), ticktext: axis.levels.map((level) => plain(level, 16)), range: [-0.5, axis.levels.length - 0.5] } : {}) });

/** Two parameters and the metric as a colour: where they help or hurt one another. */
function pairs({ axes, rows: all, metric, ids }) {
  const view = figures.find((one) => one.id === "pairs")?.view ?? { x: axes[0].name, y: axes[1].name };
  const of = (key, other) => axes.find((axis) => axis.name === view[key]) ?? axes[other];
  const rows = () => all.filter((row) => of("x", 0).values[row] != null && of("y", 1).values[row] != null);
  const make_ = () => {
    const x = of("x", 0), y = of("y", 1), shown = rows();
    return { data: [{ type: shown.length > kManyTrials && hasGraphics() ? "scattergl" : "scatter", mode: "markers",
      x: shown.map((row) => x.values[row]), y: shown.map((row) => y.values[row]), text: shown.map((row) => ids[row]), customdata: shown.map((row) => metric[row]),
      marker: { color: shown.map((row) => metric[row]), colorscale: kGoodScale, reversescale: study.goal === "minimize", showscale: true, size: shown.length > 300 ? 5 : 10,
        colorbar: { title: { text: plain(study.metric, 24), side: "right" } } },
      hovertemplate: "%{customdata:.5g} at %{x}, %{y}, trial %{text}<extra></extra>" }],
    layout: { uirevision: JSON.stringify([x.name, y.name]), xaxis: axisOf(x), yaxis: axisOf(y) } };
  };
  const pick = (key) => (i) => { view[key] = axes[i].name; redraw(figure); };
  const names = axes.map((axis) => axis.name);
  const figure = figureOf({ id: "pairs", height: 460, view, make: make_,
    controls: [selection("Across", names, pick("x"), of("x", 0).name), selection("Up", names, pick("y"), of("y", 1).name)],
    says: `Two parameters at a time, and ${short(study.metric)} as a colour`,
    csv: () => [[of("x", 0).name, of("y", 1).name, study.metric, "trial"], rows().map((row) => {
      const cell = (axis) => (axis.texts ? axis.texts[row] : axis.values[row]);
      return [cell(of("x", 0)), cell(of("y", 1)), metric[row], ids[row]];
    })] }, "Each trial at its values of two parameters.");
  return figure;
}

/** What had been found after so many trials. */
function historyFigure({ rows, metric, ids }) {
  const isBetter = study.goal === "minimize" ? (a, b) => a < b : (a, b) => a > b;
  let best = null;
  const bests = rows.map((row) => (best = best == null || isBetter(metric[row], best) ? metric[row] : best));
  const make_ = () => ({
    data: [
      { type: rows.length > kManyTrials && hasGraphics() ? "scattergl" : "scatter", mode: "markers", name: "a trial", x: rows.map((row) => row + 1), y: rows.map((row) => metric[row]), text: rows.map((row) => ids[row]),
        marker: { color: colour(1), size: rows.length > 300 ? 4 : 7, opacity: 0.5 }, hovertemplate: "%{y:.5g}, trial %{text}<extra></extra>" },
      { mode: "lines", name: "the best so far", x: rows.map((row) => row + 1), y: bests, line: { color: colour(2), width: 2.4, shape: "hv" }, hovertemplate: "%{y:.5g} after %{x} trials<extra></extra>" },
    ],
    layout: { showlegend: true, xaxis: { title: { text: "trial, in the order of the plan" }, zeroline: false }, yaxis: { title: { text: plain(study.metric) }, zeroline: false } },
  });
  return figureOf({ id: "history", height: 340, make: make_,
    says: `Value of ${short(study.metric)} of each trial in the order of the plan, and the best so far`,
    csv: () => [["number", study.metric, "best", "trial"], rows.map((row, i) => [row + 1, metric[row], bests[i], ids[row]])] },
    "Whether more trials would still have found better ones: a line that stays flat says that they would not.");
}

function dimensionOf(axis, rows) {
  const values = rows.map((row) => axis.values[row]);
  if (axis.levels) return { label: plain(axis.name, 26), values, tickvals: axis.levels.map((_, i) => i), ticktext: axis.levels.map((level) => plain(level, 16)) };
  if (!axis.log) return { label: plain(axis.name, 26), values };
  const low = Math.floor(Math.log10(axis.low)), high = Math.ceil(Math.log10(axis.high));
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  return { label: plain(axis.name, 26), values: values.map(Math.log10), tickvals: ticks, ticktext: ticks.map((tick) => num(10 ** tick)) };
}

function together({ axes, rows: all, metric }) {
  const rows = all.filter((row) => axes.every((axis) => axis.values[row] != null));
  const make_ = () => {
    const values = rows.map((row) => metric[row]);
    const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
    const dimensions = [...axes.slice(0, 12).map((axis) => dimensionOf(axis, rows)), { label: plain(study.metric, 26), values }];
    return { data: [{ type: "parcoords", dimensions, labelfont: { color: ink }, tickfont: { color: ink }, rangefont: { color: ink },
      line: { color: values, colorscale: kGoodScale, reversescale: study.goal === "minimize", showscale: true } }],
    layout: { margin: { l: 70, r: 20, t: 60, b: 24 } } };
  };
  return figureOf({ id: "parallel", height: 420, make: make_,
    says: "All swept parameters side by side, a line a trial; the table of trials has the same numbers",
    csv: () => [[...axes.map((axis) => axis.name), study.metric],
      rows.map((row) => [...axes.map((axis) => (axis.texts ? axis.texts[row] : axis.values[row])), metric[row]])] },
    "A line is a trial. Drag along an axis to keep the trials that pass there; drag an axis' name to move it.");
}

function importanceFigure(all) {
  const shown = all.slice(0, 40);
  const make_ = () => ({
    data: [{ type: "bar", orientation: "h", x: shown.map((one) => one.share), y: shown.map((_, i) => shown.length - 1 - i),
      marker: { color: colour(1) }, text: shown.map((one) => num(one.share, 2)), textposition: "outside", cliponaxis: false,
      hovertemplate: "%{x:.3f}<extra></extra>" }],
    layout: { xaxis: { range: [0, 1.08], title: { text: "share of the order of trials" } },
      yaxis: { tickvals: shown.map((_, i) => shown.length - 1 - i), ticktext: shown.map((one) => plain(one.axis)), showgrid: false, fixedrange: true } },
  });
  return figureOf({ id: "importance", height: 100 + 34 * shown.length, make: make_,
    says: `Importance: ${shown.slice(0, 8).map((one) => `${short(one.axis)} ${num(one.share, 2)}`).join(", ")}`,
    csv: () => [["parameter", "share", "groups", "trials"], all.map((one) => [one.axis, one.share, one.groups, one.n])] },
    `How much of the order of ${count(all[0].n, "trial")} by ${short(study.metric)} one parameter tells by itself (Kruskal and Wallis' H as a share, ` +
    "0 nothing, 1 all). A parameter that matters only together with another shows little here.");
}

function showSweep() {
  if (!report.sweep) return;
  const data = sweepData();
  if (!data.axes.length || !data.rows.length) return;
  const made = section("sweep", "Parameters");
  if (report.sweep.importance.length) made.append(make("h3", {}, "Importance"), importanceFigure(report.sweep.importance).element);
  made.append(make("h3", {}, "Slices"), slices(data).element);
  if (data.axes.length > 1) made.append(make("h3", {}, "Two at a time"), pairs(data).element);
  made.append(make("h3", {}, "History"), historyFigure(data).element);
  if (data.axes.length > 1 && hasGraphics()) made.append(make("h3", {}, "Together"), together(data).element);
}
