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
  el.append(line);

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

  // Keys pressed inside of a form are the form's: "dd" on a focused button must not delete the notebook's cell.
  requestAnimationFrame(() => el.closest(".cx-form")?.setAttribute("data-lm-suppress-shortcuts", "true"));
  return () => clearInterval(ticking);
}

export default { render };
