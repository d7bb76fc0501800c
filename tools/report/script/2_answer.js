// SPDX-License-Identifier: Apache-2.0
// The top of the page: question, verdict, interval.

const kTones = {
  better: ["good", "\u25b2"], worse: ["bad", "\u25bc"], higher: ["even", "\u25b2"], lower: ["even", "\u25bc"],
  equivalent: ["even", "\u2248"], identical: ["even", "="],
  undecided: ["open", "?"], "too few seeds": ["open", "?"], "no data": ["bad", "\u2205"],
};
const kShownVerdicts = 6;

/** What was asked: effects of a factorial design, else arms; one form for both. */
function questions() {
  const comparison = report.comparison;
  if (!comparison || report.sweep) return [];
  if (comparison.effects.length)
    return comparison.effects.map((row) => ({ ...row, name: row.effect, value: row.estimate, differences: [] }));
  return comparison.arms.map((row) => ({ ...row, name: row.arm, value: row.difference }));
}

function chip(verdict) {
  const [tone, sign] = kTones[verdict] ?? ["open", "?"];
  return make("span", { class: `chip ${tone}` }, `${sign} ${verdict}`);
}

/** One scale for all rows, with room for everything that is drawn on it. */
function scaleOf(rows) {
  const margin = report.comparison.margin ?? 0;
  const all = numbers([0, -margin, margin, ...rows.flatMap((r) => [r.value, r.low, r.high, ...r.differences])]);
  const low = Math.min(...all), high = Math.max(...all);
  const room = (high - low || 1) * 0.06;
  return { low: low - room, high: high + room, margin };
}

function intervalPicture(row, scale) {
  const kWidth = 400, kMiddle = 20;
  const x = (value) => ((value - scale.low) / (scale.high - scale.low)) * kWidth;
  const at = (x1, x2, kind) => make("line", { x1, x2, y1: kMiddle, y2: kMiddle, class: kind });
  const picture = make("svg", { viewBox: `0 0 ${kWidth} 54`, preserveAspectRatio: "none", "aria-hidden": "true" });
  // Circles and letters would be stretched with the width, so they are placed in per cent.
  const per = (value) => `${((value - scale.low) / (scale.high - scale.low)) * 100}%`;
  const outer = make("svg", { role: "img", "aria-label": described(row) });
  if (scale.margin > 0)
    picture.append(make("rect", { x: x(-scale.margin), width: x(scale.margin) - x(-scale.margin), y: 0, height: 40, class: "margin" }));
  picture.append(make("line", { x1: x(0), x2: x(0), y1: 0, y2: 40, class: "zero", "vector-effect": "non-scaling-stroke" }));
  if (isNumber(row.low) && isNumber(row.high)) {
    const span = at(x(row.low), x(row.high), "span");
    span.setAttribute("vector-effect", "non-scaling-stroke");
    picture.append(span);
  }
  outer.append(picture);
  for (const value of row.differences.slice(0, 400))
    outer.append(make("circle", { cx: per(value), cy: "60%", r: 3, class: "seed" }));
  if (isNumber(row.value)) outer.append(make("circle", { cx: per(row.value), cy: "37%", r: 6.5, class: "mean" }));
  outer.append(make("text", { x: per(0), y: "97%", "text-anchor": "middle" }, "0"));
  const label = (value) => make("text", { x: per(value), y: "97%", "text-anchor": "middle" }, signed(value, 2));
  const near = (value) => Math.abs(value) / (scale.high - scale.low) < 0.09;
  if (isNumber(row.low) && !near(row.low)) outer.append(label(row.low));
  if (isNumber(row.high) && row.high !== row.low && !near(row.high) &&
      (row.high - row.low) / (scale.high - scale.low) > 0.14) outer.append(label(row.high));
  return outer;
}

const described = (row) =>
  `${short(row.name)}: ${row.verdict}, difference ${signed(row.value)}, interval ${range(row.low, row.high)}, ${count(row.n, "seed")}`;

function verdictRow(row, scale) {
  const [tone] = kTones[row.verdict] ?? ["open"];
  const p = isNumber(row.p_holm) ? `, p ${num(row.p_holm, 2)}` : "";
  return make("div", { class: `verdict ${tone}` },
    make("div", {},
      make("div", {}, make("span", { class: "who" }, named(row.name)), " ", chip(row.verdict)),
      make("div", { class: "value" }, signed(row.value)),
      make("div", { class: "range" }, `${range(row.low, row.high)}, ${count(row.n, "seed")}${p}`)),
    intervalPicture(row, scale));
}

/** In words: what is compared, and how. */
function method() {
  const c = report.comparison;
  const percent = num(100 * (1 - c.alpha));
  const what = c.effects.length
    ? "effects of on against off"
    : ["difference from ", make("b", {}, named(c.baseline))];
  const family = questions().length > 1 ? `, p adjusted for ${questions().length} questions (Holm)` : "";
  return make("p", { class: "small faint" }, what, ` in ${short(study.metric)}${unitOf(study.unit)}, ${c.at} value`,
    c.goal ? ` (to ${c.goal})` : "", `; ${percent} % intervals, ${c.test_name}${family}`,
    c.anytime ? "; both hold at every look" : "",
    c.margin ? `; shaded: differences within \u00b1${num(c.margin)}, which do not matter` : "",
    questions().some((row) => row.differences.length) ? "; small dots: seeds" : "");
}

/** Swept numbers whose best value is the least or the greatest that was tried: better ones may lie beyond. */
function edges(values) {
  return report.trials.columns.filter((column) => column.axis && isNumber(values[column.name])).flatMap(({ name, values: tried }) => {
    const levels = [...new Set(numbers(tried))].sort((a, b) => a - b);
    if (levels.length < 3 || levels.length > 30) return [];
    const place = levels.indexOf(values[name]);
    return place === 0 ? [`${short(name, 40)} (the least)`] : place === levels.length - 1 ? [`${short(name, 40)} (the greatest)`] : [];
  });
}

function sweepAnswer() {
  const { best, values } = report.sweep;
  if (!best) return [make("p", { class: "lead" }, "No point of the sweep has a result yet.")];
  const means = numbers(report.arms.map((arm) => arm.mean)).sort((a, b) => a - b);
  const middle = means[Math.floor(means.length / 2)];
  const noise = best.n > 1 ? `mean of ${count(best.n, "seed")}, sd ${num(best.sd, 2)}` : "one seed, so its noise is not known";
  const atEdge = edges(values);
  const chosen = Object.entries(values).map(([axis, value]) =>
    make("li", {}, short(axis), " = ", make("b", {}, short(shownValue(value)))));
  return [
    make("div", { class: "verdict good" },
      make("div", {},
        make("div", {}, make("span", { class: "who" }, `Best ${short(study.metric)}${unitOf(study.unit)}`)),
        make("div", { class: "value" }, num(best.mean)),
        make("div", { class: "range" }, noise)),
      make("div", {}, make("div", { class: "small faint" }, "found at"), make("ul", { class: "pairs" }, chosen),
        make("div", { class: "small faint" }, `${count(means.length, "point")} with results; median ${num(middle)}, ` +
          `least ${num(means[0])}, greatest ${num(means[means.length - 1])}. The best of many is better than it will be again: its luck was chosen, too.` +
          (atEdge.length ? ` It lies at the edge of what was tried of ${atEdge.join(", ")}: a better one may lie beyond.` : "")))),
  ];
}

function singleAnswer() {
  return report.arms.map((arm) => make("div", { class: "verdict" }, make("div", {},
    make("div", { class: "who" }, `${short(study.metric)}${unitOf(study.unit)}, ${study.at} value`),
    make("div", { class: "value" }, num(arm.mean)),
    make("div", { class: "range" }, arm.n > 1
      ? `mean of ${count(arm.n, "seed")}, sd ${num(arm.sd, 2)}, from ${num(arm.least)} to ${num(arm.greatest)}`
      : count(arm.n, "seed")))));
}

function comparedAnswer() {
  const rows = questions();
  const scale = scaleOf(rows);
  const more = rows.length - kShownVerdicts;
  return [
    make("p", { class: "lead" }, named(report.comparison.sentence, kSentence)),
    make("div", { class: "verdicts" }, rows.slice(0, kShownVerdicts).map((row) => verdictRow(row, scale))),
    more > 0 ? make("p", {}, make("a", { href: "#effects" }, `${count(more, "more")}, below`)) : null,
    method(),
  ];
}

function showAnswer() {
  const answer = sheet.getElementById("answer");
  const title = study.question || study.name || "A study";
  answer.append(make("h1", { id: "question" }, named(title, kSentence / 2)));
  answer.append(...(report.sweep ? sweepAnswer() : questions().length ? comparedAnswer() : singleAnswer()).filter(Boolean));
  const wrong = report.failures.filter((one) => one.status === "failed").reduce((sum, one) => sum + one.n, 0);
  if (wrong) answer.append(make("p", { class: "alarm" }, `${count(wrong, "trial")} failed and ${wrong === 1 ? "does" : "do"} not count: `, make("a", { href: "#failures" }, "why")));
  for (const problem of report.problems) answer.append(make("p", { class: "alarm" }, named(problem, kSentence)));
}

function showState() {
  sheet.getElementById("study-name").append(short(study.name, 40));
  const said = Object.entries(report.counts).map(([status, n]) => `${n.toLocaleString("en")} ${status}`);
  sheet.getElementById("study-state").append(
    `${count(report.trials.rows, "trial")}: ${said.join(", ")}; ${duration(report.time.total)} of training`);
}
