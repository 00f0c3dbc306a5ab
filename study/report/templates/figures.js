// Says the value of a figure's mark: under the pointer, at a touch, and by the arrow keys.
{
  const NEAR = 28; // pixels
  const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };
  const value = document.createElement("output");
  let chart = null; // whose value is shown

  class Chart {
    constructor(svg, words) {
      this.svg = svg;
      this.words = words;
      this.marks = [...svg.querySelector(".marks").children];
      this.spots = this.marks.map(mark => [mark.cx.baseVal.value, mark.cy.baseVal.value]);
      this.place = 0;
    }

    show(place) {
      hide();
      chart = this;
      this.place = Math.max(0, Math.min(this.marks.length - 1, place));
      this.marks[this.place].classList.add("at");
      value.textContent = this.words[this.place];
      put();
    }

    /** The mark nearest to a point of the window; -1 if none is near. */
    nearest(x, y) {
      const matrix = this.svg.getScreenCTM();
      const { x: left, y: top } = new DOMPoint(x, y).matrixTransform(matrix.inverse());
      let best = (NEAR / matrix.a) ** 2, found = -1;
      this.spots.forEach(([cx, cy], place) => {
        const far = (cx - left) ** 2 + (cy - top) ** 2;
        if (far < best) [best, found] = [far, place];
      });
      return found;
    }

    point(event) {
      const place = this.nearest(event.clientX, event.clientY);
      if (place >= 0) this.show(place);
      else hide();
    }

    press(event) {
      if (event.key === "Escape") this.svg.blur();
      if (!(event.key in STEPS) || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      this.show(chart === this ? this.place + STEPS[event.key] : this.place);
      this.marks[this.place].scrollIntoView({ block: "nearest", inline: "nearest" });
      put();
    }
  }

  function hide() {
    if (chart) chart.marks[chart.place].classList.remove("at");
    chart = null;
    value.textContent = "";
  }

  /** Above its mark, or below; always in the window. */
  function put() {
    if (!chart) return;
    const mark = chart.marks[chart.place].getBoundingClientRect();
    const { clientWidth: wide, clientHeight: high } = document.documentElement;
    const within = (at, most) => `${Math.max(4, Math.min(at, most - 4))}px`;
    const above = mark.top - value.offsetHeight - 6;
    value.style.left = within(mark.left + mark.width / 2 - value.offsetWidth / 2, wide - value.offsetWidth);
    value.style.top = within(above < 4 ? mark.bottom + 6 : above, high - value.offsetHeight);
  }

  /** Let a figure's marks be read; a figure that is drawn later says so by an event. */
  function read(figure) {
    const copies = [...figure.querySelectorAll(".chart")].filter(svg => svg.querySelector(".marks"));
    if (!copies.length) return;
    const words = [...copies[0].querySelectorAll(".marks title")].map(title => title.textContent);
    for (const svg of copies) {
      const found = new Chart(svg, words);
      svg.tabIndex = 0;
      svg.setAttribute("role", "application");
      svg.setAttribute("aria-roledescription", "figure; the arrow keys say its values");
      svg.querySelector(".marks").classList.add("live");
      svg.addEventListener("pointermove", event => event.pointerType === "mouse" && found.point(event));
      svg.addEventListener("pointerdown", event => found.point(event));
      svg.addEventListener("pointerleave", event => event.pointerType === "mouse" && hide());
      svg.addEventListener("focus", () => svg.matches(":focus-visible") && found.show(found.place));
      svg.addEventListener("blur", hide);
      svg.addEventListener("keydown", event => found.press(event));
    }
  }

  document.querySelectorAll("figure").forEach(read);
  document.addEventListener("drawn", event => read(event.target));
  value.className = "value";
  value.setAttribute("aria-live", "polite");
  document.querySelector("main").append(value);
  document.addEventListener("keydown", event => event.key === "Escape" && hide());
  document.addEventListener("pointerdown", event => event.target.closest(".chart") || hide());
  addEventListener("scroll", put, { passive: true, capture: true });
  addEventListener("resize", hide);
}
