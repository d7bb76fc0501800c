// SPDX-License-Identifier: Apache-2.0
// Only on the page that `paribus watch --web` serves: what is new comes from the server, and the page is put together once
// more beside the one that is shown, which then takes over what differs. So whatever its reader zoomed, opened, chose or
// selected stays.

const kRest = 4; // the page draws at most one part in so many of the time
const kAgain = 5000; // ms until the next try where the server had no room
const kFrom = { effects: ["comparison", "study"], curves: ["curves"], importance: ["sweep"], slices: ["trials", "sweep"], pairs: ["trials", "sweep"], history: ["trials", "sweep"], parallel: ["trials", "sweep"], histograms: ["seen"], confusion: ["seen"], classes: ["seen"], calibration: ["seen"], resources: ["seen"] };
const kHandlers = ["onclick", "onchange", "oninput"];

/** Makes the children of `old` those of a list, keeping what is alike. */
function growChildren(old, children) {
  const wanted = new Set(children.map((child) => child.id).filter(Boolean));
  for (const child of [...old.children]) if (child.id && !wanted.has(child.id)) child.remove();
  const byId = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  let at = old.firstChild;
  for (const child of children) {
    const found = child.id ? byId.get(child.id) : at && !at.id && at.nodeName === child.nodeName ? at : null;
    while (child.id && found && at && at !== found && !at.id) at = removed(at); // moved, it would lose its focus
    if (!found) old.insertBefore(typeof child === "string" ? document.createTextNode(child) : child, at);
    else if (found === at) at = at.nextSibling;
    else old.insertBefore(found, at);
    if (found) grow(found, child);
  }
  while (at) at = removed(at);
}

/** Gives the one that stood behind it. */
function removed(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

function grow(old, fresh) {
  if (old === fresh || fresh.isKept) return;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  const isSame = old.nodeName === "DETAILS" && old.firstChild?.textContent === fresh.firstChild?.textContent;
  const stays = (name) => name === "open" && isSame; // its reader's, not the study's
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !stays(name)) old.removeAttribute(name);
  for (const { name, value } of [...fresh.attributes]) if (old.getAttribute(name) !== value && !stays(name)) old.setAttribute(name, value);
  for (const name of kHandlers) old[name] = fresh[name];
  growChildren(old, [...fresh.childNodes]);
  if (old.nodeName === "SELECT" && old.value !== fresh.value) old.value = fresh.value;
  if (old.type === "checkbox") old.checked = fresh.checked;
}

const asked = new Map(); // trials that are to be stopped: what is known of it
const kTrialsToStop = 100; // shown at once

/** With --control: trials that run, each with a button that has to be pressed twice. */
function showRunning() {
  if (!report.live.control) return;
  const named_ = Object.fromEntries(report.trials.columns.map((column) => [column.name, cellsOf(column)]));
  const rows = Array.from({ length: report.trials.rows }, (_, row) => row).filter((row) => named_.status[row] === "running").slice(0, kTrialsToStop);
  for (const id of asked.keys()) if (!rows.some((row) => named_.id[row] === id)) asked.delete(id); // it may run again
  const made = section("running", "Running");
  if (!rows.length) made.append(make("p", { class: "small faint" }, "No trial runs just now."));
  for (const row of rows) {
    const id = named_.id[row], who_ = `${short(named_.arm?.[row] ?? "", 60)}, seed ${named_.seed[row]}`, said = asked.get(id);
    const press = () => {
      asked.set(id, said === undefined ? "" : "asking");
      if (said === "") stop(id);
      putTogether();
    };
    made.append(make("div", { class: "row", id: `run-${id}` }, make("bdi", {}, `${who_} (${id})`), " ",
      said ? make("span", { role: "status" }, said) : button(said === "" ? "Press again to stop it: it can be resumed" : "Stop", press, `Stop ${who_}`)));
  }
}

async function stop(id) {
  try {
    const answer = await fetch(`stop?trial=${id}`, { method: "POST" });
    asked.set(id, (await answer.text()).trim());
    if (!answer.ok) askAgain(id);
  } catch (problem) {
    asked.set(id, `not asked: ${problem.message}`);
    askAgain(id);
  }
  putTogether();
}

const askAgain = (id) => setTimeout(() => {
  asked.delete(id);
  putTogether();
}, kAgain);

/** All that start() makes, on a sheet of its own; then what is shown becomes like it. */
function putTogether() {
  const names = ["study-name", "study-state", "main"], blank = (id) => document.getElementById(id).cloneNode(false);
  const fresh = document.createDocumentFragment();
  fresh.append(...names.map(blank));
  fresh.getElementById("main").append(document.querySelector("noscript").cloneNode(true), blank("answer"), blank("contents"));
  sheet = fresh;
  try {
    for (const show of [showState, showAnswer, showRunning, showEffects, showCurves, showSweep, showTrials, showFailures, showTime, showSeen, showProvenance]) show();
  } finally {
    sheet = document;
  }
  for (const name of names) grow(document.getElementById(name), fresh.getElementById(name));
}

/** What is null in a part's frame stands in parts of its own, which may have come before. */
function filled(fresh, old) {
  if (fresh === null) return old;
  if (typeof fresh === "object") for (const key of Object.keys(fresh)) fresh[key] = filled(fresh[key], old?.[key]);
  return fresh;
}

const changed = new Set();

function takePieces(pieces) {
  for (const [path, value] of pieces.sort((a, b) => a[0].length - b[0].length)) {
    const [top] = path;
    changed.add(top);
    if (path.length > 1) path.slice(0, -1).reduce((place, key) => place[key], report)[path.at(-1)] = value;
    else if (top === "study") Object.assign(study, value);
    else report[top] = top === "trials" || top === "curves" ? filled(value, report[top]) : value;
  }
}

let isHeld = false, due = 0, timer = 0, isDrawing = false;

/** Not while nobody sees it, nor under a finger or a mouse that is drawing a zoom. */
async function renew() {
  clearTimeout(timer);
  if (!changed.size || document.hidden || isHeld || isDrawing) return;
  const began = performance.now();
  if (began < due) {
    timer = setTimeout(renew, due - began);
    return;
  }
  isDrawing = true;
  const news = new Set(changed);
  changed.clear();
  try {
    putTogether();
    for (const figure of figures) if (figure.drawn && kFrom[figure.id]?.some((top) => news.has(top))) figure.isStale = true;
    watchFigures();
    await new Promise(requestAnimationFrame);
  } finally {
    isDrawing = false;
    due = performance.now() + kRest * (performance.now() - began);
  }
  renew();
}

const chipOf = make("span", { role: "status" }), told = make("span", { class: "num" });
document.getElementById("study-state").after(make("span", { id: "live" }, chipOf, " ", told));

function tell(tone, word, text) {
  if (chipOf.textContent !== word) chipOf.textContent = word;
  chipOf.className = `chip ${tone}`;
  told.textContent = text;
}

let last = null;
const lastLook = () => (last ? new Date(last.at).toLocaleTimeString() : "never");

function tellState() {
  if (last.problem) return tell("bad", "can't be read", `${short(last.problem, 200)}; last try at ${lastLook()}`);
  if (last.over) return tell("even", "done", `the study is done; last look at ${lastLook()}`);
  const left = last.left ? `, about ${duration(last.left)} left` : "";
  const made = `${Math.floor(100 * last.fraction)} % of all steps${left}`;
  if (last.driven) return tell("good", "live", `${made}; this page grows; last look at ${lastLook()}`);
  return tell("open", "not running", `${made}; this page grows when it goes on; last look at ${lastLook()}`);
}

function connect() {
  const source = new EventSource(`events?since=${report.live.version}`);
  source.onmessage = (event) => {
    const news = JSON.parse(event.data);
    last = news.state;
    report.live.version = news.version;
    takePieces(news.pieces);
    tellState();
    renew();
  };
  source.onerror = () => {
    tell("bad", "connection lost", `what is here was so at ${lastLook()}; trying again`);
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, kAgain);
  };
}

put = growChildren;
const hold = (is) => () => {
  isHeld = is;
  renew();
};
addEventListener("pointerdown", hold(true), true);
for (const name of ["pointerup", "pointercancel", "blur"]) addEventListener(name, hold(false), true);
document.addEventListener("visibilitychange", renew);
if (report.live.control) putTogether();
tell("open", "connecting", "");
connect();
