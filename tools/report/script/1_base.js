// SPDX-License-Identifier: Apache-2.0
// The data, and what everything else is made with. Text from the study only ever becomes text nodes.
"use strict";

const report = JSON.parse(document.getElementById("data").textContent);
const study = report.study;
const kLong = 80; // characters of a name that are shown at once
const kSentence = 600; // and of a sentence

let sheet = document; // on which sections are put
let put = (place, children) => place.replaceChildren(...children);

/** An element. Attributes that are functions are listeners; children are nodes or texts. */
function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "g", "line", "rect", "circle", "path", "text", "title"].includes(tag);
  const element = svg
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element[`on${name}`] = value;
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
}

/** Control characters, and those that turn the direction of writing, made visible. */
function clean(text) {
  return String(text)
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\u241b")
    .replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, "\u25a1");
}

function short(text, most = kLong) {
  const whole = [...clean(String(text).slice(0, 4000))];
  if (whole.length <= most && String(text).length <= 4000) return whole.join("");
  const half = Math.floor((most - 1) / 2);
  const end = [...clean(String(text).slice(-2 * most))];
  return whole.slice(0, half).join("") + "\u2026" + end.slice(-half).join("");
}

/** A text of any length: a long one is cut, and whole on demand. */
function named(text, most = kLong) {
  if (String(text).length <= most) return make("bdi", {}, clean(text));
  return make("details", { class: "long" }, make("summary", {}, make("bdi", {}, short(text, most))),
    make("bdi", {}, clean(text)));
}

/** The value of a swept parameter; a part by its name alone where that says all. */
function shownValue(value) {
  let part = value;
  try {
    part = typeof value === "string" && value.startsWith("{") ? JSON.parse(value) : value;
  } catch {
    return value;
  }
  if (part && typeof part === "object" && Object.keys(part).length === 1 && part.use) return String(part.use);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** For Plotly, which reads some HTML in texts, and formulas between dollars. */
function plain(text, most = 40) {
  return short(text, most).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/\$/g, "&#36;");
}

const isNumber = (value) => typeof value === "number";
const numbers = (values) => values.filter(isNumber);

/** As many digits as are of use; what isn't finite comes as its name. */
function num(value, digits = 4) {
  if (value == null) return "\u2013";
  if (!isNumber(value)) return String(value);
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e6 || size < 1e-4
    ? value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e")
    : Number(value.toPrecision(digits)).toString();
  return text.replace("-", "\u2212");
}
const signed = (value, digits = 3) => (isNumber(value) && value > 0 ? "+" : "") + num(value, digits);

/** An interval's ends with the decimals of its width, so that they can be compared by eye. */
function range(low, high) {
  if (!isNumber(low) || !isNumber(high)) return "no interval yet";
  if (low === high) return `[${signed(low)}, ${signed(high)}]`;
  const decimals = Math.min(12, Math.max(0, 2 - Math.floor(Math.log10(high - low)) - 1));
  if (decimals > 6 || Math.max(Math.abs(low), Math.abs(high)) >= 1e6)
    return `[${signed(low)}, ${signed(high)}]`;
  const show = (v) => (v > 0 ? "+" : "") + v.toFixed(decimals).replace("-", "\u2212");
  return `[${show(low)}, ${show(high)}]`;
}

function duration(seconds) {
  if (!isNumber(seconds)) return "\u2013";
  if (seconds < 100) return `${num(seconds, 3)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${String(Math.round(seconds % 60)).padStart(2, "0")} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

const unitOf = (unit) => (unit && unit !== "1" ? ` (${short(unit, 20)})` : "");
const count = (n, one) => `${n.toLocaleString("en")} ${one}${n === 1 ? "" : "s"}`;

let silence = 0;
function say(text) {
  document.getElementById("said").textContent = text;
  clearTimeout(silence);
  silence = setTimeout(() => { document.getElementById("said").textContent = ""; }, 2500);
}

function save(name, type, content) {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const link = make("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
  say(`${name} saved`);
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", { "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say(`${what} copied`);
}

function csvText(head, rows) {
  const field = (value) => {
    const text = value == null ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  };
  return [head, ...rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

const fileName = (text) =>
  `${short(study.name, 40)}-${text}`.replace(/[^A-Za-z0-9._-]+/g, "_").replace(/^[._]+/, "") || text;

const button = (text, action, label) =>
  make("button", { type: "button", click: action, "aria-label": label }, text);

/** A table in a box of its own, which scrolls where it is wider than the page. */
function table(label, head, rows) {
  const right = (cell) => (cell && cell.right !== undefined ? "right" : null);
  const content = (cell) => (cell && cell.right !== undefined ? cell.right : cell);
  const cells = (row) => row.map((cell, i) =>
    i === 0 ? make("th", { scope: "row" }, content(cell)) : make("td", { class: right(cell) }, content(cell)));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    make("table", {},
      make("thead", {}, make("tr", {}, head.map((cell) =>
        make("th", { scope: "col", class: right(cell) }, content(cell))))),
      make("tbody", {}, rows.map((row) => make("tr", {}, cells(row))))));
}
const right = (text) => ({ right: text });

/** A section at the end of the page, and its entry in the contents. */
function section(id, title, ...children) {
  sheet.getElementById("contents").append(make("a", { href: `#${id}` }, title));
  const made = make("section", { id, "aria-labelledby": `${id}-title` },
    make("h2", { id: `${id}-title` }, title), ...children);
  sheet.getElementById("main").append(made);
  return made;
}
