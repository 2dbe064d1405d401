// A status message, announced to screen readers. The countdown of a wait is not announced.

import { suppressShortcuts } from "./shared.js";

function render({ model, el }) {
  const line = document.createElement("div");
  const text = document.createElement("span");
  const countdown = document.createElement("span");
  text.setAttribute("aria-live", "polite");
  text.setAttribute("role", "status");
  countdown.setAttribute("aria-hidden", "true");
  line.append(text, countdown);
  el.append(line);

  const count = () => {
    const seconds = Math.ceil((model.get("wait_until") - Date.now()) / 1000);
    countdown.textContent = seconds > 0 ? ` ${seconds} s left.` : "";
  };
  const draw = () => {
    const tone = model.get("tone");
    line.className = `cx-status cx-${tone || "quiet"}`;
    text.setAttribute("aria-live", tone === "failed" ? "assertive" : "polite");
    text.textContent = model.get("text");
    count();
  };
  const timer = setInterval(count, 500);
  model.on("change", draw);
  draw();

  const permitShortcuts = suppressShortcuts(el);
  return () => {
    clearInterval(timer);
    permitShortcuts();
  };
}

export default { render };
