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
      layout[`xaxis${number}`] = { title: { text: plain(axis.name, 34), standoff: 4 }, type: axis.log ? "log" : "linear", zeroline: false,
        ...(axis.levels ? { tickvals: axis.levels.map((_, k) => k), ticktext: axis.levels.map((level) => plain(level, 16)), range: [-0.5, axis.levels.length - 0.5] } : {}) };
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
  if (data.axes.length > 1 && hasGraphics()) made.append(make("h3", {}, "Together"), together(data).element);
}
