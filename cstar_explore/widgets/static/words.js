// Words that the kernel says: a title with its badge, a note, a list, a line of code, a cell of code to be copied. Only ever set as text.

function made(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

function title([words, environment, where]) {
  const badge = made("span", `cx-badge cx-${environment}`, environment.toUpperCase());
  return [made("h4", "", words), badge, made("span", "cx-where", where)];
}

const MAKERS = {
  title: (lines) => {
    const row = made("div", "cx-title", "");
    row.append(...title(lines));
    return row;
  },
  note: (lines) => made("p", "cx-note", lines.join(" ")),
  code: (lines) => made("pre", "cx-code", lines.join("\n")),
  cell: (lines) => {
    const box = made("div", "cx-code-box", "");
    const copy = Object.assign(made("button", "cx-copy", "Copy as code"), { type: "button" });
    const code = made("pre", "cx-code", lines.join("\n"));
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        copy.textContent = "Copied";
        setTimeout(() => (copy.textContent = "Copy as code"), 2000);
      } catch {
        getSelection().selectAllChildren(code);
      }
    });
    box.append(code, copy);
    return box;
  },
  list: (lines) => {
    const list = made("ul", "cx-list", "");
    list.append(...lines.map((line) => made("li", "", line)));
    return list;
  },
};

function render({ model, el }) {
  el.classList.add("cx", "cx-words", "mathjax_ignore", "tex2jax_ignore");
  const draw = () => {
    const lines = model.get("lines");
    el.classList.toggle("cx-hidden", lines.length === 0);
    el.replaceChildren(...(lines.length ? [MAKERS[model.get("kind")](lines)] : []));
  };
  model.on("change:lines", draw);
  draw();
}

export default { render };
