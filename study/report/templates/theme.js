// The choice of colours: the system's, light or dark. Without this, the system's holds.

/** What was chosen before; nothing where the browser keeps nothing of a file. */
function storedTheme() {
  try { return localStorage.getItem("study-theme") ?? ""; } catch { return ""; }
}

function storeTheme(theme) {
  try { localStorage.setItem("study-theme", theme); } catch { /* it holds until the page goes */ }
}

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

for (const template of document.querySelectorAll("template.theme")) {
  template.after(template.content.cloneNode(true));
  const choice = template.nextElementSibling.querySelector("select");
  choice.value = storedTheme();
  setTheme(choice.value);
  choice.addEventListener("change", () => { setTheme(choice.value); storeTheme(choice.value); });
}
