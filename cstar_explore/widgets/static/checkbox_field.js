// A labelled checkbox with a message below it.

function render({ model, el }) {
  el.classList.add("cx-field");
  const label = document.createElement("label");
  const input = document.createElement("input");
  const text = document.createElement("span");
  const message = document.createElement("div");
  label.className = "cx-checkbox";
  input.type = "checkbox";
  message.id = `cx-checkbox-${Math.random().toString(36).slice(2)}-message`;
  message.setAttribute("aria-live", "polite");
  input.setAttribute("aria-describedby", message.id);
  label.append(input, text);
  el.append(label, message);
  input.addEventListener("change", () => {
    model.set("value", input.checked);
    model.save_changes();
  });
  const draw = () => {
    const tone = model.get("tone");
    text.textContent = model.get("label");
    input.checked = model.get("value");
    input.setAttribute("aria-invalid", String(tone === "failed"));
    message.className = `cx-message cx-${tone || "quiet"}`;
    message.textContent = model.get("message");
  };
  model.on("change", draw);
  model.on("msg:custom", (content) => content.event === "focus" && input.focus());
  draw();
}

export default { render };
