// The table of all trials: filters its rows, and draws the learning curves of chosen ones.

const AT_ONCE = 4; // curves
const PLOT = { wide: 360, high: 250, left: 50, right: 350, top: 16, bottom: 212 };
const REACHED = 7; // columns, the last ones: what a trial reached

function svg(name, attributes, ...children) {
  const { namespaceURI } = document.querySelector("svg"); // of a figure: the page names no address
  const made = document.createElementNS(namespaceURI, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function html(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const percent = value => `${+(100 * value).toFixed(2)} %`;
const short = value => `${+value.toPrecision(3)}`;
const numbers = text => text.split(",").map(each => each === "" ? NaN : Number(each));

/** What a row says of its trial, and its curves. */
function trialOf(row, facts) {
  const { study, errors, losses } = row.dataset;
  const [, lowest, step, , loss] = [...row.cells].slice(-REACHED).map(valueOf);
  return {
    row,
    name: `${row.cells[0].textContent}, trial ${row.cells[1].textContent.trim()}`,
    study, look: `look${facts.looks[study] % 6}`, target: facts.targets[study],
    error: { curve: numbers(errors).map(count => count / facts.n), best: [step, lowest / facts.n] },
    loss: { curve: numbers(losses), best: [step, loss] },
  };
}

/** A logarithmic axis that holds these values, zeros at its lower end: [place, ticks, floor]. */
function logarithmic(values, floor) {
  const positive = values.filter(value => value > 0 && value < Infinity);
  const low = Math.min(...positive, floor ?? Infinity), high = Math.max(...positive);
  const [from, to] = Number.isFinite(low / high) ? [low / 1.2, Math.max(high, 2 * low) * 1.2] : [0.01, 1];
  const span = Math.log(to / from), decades = span / Math.LN10;
  const digits = decades < 1.2 ? [1, 2, 3, 5, 7] : decades < 2.5 ? [1, 2, 5] : [1];
  const every = Math.ceil(decades / 6), ticks = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.log10(to); power += 1)
    if (power % every === 0) ticks.push(...digits.map(digit => +`${digit}e${power}`));
  const place = value => PLOT.bottom - (PLOT.bottom - PLOT.top) * Math.log(Math.max(value, from) / from) / span;
  return [place, ticks.filter(tick => tick >= from && tick <= to)];
}

/** An axis of steps from 0 on: [place, ticks]. */
function linear(last) {
  const rough = last / 4 || 1, power = 10 ** Math.floor(Math.log10(rough));
  const gap = Math.max(1, power * [1, 2, 2.5, 5, 10].find(digit => digit * power >= rough));
  const place = step => PLOT.left + (PLOT.right - PLOT.left) * step / (last || 1);
  return [place, Array.from({ length: Math.floor(last / gap) + 1 }, (_, k) => k * gap)];
}

/** One plot: the axes, the targets, a line and its marks a trial. */
function plot(quantity, title, words, trials, facts) {
  const curves = trials.map(trial => trial[quantity]);
  const targets = quantity === "error" ? targetsOf(trials) : [];
  const values = [...curves.flatMap(({ curve, best }) => [...curve, best[1]]), ...targets.map(([value]) => value)];
  const hasZero = quantity === "error" && values.includes(0);
  const [y, heights] = logarithmic(values, hasZero ? 0.5 / facts.n : undefined);
  const [x, places] = linear(facts.steps.at(-1));
  const said = trials.map((trial, k) => `${trial.name}: lowest error at step ${curves[k].best[0]}, ${words(curves[k].best[1])} there`);
  return html("figure", {},
    html("figcaption", {}, html("h3", { textContent: title })),
    svg("svg", { class: "chart plot", viewBox: `0 0 ${PLOT.wide} ${PLOT.high}`, role: "img", "aria-label": `${title} by step, logarithmic. ${said.join(". ")}.` },
      ...heights.map(value => tick(PLOT.left, y(value), PLOT.right, y(value), words(value), "end")),
      ...places.map(step => tick(x(step), PLOT.bottom, x(step), PLOT.bottom + 4, step.toLocaleString("en"), "middle")),
      svg("text", { class: "middle", x: (PLOT.left + PLOT.right) / 2, y: PLOT.high - 4 }, "step"),
      ...targets.map(([value, look, name]) => svg("g", {},
        svg("line", { class: `target ${look}`, x1: PLOT.left, x2: PLOT.right, y1: y(value), y2: y(value) }),
        svg("text", { class: "end", x: PLOT.right, y: y(value) - 4 }, `${name}target ${percent(value)}`))),
      ...curves.map(({ curve }, k) => svg("path", { class: `line ${trials[k].look} dash${dashOf(trials, k)}`, d: pathOf(curve, facts.steps, x, y) })),
      ...curves.map(({ best }, k) => Number.isNaN(+best[1]) ? "" : svg("circle", { class: `ring ${trials[k].look}`, cx: x(best[0]), cy: y(best[1]), r: 4 })),
      svg("g", { class: "marks" }, ...curves.flatMap(({ curve }, k) => curve.map((value, at) => Number.isNaN(value) ? "" :
        svg("circle", { cx: x(facts.steps[at]), cy: y(value), r: 4 },
          svg("title", {}, `${trials[k].name}, step ${facts.steps[at].toLocaleString("en")}: ${words(value)}`)))))));
}

function tick(x1, y1, x2, y2, text, align) {
  const [x, y] = align === "end" ? [x1 - 6, y1 + 4] : [x2, y2 + 12];
  return svg("g", {}, svg("line", { class: "grid", x1, y1, x2, y2 }), svg("text", { class: align, x, y }, text));
}

/** Each target once: [value, its study's colour, its name where there are several]. */
function targetsOf(trials) {
  const found = new Map(trials.filter(trial => trial.target !== null).map(trial => [trial.study, trial]));
  const name = trial => found.size > 1 ? `${trial.row.cells[0].textContent.slice(0, 24)}: ` : "";
  return [...found.values()].map(trial => [trial.target, trial.look, name(trial)]);
}

/** How many trials of the same colour come before. */
const dashOf = (trials, place) => trials.slice(0, place).filter(trial => trial.look === trials[place].look).length;

function pathOf(curve, steps, x, y) {
  let from = "M";
  return curve.map((value, k) => {
    if (Number.isNaN(value)) { from = "M"; return ""; }
    const part = `${from}${x(steps[k]).toFixed(1)} ${y(value).toFixed(1)}`;
    from = "L";
    return part;
  }).join("");
}

class Trials {
  constructor(details) {
    this.table = details.querySelector("table");
    this.rows = [...this.table.tBodies[0].rows];
    this.facts = JSON.parse(this.table.dataset.facts);
    this.chosen = []; // rows, the first chosen first
    const controls = details.querySelector("template");
    controls.after(controls.content.cloneNode(true));
    for (const name of ["curves", "key"]) this[name] = details.querySelector(`.${name}`);
    this.status = details.querySelector("[role=status]");
    this.find = details.querySelector("[type=search]");
    [this.model, this.outcome] = ["model", "outcome"].map(name => details.querySelector(`[name=${name}]`));
    for (const control of [this.find, this.model, this.outcome]) control?.addEventListener("input", () => this.filter());
    this.rows.forEach(row => this.addBox(row));
    this.table.addEventListener("change", event => this.choose(event.target.closest("tr"), event.target.checked));
    this.rows.filter(row => "best" in row.dataset).slice(0, AT_ONCE).forEach(row => this.choose(row, true));
    this.filter();
  }

  addBox(row) {
    const cell = row.cells[1], number = cell.textContent;
    const box = html("input", { type: "checkbox", ariaLabel: `Trial ${number} of ${row.cells[0].textContent}: draw its curves` });
    cell.replaceChildren(html("label", {}, box, ` ${number}`));
  }

  filter() {
    const wanted = this.find.value.trim().toLowerCase();
    const outcome = this.outcome?.selectedOptions[0].textContent, model = this.model?.value ?? "";
    let count = 0;
    for (const row of this.rows) {
      const cells = [...row.cells].map(cell => cell.textContent.trim());
      row.hidden = !(cells.some(text => text.toLowerCase().includes(wanted))
        && (model === "" || model === row.dataset.study)
        && (!this.outcome?.value || cells.at(-2) === outcome));
      count += !row.hidden;
    }
    this.status.textContent = `${count.toLocaleString("en")} of ${this.rows.length.toLocaleString("en")} trials`;
  }

  /** Draw a trial, in place of the first chosen one where there are too many, or no longer. */
  choose(row, isChosen) {
    this.chosen = this.chosen.filter(other => other !== row);
    if (isChosen) this.chosen.push(row);
    this.chosen = this.chosen.slice(-AT_ONCE);
    for (const each of this.rows) {
      const is = this.chosen.includes(each);
      each.classList.toggle("chosen", is);
      each.querySelector("input").checked = is;
    }
    this.draw();
  }

  draw() {
    const trials = this.chosen.map(row => trialOf(row, this.facts));
    this.curves.replaceChildren(...trials.length ? [
      plot("error", "Validation error", percent, trials, this.facts),
      plot("loss", "Validation loss", short, trials, this.facts),
    ] : []);
    for (const figure of this.curves.children) figure.dispatchEvent(new Event("drawn", { bubbles: true }));
    this.key.replaceChildren(...trials.map((trial, place) => this.entry(trial, dashOf(trials, place))));
  }

  entry(trial, dash) {
    const button = html("button", { type: "button", textContent: "remove", ariaLabel: `remove ${trial.name}` });
    button.addEventListener("click", () => {
      this.choose(trial.row, false);
      this.find.focus();
    });
    const [step, error] = trial.error.best;
    return html("li", {},
      svg("svg", { viewBox: "0 0 36 12", "aria-hidden": "true" }, svg("path", { class: `line ${trial.look} dash${dash}`, d: "M0 6H36" })),
      html("span", { textContent: `${trial.name}: ${percent(error)} at step ${step.toLocaleString("en")}` }), button);
  }
}

for (const details of document.querySelectorAll("details.trials"))
  details.addEventListener("toggle", () => new Trials(details), { once: true });
