// A labelled tick.

function render({ model, el }) {
  el.classList.add("cx");
  const label = document.createElement("label");
  const input = document.createElement("input");
  const words = document.createElement("span");
  label.className = "cx-tick";
  input.type = "checkbox";
  label.append(input, words);
  el.append(label);
  input.addEventListener("change", () => {
    model.set("value", input.checked);
    model.save_changes();
  });
  const draw = () => {
    words.textContent = model.get("label");
    input.checked = model.get("value");
  };
  model.on("change", draw);
  draw();
}

export default { render };
