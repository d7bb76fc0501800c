// SPDX-License-Identifier: Apache-2.0
// What callback/interpret and callback/grad_cam found of a trained model of classes.

const kTile = 136; // pixels of an item in a picture of several, its frame with it
const kMostCells = 100; // classes of a confusion matrix that is drawn
const kMostNamedClasses = 40; // on an axis
const kMostBars = 40;
const kMostPairs = 12;

const interpreted = { trial: 0, counts: false, metric: "f1" };
const kClassMetrics = [["f1", "F1"], ["precision", "precision"], ["recall", "recall"]];

const kNothing = { data: [], layout: {} }; // of a trial that lacks what others have
const hasMatrix = (one) => one.classes && one.confusion && one.classes.name.length <= kMostCells;

const theOne = () => report.seen.interpretations[Math.min(interpreted.trial, report.seen.interpretations.length - 1)];
const classNames = (one, most = 24) => one.classes.name.map((name) => plain(name, most));

/** Ticks at so many of some names: each, or every second, ... */
function ticksOf(names) {
  const stride = Math.ceil(names.length / kMostNamedClasses);
  const at = names.map((_, i) => i).filter((i) => i % stride === 0);
  return { tickmode: "array", tickvals: at, ticktext: at.map((i) => names[i]), zeroline: false, showgrid: false };
}

/** Rows of counts by class, then by what it was taken for. */
function matrixOf(one) {
  const size = one.classes.name.length, rows = Array.from({ length: size }, () => Array(size).fill(0));
  one.confusion.count.forEach((n, i) => { rows[one.confusion.class[i]][one.confusion.taken[i]] = n; });
  return rows;
}

function confusionFigure() {
  const size = () => theOne().classes?.name.length ?? 0;
  function draw_() {
    if (!hasMatrix(theOne())) return kNothing;
    const one = theOne(), names = classNames(one), rows = matrixOf(one), items = one.classes.items;
    const shares = rows.map((row, i) => row.map((n) => (items[i] ? n / items[i] : null)));
    const told = rows.map((row, i) => row.map((n, j) => [names[i], names[j], n]));
    const text = rows.map((row, i) => row.map((n, j) => (n === 0 ? "" : interpreted.counts ? String(n) : `${Math.round(100 * shares[i][j])}`)));
    const ticks = ticksOf(names);
    return { data: [{ type: "heatmap", z: interpreted.counts ? rows : shares, text, customdata: told, xgap: size() <= 30 ? 1 : 0, ygap: size() <= 30 ? 1 : 0,
      ...(size() <= 20 ? { texttemplate: "%{text}", showscale: false } : {}), zmin: 0, ...(interpreted.counts ? {} : { zmax: 1 }),
      colorscale: theme === "dark" ? "Viridis" : "YlGnBu", reversescale: theme !== "dark",
      colorbar: { title: { text: interpreted.counts ? "items" : "share of<br>the class" }, ...(interpreted.counts ? {} : { tickformat: ".0%" }) },
      hovertemplate: "%{customdata[0]} taken for %{customdata[1]}: %{customdata[2]}, %{z:.4~g}<extra></extra>" }],
    layout: { uirevision: one.trial, xaxis: { title: { text: "taken for" }, tickangle: size() > 10 ? -60 : "auto", ...ticks },
      yaxis: { title: { text: "class" }, ...ticks, autorange: "reversed" } } };
  }
  const change = (on) => { interpreted.counts = on; redraw(figure); };
  const figure = figureOf({ id: "confusion", height: Math.min(820, 300 + 22 * size()), make: draw_,
    controls: [toggle("counts", change, interpreted.counts)],
    says: "Confusion matrix: how often each class is taken for each",
    csv: () => [["trial", "class", "taken", "count"], !hasMatrix(theOne()) ? [] : theOne().confusion.count.map((n, i) =>
      [theOne().trial, theOne().classes.name[theOne().confusion.class[i]], theOne().classes.name[theOne().confusion.taken[i]], n])] },
    "Of each class, a row, how much of it is taken for which; what is right stands on the diagonal. Numbers in the cells are per cent, or counts.");
  return figure;
}

/** The pairs that are taken for one another most often. */
function confusedTable(one) {
  const pairs = one.confusion.count.map((n, i) => ({ n, from: one.confusion.class[i], to: one.confusion.taken[i] }))
    .filter(({ n, from, to }) => n > 0 && from !== to)
    .sort((a, b) => b.n - a.n || a.from - b.from || a.to - b.to).slice(0, kMostPairs);
  if (!pairs.length) return make("p", {}, "Nothing is taken for something else.");
  const name = (i) => named(one.classes.name[i]);
  return make("div", {}, make("h3", {}, "Most confused"),
    table("Most confused", ["class", "taken for", right("items"), right("of the class")], pairs.map(({ n, from, to }) =>
      [name(from), name(to), right(n.toLocaleString("en")), right(one.classes.items[from] ? `${num((100 * n) / one.classes.items[from], 3)} %` : "–")])));
}

function classesFigure() {
  const ranked = () => {
    const one = theOne(), values = one.classes[interpreted.metric];
    return values.map((value, i) => i).filter((i) => one.classes.items[i] + one.classes.taken[i] > 0)
      .sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0) || a - b);
  };
  function draw_() {
    if (!theOne().classes) return kNothing;
    const one = theOne(), shown = ranked().slice(0, kMostBars), names = classNames(one);
    const word = kClassMetrics.find(([key]) => key === interpreted.metric)[1];
    return { data: [{ type: "bar", orientation: "h", y: shown.map((_, i) => i), x: shown.map((i) => one.classes[interpreted.metric][i]),
      marker: { color: colour(1) }, customdata: shown.map((i) => [names[i], one.classes.items[i], one.classes.taken[i]]),
      hovertemplate: `%{customdata[0]}: ${word} %{x:.4f}; %{customdata[1]} items, %{customdata[2]} taken for it<extra></extra>` }],
    layout: { uirevision: one.trial, bargap: 0.25, xaxis: { title: { text: word }, range: [0, 1], zeroline: false },
      yaxis: { ...ticksOf(shown.map((i) => names[i])), autorange: "reversed" } } };
  }
  const pick = (i) => { interpreted.metric = kClassMetrics[i][0]; redraw(figure); };
  const chosen = kClassMetrics.find(([key]) => key === interpreted.metric)[1];
  const figure = figureOf({ id: "classes", height: 130 + 24 * Math.min(kMostBars, theOne().classes?.name.length ?? 0), make: draw_,
    controls: [selection("What", kClassMetrics.map(([, word]) => word), pick, chosen)],
    says: "Precision, recall or F1 of each class, the lowest first",
    csv: () => [["trial", "class", "items", "taken", "precision", "recall", "f1"], (theOne().classes?.name ?? []).map((name, i) =>
      [theOne().trial, name, ...["items", "taken", "precision", "recall", "f1"].map((key) => theOne().classes[key][i])])] },
    `Of the classes the lowest first, at most ${kMostBars}. Precision: of what is taken for the class, how much is; recall: of what is of the class, how much is found; F1: their harmonic mean.`);
  return figure;
}

/** The mean distance of confidence from what is right (expected calibration error). */
function calibrationError({ items, confidence, accuracy }) {
  const all = items.reduce((sum, n) => sum + n, 0);
  const gaps = items.map((n, i) => (n && isNumber(confidence[i]) && isNumber(accuracy[i]) ? n * Math.abs(accuracy[i] - confidence[i]) : 0));
  return all ? gaps.reduce((sum, gap) => sum + gap, 0) / all : null;
}

const calibrationSays = ({ calibration }) => calibration &&
  `Items by the confidence of what they are taken for, and how many of them are right. Bars below the line are too sure, above it too unsure. The mean distance (expected calibration error) is ${num(calibrationError(calibration), 3)}.`;

function calibrationFigure() {
  function draw_() {
    if (!theOne().calibration) return kNothing;
    const { low, high, items, confidence, accuracy } = theOne().calibration;
    const some = items.map((n, i) => i).filter((i) => items[i] > 0);
    return { data: [
      { type: "bar", x: some.map((i) => (low[i] + high[i]) / 2), y: some.map((i) => accuracy[i]), width: some.map((i) => (high[i] - low[i]) * 0.92),
        name: "right", marker: { color: faded(colour(1), 0.75) }, customdata: some.map((i) => [items[i], confidence[i]]),
        hovertemplate: "%{customdata[0]} items, mean confidence %{customdata[1]:.3f}, right %{y:.3f}<extra></extra>" },
      { x: [0, 1], y: [0, 1], mode: "lines", name: "as confident as right", line: { color: colour(2), dash: "dash", width: 3 }, hoverinfo: "skip" },
    ], layout: { uirevision: theOne().trial, showlegend: true, xaxis: { title: { text: "confidence" }, range: [0, 1], zeroline: false },
      yaxis: { title: { text: "share that is right" }, range: [0, 1.02], zeroline: false } } };
  }
  return figureOf({ id: "calibration", height: 380, make: draw_, says: "Reliability diagram: the share that is right by confidence",
    csv: () => [["trial", "low", "high", "items", "confidence", "accuracy"], (theOne().calibration?.items ?? []).map((n, i) =>
      [theOne().trial, ...["low", "high", "items", "confidence", "accuracy"].map((key) => theOne().calibration[key][i])])] },
    calibrationSays(theOne()));
}

const tile = (png, column, row, alt) => make("img", { src: `data:image/png;base64,${png}`, alt, width: kTile, height: kTile,
  class: "tile", style: `object-position: ${-kTile * column}px ${-kTile * row}px` });

function worstItems(one) {
  const { worst, cam } = one;
  const looked = (item) => (cam?.png ? cam.items.indexOf(item) : -1);
  const tiles = worst.item.map((item, i) => {
    const at = looked(item), name = short(worst.name[i], 40);
    return make("figure", { class: "item" },
      worst.png ? tile(worst.png, i, 0, `Item ${item}, ${name}`) : null,
      at >= 0 ? tile(cam.png, at, 1, `Where the model looks in item ${item}`) : null,
      make("figcaption", {}, make("bdi", {}, name), " taken for ", make("bdi", {}, short(worst.taken_name[i], 40)),
        make("br"), `loss ${num(worst.loss[i], 3)}`, make("br"), `confidence ${num(worst.confidence[i], 3)}`, make("br"), `item ${item}`));
  });
  return make("div", {}, make("h3", {}, "Greatest loss"),
    make("p", { class: "small faint" }, "Items of the validation split, by -log of the probability of their class",
      worst.item.some((item) => looked(item) >= 0) ? "; below each, where the last feature map speaks for the class (Grad-CAM), bright where it is great." : ".",
      worst.png ? " A green frame: the class is right all the same; orange: it is not." : ""),
    make("div", { class: "items" }, tiles));
}

/** Grad-CAM of items that are none of the worst. */
function camPicture({ cam, worst, trial }) {
  if (!cam?.png || (worst && cam.items.every((item) => worst.item.includes(item)))) return null;
  const what = "Grad-CAM of items " + cam.items.join(", ");
  return make("figure", { class: "shown", id: `cam-${trial}` },
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": what }, make("img", { src: `data:image/png;base64,${cam.png}`, alt: what })),
    make("figcaption", {}, `${what}: each above, and below where the last feature map speaks for the class, bright where it is great.`));
}

function showInterpretation() {
  const all = report.seen.interpretations;
  if (!all.length) return;
  const rest = make("div", { id: "interpretation-items" }), confused = make("div", { id: "interpretation-confused" });
  const known = [];
  const renewed = () => {
    const one = theOne();
    put(confused, [one.classes && one.confusion ? confusedTable(one) : null].filter(Boolean));
    put(rest, [one.worst ? worstItems(one) : null, camPicture(one)].filter(Boolean));
  };
  const pick = (i) => {
    interpreted.trial = Number(i);
    for (const [id, place] of [["interpretation-confused", confused], ["interpretation-items", rest]]) {
      const old = document.getElementById(id);
      if (old && old !== place) old.replaceWith(place);
    }
    renewed();
    for (const figure of known) {
      if (figure.id === "calibration") figure.caption.textContent = calibrationSays(theOne());
      redraw(figure);
    }
  };
  const made = section("interpretation", "Interpretation", make("p", { class: "small faint" },
    "What the model gets right and wrong in the validation split: the last that callback/interpret and callback/grad_cam recorded, of some trials; results.h5 has all."));
  const trials = all.map(who);
  if (trials.length > 1) made.append(make("div", { class: "row" }, selection("Trial", trials, pick, who(theOne()))));
  const place = (title, figure) => { known.push(figure); made.append(make("h3", {}, title), figure.element); };
  if (all.some(hasMatrix)) place("Confusion", confusionFigure());
  made.append(confused);
  if (all.some((one) => one.classes)) place("Classes", classesFigure());
  if (all.some((one) => one.calibration)) place("Calibration", calibrationFigure());
  made.append(rest);
  renewed();
}
