// SPDX-License-Identifier: Apache-2.0
// What failed, what it took, where it comes from; then the page is put together.

function showFailures() {
  if (!report.failures.length) return;
  const made = section("failures", "What failed");
  for (const one of report.failures) {
    const who = one.trials.map((trial) => `${trial.id} (${short(trial.arm, 40)}, seed ${trial.seed})`);
    const more = one.n - one.trials.length;
    made.append(make("h3", {}, `${count(one.n, "trial")} ${one.status}`),
      make("pre", { tabindex: "0" }, clean(one.message || "without a word")),
      make("p", { class: "small faint" }, `${who.join(", ")}${more > 0 ? ` and ${more} more` : ""}. What they printed: logs/<trial>.txt` +
        `${one.trials.some((trial) => trial.stack) ? "; stacks are beside it" : ""}.`));
  }
}

function showTime() {
  const { arms, total, trials, busy, price } = report.time;
  if (!trials) return;
  const made = section("time", price ? "Time and cost" : "Time");
  // The machine is paid as long as something runs; trials side by side share that by how long each took.
  const paid = price && isNumber(busy) ? (busy / 3600) * price.hour : null;
  const cost = (seconds) => `${num((paid * seconds) / total, 3)} ${short(price.currency, 12)}`;
  made.append(make("p", {}, `${duration(total)} of training in ${count(trials, "trial")}, ${duration(total / trials)} each on average; trials side by side count each for itself.` +
    (isNumber(busy) ? ` The machine was at it for ${duration(busy)}` : "") +
    (paid == null ? (isNumber(busy) ? "." : "") : `, which at ${num(price.hour)} ${short(price.currency, 12)} an hour cost ${cost(total)}, ${cost(total / trials)} a trial.`)));
  if (arms.length <= 60 && !report.sweep)
    made.append(table("Time by arm", ["arm", right("trials"), right("total"), right("median"), right("least"), right("greatest"), ...(paid == null ? [] : [right("cost")])],
      arms.map((arm) => [named(arm.arm), right(String(arm.n)), ...[arm.total, arm.median, arm.least, arm.greatest].map((seconds) => right(duration(seconds))),
        ...(paid == null ? [] : [right(cost(arm.total))])])));
}

const command = (text) => make("div", { class: "command" }, make("pre", { tabindex: "0", "aria-label": "Command" }, text),
  button("Copy", () => copy(text, "Command"), `Copy the command ${text}`));

function facts(provenance) {
  const { environment, lock } = provenance;
  const rows = [];
  const add = (name, value) => {
    if (value == null || value === "") return;
    rows.push([name, named(typeof value === "object" ? JSON.stringify(value) : String(value))]);
  };
  for (const [name, value] of Object.entries(environment ?? {}))
    if (typeof value !== "object") add(name === "libtorch" ? "LibTorch" : name, value);
  if (environment?.libtorch !== lock?.libtorch) add("LibTorch of the lock", lock?.libtorch);
  add("processor", lock?.cpu?.model);
  add("instructions", lock?.cpu?.capability);
  add("devices", lock?.devices?.map?.((one) => (typeof one === "string" ? one : JSON.stringify(one))).join(", "));
  add("libparibus sha256", lock?.libparibus?.sha256);
  add("libparibus ABI", lock?.libparibus?.abi);
  add("git commit", lock?.git?.commit && `${lock.git.commit}${lock.git.dirty ? " with changes that were not committed" : ""}`);
  return table("Versions and machine", ["what", "which"], rows);
}

/** Of several studies: what they are, and what differs in them besides the results. */
function showStudies() {
  const { studies, arms, unmatched } = report.across;
  const made = section("studies", "Studies");
  made.append(table("Studies", ["study", "name", right("trials"), "directory"], studies.map((one) =>
    [named(one.label), named(one.name), right(one.trials.toLocaleString("en")), named(one.dir)])));
  const changes = (list) => table("What differs", ["what", `in ${short(studies[0].label, 40)}`, "here"], list.map((one) =>
    [named(one.key), named(one.before || "nothing"), named(one.after || "nothing")]));
  for (const one of studies.slice(1))
    made.append(make("h3", {}, `${short(one.label)} was run with`), one.changes.length ? changes(one.changes) : make("p", {}, "the same software and machine."));
  for (const one of arms.filter((arm) => arm.changes.length))
    made.append(make("h3", {}, `${short(one.arm, 40)} is configured in ${short(one.study, 40)} with`), changes(one.changes));
  if (unmatched.length)
    made.append(make("h3", {}, "Not compared"), make("p", { class: "small faint" }, "Without an arm of that name in the first study or elsewhere: ", unmatched.slice(0, 100).map((name) => short(name)).join(", "), "."));
}

function showProvenance() {
  if (report.across) return showStudies();
  const { provenance } = report, { lock } = provenance;
  const made = section("provenance", "Provenance",
    make("h3", {}, "Run it again"),
    make("p", {}, "In the study's directory, with the very plugins it was run with:"),
    command("paribus run study.toml --locked --dir again"),
    make("p", { class: "small faint" }, "paribus verify . says whether the same bits come out, and where they first differ if not."),
    facts(provenance));
  if (Array.isArray(lock?.plugins))
    made.append(table("Plugins", ["plugin", "parts", "sha256"], lock.plugins.map((one) =>
      [named(String(one.file).split("/").pop()), named((one.parts ?? []).join(", ")), make("code", {}, short(one.sha256, 70))])));
  if (lock?.git?.diff) made.append(make("details", {}, make("summary", {}, "Changes that were not committed"), make("pre", { tabindex: "0" }, clean(lock.git.diff))));
  for (const [name, text] of [["study.toml", provenance.study_toml], ["paribus.lock", provenance.lock_text]]) {
    if (!text) continue;
    made.append(make("details", {}, make("summary", {}, `${name}${name === "study.toml" ? ", with every value and where it came from" : ""}`),
      make("div", { class: "row" }, button("Save", () => save(name, "text/plain", text), `Save ${name}`)), make("pre", { tabindex: "0" }, clean(text))));
  }
}

function start() {
  document.documentElement.dataset.theme = theme;
  showState();
  showAnswer();
  showEffects();
  showCurves();
  showSweep();
  showTrials();
  showFailures();
  showTime();
  showSeen();
  showProvenance();
  document.getElementById("theme").addEventListener("click", () => setTheme(theme === "dark" ? "light" : "dark"));
  document.getElementById("print").addEventListener("click", printPage);
  setTheme(theme);
  watchFigures();
  document.documentElement.dataset.ready = "yes";
  setTimeout(() => unpack().catch(() => {})); // each figure says it
}

start();
