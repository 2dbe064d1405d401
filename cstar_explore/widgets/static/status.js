// The line that says how things stand, also to screen readers. A wait counts down here; only its beginning is announced.

function render({ model, el }) {
  el.classList.add("cx", "mathjax_ignore", "tex2jax_ignore");
  const line = document.createElement("div");
  const said = document.createElement("span");
  const left = document.createElement("span");
  said.setAttribute("aria-live", "polite");
  said.setAttribute("role", "status");
  left.setAttribute("aria-hidden", "true");
  line.append(said, left);
  // Shown by the style sheet once JupyterLab says that the kernel behind this widget is gone.
  const gone = document.createElement("div");
  gone.className = "cx-gone";
  gone.textContent = "The kernel was restarted, and this is a picture of what was. Run the cell again.";
  el.append(line, gone);

  const count = () => {
    const seconds = Math.ceil((model.get("wait_until") - Date.now()) / 1000);
    left.textContent = seconds > 0 ? ` ${seconds} s left.` : "";
  };
  const draw = () => {
    const tone = model.get("tone");
    line.className = `cx-status cx-${tone || "quiet"}`;
    said.setAttribute("aria-live", tone === "failed" ? "assertive" : "polite");
    said.textContent = model.get("text");
    count();
  };
  const ticking = setInterval(count, 500);
  model.on("change", draw);
  draw();

  // Plain keys inside of a form are the form's: "dd" on a focused button must not delete the notebook's cell. JupyterLab
  // looks for this attribute on the key's own target; Ctrl+S and its like remain JupyterLab's.
  const guard = (event) => {
    if (el.closest(".cx-form, .cx-explorer")?.contains(event.target)) {
      event.target.toggleAttribute("data-lm-suppress-shortcuts", !(event.ctrlKey || event.metaKey || event.altKey));
    }
  };
  window.addEventListener("keydown", guard, true);
  return () => {
    clearInterval(ticking);
    window.removeEventListener("keydown", guard, true);
  };
}

export default { render };
