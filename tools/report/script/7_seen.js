// SPDX-License-Identifier: Apache-2.0
// What trials recorded that is more than numbers, and what the machine did meanwhile.

const who = (one) => `${plain(one.arm)}, seed ${one.seed}`;

// --- pictures ----------------------------------------------------------------------------------

function showPictures() {
  const { pictures } = report.seen;
  if (!pictures.length) return;
  const made = section("pictures", "Pictures", make("p", { class: "small faint" },
    "The last of each name, of some trials; results.h5 has every one. In those of callback/pictures a green frame says that the model names the right class, orange that it does not; of masks the true one is in the second row, the model's in the third."));
  for (const one of pictures) {
    const what = `${short(one.name)}: ${short(one.arm, 40)}, seed ${one.seed}, step ${one.step}`;
    const file = () => save(fileName(`${one.name}-${one.trial}-${one.step}.png`), "image/png", bytesOf(one.png));
    made.append(make("figure", { id: `picture-${one.trial}-${pictures.indexOf(one)}`, class: "shown" },
      make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": what },
        make("img", { src: `data:image/png;base64,${one.png}`, alt: what })),
      make("figcaption", {}, make("bdi", {}, what), " ", button("PNG", file, `Save ${what} as PNG`))));
  }
}

// --- histograms --------------------------------------------------------------------------------

function histogramsFigure(trials) {
  const view = figures.find((one) => one.id === "histograms")?.view ?? { trial: 0, name: 0, log: true };
  const trial = () => trials[Math.min(view.trial, trials.length - 1)];
  const one = () => trial().names[Math.min(view.name, trial().names.length - 1)];
  const centre = ({ low, high }, row, rows) => low + ((high - low) * (row + 0.5)) / rows;
  function draw_() {
    const shown = one(), rows = shown.columns[0].length;
    const shares = Array.from({ length: rows }, (_, row) => shown.columns.map((column) => column[row]));
    const z = view.log ? shares.map((row) => row.map((share) => (share > 0 ? Math.log10(share) : null))) : shares;
    return { data: [{ type: "heatmap", x: shown.x.map(String), y: shares.map((_, row) => centre(shown, row, rows)), z, customdata: shares,
      colorscale: theme === "dark" ? "Viridis" : "YlGnBu", reversescale: theme !== "dark", hoverongaps: false,
      colorbar: { title: { text: "share" }, ...(view.log ? { tickvals: [-4, -3, -2, -1, 0], ticktext: ["0.01 %", "0.1 %", "1 %", "10 %", "100 %"] } : { tickformat: ".0%" }) }, hovertemplate: "%{customdata:.3%} near %{y:.4g} at step %{x}<extra></extra>" }],
    layout: { uirevision: JSON.stringify([trial().trial, shown.name]), xaxis: { title: { text: "step" }, type: "category" }, yaxis: { title: { text: plain(shown.name) }, zeroline: false } } };
  }
  const note = () => {
    const shown = one(), bad = shown.not_finite;
    figure.caption.textContent = `How the numbers of ${short(shown.name)} lie between ${num(shown.low)} and ${num(shown.high)}, step by step.` +
      (bad ? ` Up to ${count(bad, "number")} of a step not finite, which no row shows.` : "");
  };
  const change = (key) => (value) => { view[key] = key === "log" ? value : Number(value); note(); redraw(figure); };
  const controls = [
    selection("Of", trial().names.map((named_) => named_.name), change("name"), one().name),
    trials.length > 1 ? selection("Trial", trials.map(who), change("trial"), who(trial())) : null,
    toggle("logarithmic", change("log"), view.log),
  ].filter(Boolean);
  const figure = figureOf({ id: "histograms", height: 460, controls, view, make: draw_,
    says: "Histograms of the chosen name over the steps of a trial",
    csv: () => [["trial", "name", "step", "value", "share"], one().x.flatMap((step, i) => one().columns[i].map((share, row) =>
      [trial().trial, one().name, step, centre(one(), row, one().columns[i].length), share]))] }, "");
  note();
  return figure;
}

function showHistograms() {
  const trials = report.seen.histograms.filter((trial) => trial.names.length);
  if (trials.length) section("histograms", "Histograms").append(histogramsFigure(trials).element);
}

// --- resources ---------------------------------------------------------------------------------

const kUnits = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
function bytes(value) {
  const [size, letter] = kUnits.find(([one]) => Math.abs(value) >= one) ?? [1, ""];
  return `${num(value / size, 3)} ${letter}B`;
}

function energy(joules) {
  return joules < 36000 ? `${num(joules, 3)} J` : `${num(joules / 3.6e6, 3)} kWh`;
}

function resourcesFigure(lines) {
  const names = [...new Set(lines.map((line) => line.name))];
  const view = figures.find((one) => one.id === "resources")?.view ?? { name: names.includes("cpu") ? "cpu" : names[0] };
  const shown = () => lines.filter((line) => line.name === (names.includes(view.name) ? view.name : names[0]));
  function draw_() {
    const some = shown();
    return { data: some.map((line, i) => ({ x: line.x, y: line.y, mode: line.x.length < 3 ? "markers" : "lines", connectgaps: false,
      name: line.trial ? who(line) : plain(line.machine ?? "machine"), line: { color: colour(i + 1), width: 1.6, dash: dash(i) },
      hovertemplate: "%{y:.4s} at %{x} s<extra>%{fullData.name}</extra>" })),
    layout: { uirevision: view.name, showlegend: some.length > 1 && some.length <= kMostNamed, xaxis: { title: { text: "seconds since the study first ran" }, zeroline: false },
      yaxis: { title: { text: `${some[0].name}${unitOf(some[0].unit)}` }, rangemode: "tozero", exponentformat: "SI" } } };
  }
  const pick = (i) => { view.name = names[i]; redraw(figure); };
  const figure = figureOf({ id: "resources", height: 340, controls: [selection("What", names, pick, view.name)], view, make: draw_,
    says: "What the machine and the trials used over time",
    csv: () => [["what", "trial", "second", "value"], shown().flatMap((line) => line.x.map((x, i) => [line.name, line.trial, x, line.y[i]]))] },
    "Of many samples the greatest of neighbouring ones; results.h5 has every one.");
  return figure;
}

function showResources() {
  const { resources } = report.seen;
  if (!resources) return;
  const said = [];
  if (resources.memory) said.push(`The largest trial took ${bytes(resources.memory.value)} of memory (${resources.memory.trial}).`);
  if (isNumber(resources.energy)) said.push(`Processors and GPUs, as far as they tell, took ${energy(resources.energy)} while the study ran.`);
  section("resources", "Machine", said.length ? make("p", {}, said.join(" ")) : null).append(resourcesFigure(resources.lines).element);
}

function showSeen() {
  if (!report.seen) return;
  showInterpretation();
  showPictures();
  showHistograms();
  showResources();
}
