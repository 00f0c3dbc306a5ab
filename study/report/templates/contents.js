// Marks the section in sight in the contents; without this, they are links all the same.
{
  const links = new Map([...document.querySelectorAll("nav a")].map(
    link => [link.getAttribute("href").slice(1), link]));
  const sections = [...links.keys()].map(id => document.getElementById(id));

  /** The last section whose title has passed the upper third of the window. */
  const mark = () => {
    const passed = sections.filter(s => s.getBoundingClientRect().top < innerHeight / 3);
    for (const link of links.values()) link.removeAttribute("aria-current");
    if (passed.length) links.get(passed.at(-1).id).setAttribute("aria-current", "true");
  };

  addEventListener("scroll", mark, { passive: true });
  mark();
}
