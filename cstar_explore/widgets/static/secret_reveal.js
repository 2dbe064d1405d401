// The signing secret, masked until asked for. The page asks with a nonce, the kernel answers with a message; the value is
// never in the widget's state, so it is in no notebook, checkpoint or export. Hiding it forgets it.

function render({ model, el }) {
  el.classList.add("cx", "mathjax_ignore", "tex2jax_ignore");
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const frame = make("div", { className: "cx-secret" });
  const row = make("div", {});
  const label = make("label", { className: "cx-label", textContent: "Signing secret" });
  const shown = make("input", { type: "text", readOnly: true, id: `cx-secret-${Math.random().toString(36).slice(2)}` });
  const reveal = make("button", { type: "button" });
  const copy = make("button", { type: "button", textContent: "Copy" });
  const said = make("div", { className: "cx-message" });
  label.htmlFor = shown.id;
  shown.autocomplete = "off";
  said.setAttribute("aria-live", "polite");
  row.append(shown, reveal, copy);
  frame.append(label, row, said);
  el.append(frame);

  const asked = new Map();
  const ask = () =>
    new Promise((answered) => {
      const nonce = crypto.getRandomValues(new Uint32Array(4)).join("-");
      asked.set(nonce, answered);
      model.send({ event: "ask", nonce });
    });
  model.on("msg:custom", ({ nonce, value }) => {
    asked.get(nonce)?.(value);
    asked.delete(nonce);
  });

  let open = false;
  const draw = (value = model.get("mask")) => {
    shown.value = value;
    reveal.textContent = open ? "Hide" : "Reveal";
  };
  const show = async () => {
    open = true;
    draw(await ask());
  };
  reveal.addEventListener("click", () => {
    said.textContent = model.get("note");
    if (!open) return show();
    open = false;
    draw();
  });
  copy.addEventListener("click", async () => {
    try {
      // A promise inside of a ClipboardItem keeps the click's permission while the kernel answers.
      const text = ask().then((value) => new Blob([value], { type: "text/plain" }));
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": text })]);
      said.textContent = "Copied.";
    } catch {
      if (!open) await show();
      shown.focus();
      shown.select();
      said.textContent = "This page may not use the clipboard: the secret is selected, press Ctrl+C or ⌘C.";
    }
  });
  said.textContent = model.get("note");
  draw();
}

export default { render };
