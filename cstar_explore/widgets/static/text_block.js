// A block of text: a title with a badge, a note, a list, a line of code, or a cell of code with a copy button.

function element(tag, className, text) {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

const KINDS = {
  title: ([heading, environment, account]) => {
    const row = element("div", "cx-title", "");
    row.append(element("h4", "", heading), element("span", `cx-badge cx-${environment}`, environment.toUpperCase()), element("span", "cx-muted", account));
    return row;
  },
  note: (lines) => element("p", "cx-note", lines.join(" ")),
  code: (lines) => element("pre", "cx-code", lines.join("\n")),
  cell: (lines) => {
    const frame = element("div", "cx-code-box", "");
    const copy = Object.assign(element("button", "cx-copy", "Copy as code"), { type: "button" });
    const code = element("pre", "cx-code", lines.join("\n"));
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        copy.textContent = "Copied";
        setTimeout(() => (copy.textContent = "Copy as code"), 2000);
      } catch {
        getSelection().selectAllChildren(code);
      }
    });
    frame.append(code, copy);
    return frame;
  },
  list: (lines) => {
    const list = element("ul", "cx-list", "");
    list.append(...lines.map((line) => element("li", "", line)));
    return list;
  },
};

function render({ model, el }) {
  el.classList.add("cx", "cx-text", "mathjax_ignore", "tex2jax_ignore");
  const draw = () => {
    const lines = model.get("lines");
    el.classList.toggle("cx-hidden", lines.length === 0);
    el.replaceChildren(...(lines.length ? [KINDS[model.get("kind")](lines)] : []));
  };
  model.on("change:lines", draw);
  draw();
}

export default { render };
