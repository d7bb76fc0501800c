// SPDX-License-Identifier: Apache-2.0
// Plotly, unpacked when the first figure comes near the window, and what all figures share.

const kColours = {
  light: ["#5b6472", "#0b62b0", "#b8500c", "#0a7a55", "#a3458a", "#1c7fa6", "#8a6a00"],
  dark: ["#aeb7c5", "#6db5f5", "#f59a5b", "#4fcf9c", "#e391c8", "#7fd3f0", "#e6c34a"],
};
const kDashes = ["solid", "dash", "dot", "dashdot"];
const kWidest = 1600; // pixels of a saved picture

let theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
const figures = [];

const colour = (i) => kColours[theme][i % kColours[theme].length];
const dash = (i) => kDashes[Math.floor(i / kColours.light.length) % kDashes.length];
const faded = (hex, opacity) =>
  `rgba(${[1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)).join(",")},${opacity})`;

let unpacked = null;
/** Plotly's text. It is unpacked in pieces between other work, so that it is there when a figure wants it. */
function unpack() {
  unpacked ??= (async () => {
    const packed = bytesOf(document.getElementById("plotly").textContent.trim());
    return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  })();
  return unpacked;
}

let running = null;
function plotly() {
  running ??= unpack().then((text) => {
    const script = document.createElement("script");
    script.textContent = text;
    document.head.append(script);
    return window.Plotly;
  });
  return running;
}

function layoutOf(own) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink").trim(), line = style.getPropertyValue("--line").trim();
  const size = Math.max(12, parseFloat(style.fontSize) * 0.8);
  const axis = { gridcolor: line, linecolor: line, zerolinecolor: line, automargin: true, tickfont: { size } };
  const layout = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true, hovermode: "closest",
    font: { color: ink, size, family: style.getPropertyValue("font-family") || "sans-serif" },
    margin: { l: 50, r: 12, t: 10, b: 44 }, showlegend: false, dragmode: "zoom",
    legend: { orientation: "h", y: -0.18, yanchor: "top", x: 0 }, uirevision: "as it was left", ...own,
  };
  for (const name of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key)))
    layout[name] = { ...axis, ...layout[name] };
  return layout;
}

const kConfig = {
  responsive: true, displaylogo: false, displayModeBar: "hover", plotGlPixelRatio: 2,
  showSendToCloud: false, modeBarButtonsToRemove: ["toImage", "lasso2d", "select2d", "sendDataToCloud"],
};

async function draw(figure) {
  const Plotly = await plotly();
  const { data, layout } = figure.make();
  await Plotly.react(figure.place, data, layoutOf(layout), kConfig);
  figure.drawn = true;
  figure.isStale = false;
  figure.place.dataset.drawn = theme;
}

const redraw = (figure) => (figure.drawn ? draw(figure).catch(failed(figure)) : undefined);

function failed(figure) {
  return (problem) => {
    figure.place.replaceChildren(make("p", { class: "alarm" },
      `This browser can't draw the figure (${problem.message}); its data are behind CSV.`));
  };
}

async function picture(figure, format) {
  await draw(figure);
  const Plotly = await plotly();
  const box = figure.place.getBoundingClientRect();
  const scale = format === "png" ? Math.max(1, Math.min(3, (2 * kWidest) / box.width)) : 1;
  const paper = getComputedStyle(document.documentElement).getPropertyValue("--paper").trim();
  const { data, layout } = figure.make();
  const url = await Plotly.toImage({ data, layout: { ...layoutOf(layout), paper_bgcolor: paper }, config: kConfig },
    { format, width: Math.round(box.width), height: Math.round(box.height), scale });
  const content = format === "svg" ? decodeURIComponent(url.slice(url.indexOf(",") + 1)) : bytesOf(url.slice(url.indexOf(",") + 1));
  save(fileName(`${figure.id}.${format}`), format === "svg" ? "image/svg+xml" : "image/png", content);
}

/** Bytes of base64. */
function bytesOf(text) {
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; ++i) bytes[i] = letters.charCodeAt(i); // ten times as fast as Uint8Array.from
  return bytes;
}

/**
 * A figure that is drawn when it comes near the window. `own`: id, says (one sentence for those who don't see it),
 * controls (elements), make() -> {data, layout}, csv() -> [head, rows], height in pixels.
 */
function figureOf(own, caption) {
  const old = figures.find((one) => one.id === own.id);
  if (old) return figureAgain(old, own, caption);
  const figure = { ...own, drawn: false, isStale: false };
  figure.place = make("div", { class: "plot", id: `plot-${own.id}`, role: "group", "aria-label": own.says });
  figure.place.style.height = `${own.height ?? 420}px`;
  figure.buttons = make("span", { class: "save" },
    button("SVG", () => picture(figure, "svg").catch(failed(figure)), `Save ${own.id} as SVG`),
    button("PNG", () => picture(figure, "png").catch(failed(figure)), `Save ${own.id} as PNG`),
    button("CSV", () => save(fileName(`${own.id}.csv`), "text/csv", csvText(...figure.csv())), `Save the data of ${own.id} as CSV`));
  figure.row = make("div", { class: "row" }, own.controls ?? [], figure.buttons);
  figure.caption = make("figcaption", {}, caption);
  figure.element = figure.box = make("figure", { id: `figure-${own.id}` }, figure.row, figure.place, figure.caption);
  figures.push(figure);
  return figure;
}

/** The same figure of a page that is put together once more: it stays where it is, and as its reader left it. */
function figureAgain(figure, own, caption) {
  Object.assign(figure, own);
  figure.place.setAttribute("aria-label", own.says);
  figure.place.style.height = `${own.height ?? 420}px`;
  figure.caption.textContent = caption;
  put(figure.row, [...(own.controls ?? []), figure.buttons]);
  figure.element = figure.box.isConnected ? Object.assign(make("figure", { id: figure.box.id }), { isKept: true }) : figure.box;
  return figure;
}

const waiting = new Set();
let isAtIt = false;

/** Of the figures that wait, what is nearest to the window's middle is drawn first, and shown before the next. */
async function drawSoon(figure) {
  waiting.add(figure);
  if (isAtIt) return;
  isAtIt = true;
  await plotly().catch(() => {}); // each figure says it
  const away = ({ box }) => {
    const { top, bottom } = box.getBoundingClientRect();
    return Math.abs(top + bottom - innerHeight);
  };
  while (waiting.size) {
    const next = [...waiting].reduce((a, b) => (away(b) < away(a) ? b : a));
    waiting.delete(next);
    await draw(next).catch(failed(next));
    await new Promise((shown) => setTimeout(shown));
  }
  isAtIt = false;
}

let watcher = null;
function watchFigures() {
  watcher ??= new IntersectionObserver((entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      watcher.unobserve(entry.target);
      const figure = figures.find((one) => one.box === entry.target);
      if (!figure.drawn || figure.isStale) drawSoon(figure);
    }
  }, { rootMargin: "500px" });
  for (const figure of figures.filter((one) => !one.drawn || one.isStale)) {
    watcher.unobserve(figure.box); // told anew where it is
    watcher.observe(figure.box);
  }
}

/** What is printed must be drawn, and on white. */
async function printPage() {
  const before = theme;
  await setTheme("light");
  for (const figure of figures) await draw(figure).catch(failed(figure));
  window.print();
  await setTheme(before);
}

async function setTheme(name) {
  theme = name;
  document.documentElement.dataset.theme = name;
  const toggle = document.getElementById("theme");
  toggle.textContent = name === "dark" ? "Light" : "Dark";
  toggle.setAttribute("aria-label", `Show the page ${toggle.textContent.toLowerCase()}`);
  await Promise.all(figures.map(redraw));
}

function selection(label, options, change, chosen) {
  const select = make("select", { change: (event) => change(event.target.value) },
    options.map((text, i) => make("option", { value: i, selected: text === chosen }, short(text, 60))));
  return make("label", {}, label, select);
}

function toggle(label, change, on = false) {
  const box = make("input", { type: "checkbox", checked: on, change: (event) => change(event.target.checked) });
  return make("label", {}, box, label);
}
