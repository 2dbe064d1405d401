// A labelled text input with a message below it. Sends the value while typing, on blur and on Enter.

function render({ model, el }) {
  const id = `cx-text-${Math.random().toString(36).slice(2)}`;
  el.classList.add("cx-field");
  const label = document.createElement("label");
  const input = document.createElement("input");
  const message = document.createElement("div");
  label.htmlFor = input.id = id;
  message.id = `${id}-message`;
  message.setAttribute("aria-live", "polite");
  Object.assign(input, { type: "text", autocomplete: "off", spellcheck: false });
  input.setAttribute("aria-describedby", message.id);
  el.append(label, input, message);

  let timer;
  const save = () => {
    clearTimeout(timer);
    timer = undefined;
    if (input.value !== model.get("value")) {
      model.set("value", input.value);
      model.save_changes();
    }
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(save, 200);
  });
  input.addEventListener("blur", () => {
    save();
    model.send({ event: "blur" });
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) {
      save();
      model.send({ event: "enter" });
    }
  });

  const draw = () => {
    const tone = model.get("tone");
    label.textContent = model.get("label");
    input.placeholder = model.get("placeholder");
    if (timer === undefined && input.value !== model.get("value")) input.value = model.get("value");
    input.setAttribute("aria-invalid", String(tone === "failed"));
    message.className = `cx-message cx-${tone || "quiet"}`;
    message.textContent = model.get("message");
  };
  model.on("change", draw);
  model.on("msg:custom", (content) => content.event === "focus" && input.focus());
  draw();
  return () => clearTimeout(timer);
}

export default { render };
