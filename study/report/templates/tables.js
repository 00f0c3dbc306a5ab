// Sorts a table by a column; without this, the page loses nothing else.

const POWERS = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹";

/** The number that a cell begins with, or its text: "2.5·10⁻⁵" is 0.000025, "1,791" is 1791. */
function valueOf(cell) {
  const text = cell.textContent.trim().replace(/(\d),(?=\d)/g, "$1")
    .replace(/^10(?=[⁻⁰¹²³⁴-⁹])/, "1·10")
    .replace(/·10([⁻⁰¹²³⁴-⁹]+)/, (_, power) =>
      "e" + [...power].map(sign => "-0123456789"[POWERS.indexOf(sign)]).join(""));
  const number = parseFloat(text);
  return Number.isNaN(number) ? text : number;
}

/** Which of two cells stands first; text, such as a missing value's dash, after all numbers. */
function compare(a, b, direction) {
  if (typeof a === typeof b) return direction * (a < b ? -1 : a > b ? 1 : 0);
  return typeof a === "number" ? -1 : 1;
}

function sort(heading) {
  const table = heading.closest("table"), place = heading.cellIndex;
  const direction = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
  const rows = [...table.tBodies[0].rows].map(row => [valueOf(row.cells[place]), row]);
  rows.sort(([a], [b]) => compare(a, b, direction));
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const heading of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sort(heading));
    heading.append(button);
  }
}
