// The choice of colours: the system's, light or dark. Without this, the system's holds.

/** What was chosen before; nothing where the browser keeps nothing of a file. */
function kept() {
  try { return localStorage.getItem("study-theme") ?? ""; } catch { return ""; }
}

function keep(theme) {
  try { localStorage.setItem("study-theme", theme); } catch { /* it holds until the page goes */ }
}

function wear(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

for (const template of document.querySelectorAll("template.theme")) {
  template.after(template.content.cloneNode(true));
  const choice = template.nextElementSibling.querySelector("select");
  choice.value = kept();
  wear(choice.value);
  choice.addEventListener("change", () => { wear(choice.value); keep(choice.value); });
}
