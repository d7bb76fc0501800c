// SPDX-License-Identifier: Apache-2.0
// Learning curves: the mean over seeds in the band that they span, each seed on demand.

const kMostNamed = 14; // arms that a legend can hold

function curvesFigure(metrics) {
  const view = figures.find((one) => one.id === "curves")?.view ?? { metric: metrics[0].name, seeds: false, log: false, epochs: false };
  const shown = () => metrics.find((metric) => metric.name === view.metric) ?? metrics[0];
  const inEpochs = metrics.every((metric) => metric.arms.every((arm) => arm.steps_per_epoch));
  const isSweep = Boolean(report.sweep);
  const x = (arm, steps) => (view.epochs ? steps.map((step) => step / arm.steps_per_epoch) : steps);

  const good = (i) => colour(i < 5 ? 2 : 1); // the best of a sweep, and the others
  function bandOf(arm, i) {
    const { band } = arm, tone = isSweep ? good(i) : colour(i), steps = x(arm, band.x), none = { hoverinfo: "skip", mode: "lines", line: { width: 0 }, legendgroup: `g${i}`, showlegend: false };
    return [
      { ...none, x: steps, y: band.greatest },
      { ...none, x: steps, y: band.least, fill: "tonexty", fillcolor: faded(tone, theme === "dark" ? 0.25 : 0.16) },
      { x: steps, y: band.mean, mode: band.x.length < 30 ? "lines+markers" : "lines", name: plain(arm.arm), legendgroup: `g${i}`, text: band.n,
        line: { color: tone, width: isSweep && i >= 5 ? 1 : 2.4, dash: isSweep ? "solid" : dash(i) }, marker: { size: 5 },
        hovertemplate: "%{y:.5g} at %{x}, mean of %{text}<extra>%{fullData.name}</extra>" },
    ];
  }
  function seedsOf(arm, i, isAlone) {
    return arm.seeds.map((seed, k) => ({
      x: x(arm, seed.x), y: seed.y, mode: seed.x.length === 1 ? "markers" : "lines", name: plain(arm.arm), legendgroup: `g${i}`,
      showlegend: isAlone && k === 0 && !isSweep, opacity: isSweep ? 0.5 : isAlone ? 1 : 0.6,
      line: { color: isSweep ? good(i) : colour(i), width: isSweep ? (i < 5 ? 2 : 0.8) : isAlone ? 2 : 1, dash: isSweep ? "solid" : dash(i) },
      hovertemplate: `%{y:.5g} at %{x}, seed ${seed.seed}<extra>%{fullData.name}</extra>`,
    }));
  }
  const arms = () => shown().arms;

  /** Of a metric that was taken but once there is no curve: its values arm by arm. */
  const isOnce = () => !isSweep && arms().every((arm) => arm.seeds.every((seed) => seed.x.length === 1));
  function drawOnce() {
    const { arms, name, unit } = shown();
    const names = arms.map((arm) => plain(arm.arm, 24));
    const all = arms.flatMap((arm, i) => arm.seeds.map((seed) => ({ x: i, seed: seed.seed, y: seed.y[0] })));
    const means = arms.map((arm, i) => ({ x: i, y: arm.band?.mean[0] })).filter((one) => one.y != null);
    const axis = { tickvals: names.map((_, i) => i), ticktext: names, range: [-0.6, names.length - 0.4], showgrid: false, zeroline: false, showticklabels: names.length <= kMostNamed };
    return {
      data: [
        { x: all.map((one) => one.x), y: all.map((one) => one.y), text: all.map((one) => `${names[one.x]}, seed ${one.seed}`), mode: "markers", name: "a seed",
          marker: { size: 7, color: colour(1), opacity: 0.55 }, hovertemplate: "%{y:.5g}, %{text}<extra></extra>" },
        { x: means.map((one) => one.x), y: means.map((one) => one.y), text: means.map((one) => `mean of ${names[one.x]}`), mode: "markers", name: "mean", hovertemplate: "%{y:.5g}, %{text}<extra></extra>",
          marker: { size: 12, symbol: "diamond-open", color: colour(2), line: { width: 2.5 } } },
      ],
      layout: { uirevision: JSON.stringify([name, view.log, "once"]), xaxis: axis,
        yaxis: { title: { text: `${plain(name)}${unitOf(unit)}` }, type: view.log ? "log" : "linear", zeroline: false } },
    };
  }
  function draw_() {
    if (isOnce()) return drawOnce();
    const { arms, name, unit } = shown();
    const order = isSweep ? [...arms.keys()].reverse() : [...arms.keys()]; // the best on top
    const data = order.flatMap((i) => {
      const arm = arms[i];
      const isAlone = !arm.band;
      return [...(arm.band ? bandOf(arm, i) : []), ...(isAlone || view.seeds ? seedsOf(arm, i, isAlone) : [])];
    });
    return { data, layout: {
      uirevision: JSON.stringify([name, view.log, view.epochs]), showlegend: !isSweep && arms.length <= kMostNamed,
      xaxis: { title: { text: view.epochs ? "epoch" : "step" }, zeroline: false },
      yaxis: { title: { text: `${plain(name)}${unitOf(unit)}` }, type: view.log ? "log" : "linear", zeroline: false } } };
  }
  const change = (key) => (value) => { view[key] = value; note(); redraw(figure); };
  const some = metrics.some((metric) => metric.arms.some((arm) => arm.band));
  const controls = [
    selection("Metric", metrics.map((metric) => metric.name), (i) => change("metric")(metrics[i].name), shown().name),
    some ? toggle("each seed", change("seeds"), view.seeds) : null,
    toggle("logarithmic", change("log"), view.log),
    inEpochs ? toggle("in epochs", change("epochs"), view.epochs) : null,
  ].filter(Boolean);
  const figure = figureOf({ id: "curves", height: 460, controls, view, make: draw_,
    says: "Learning curves of the chosen metric; the values at the end are in the tables of arms and trials",
    csv: () => [["metric", "arm", "seed", "trial", "step", "value"], shown().arms.flatMap((arm) =>
      arm.seeds.flatMap((seed) => seed.x.map((step, i) => [shown().name, arm.arm, seed.seed, seed.trial, step, seed.y[i]])))] },
    "");
  function note() {
    const lines = shown().arms.flatMap((arm) => arm.seeds);
    const thinned = lines.filter((line) => line.points).length, broken = lines.filter((line) => line.not_finite);
    const said = [isOnce() ? `It was taken once of each trial. Dots: seeds${some ? "; diamonds: their means" : ""}.` : isSweep ? `Orange: the ${arms().length > 5 ? "five best points" : "points"}${some ? ", mean over seeds in the band that they span" : ""}.` : some ? "Line: mean over seeds; band: from the least to the greatest of them." : ""];
    if (report.curves.trials < report.curves.of) said.push(`${count(report.curves.trials, "trial")} of ${report.curves.of.toLocaleString("en")}${isSweep ? ": the best, and others at even distances in order of merit." : ": the first seeds of each arm."}`);
    if (thinned) said.push(`${count(thinned, "long line")} drawn with the least and the greatest value of neighbouring steps; results.h5 has every point.`);
    if (broken.length) said.push(`${count(broken.length, "line")} had values that are not finite, the first at step ${Math.min(...broken.map((line) => line.first_not_finite))}.`);
    figure.caption.textContent = said.join(" ");
  }
  note();
  return figure;
}

function showCurves() {
  const { metrics } = report.curves;
  if (!metrics.length) return;
  section("curves", "Learning curves").append(curvesFigure(metrics).element);
}
