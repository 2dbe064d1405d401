// A block of text: a title with a badge, a note, a list, or lines of code with a button that copies them.

import { copyButton, element } from "./shared.js";

// A line of code breaks between arguments, in a long one after an opening bracket, and never in a word or a string.
function codeLine(line) {
  const parts = [element("span")];
  let depth = 0;
  let word = "";
  const end = (separator) => {
    parts.at(-1).append(element("span", { textContent: word, className: "cx-word" }), separator);
    word = "";
  };
  for (const [token] of line.matchAll(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|, |[([](?![)\]])|./gu)) {
    word += token.trimEnd() || token;
    depth += { "(": 1, "[": 1, ")": -1, "]": -1 }[token] ?? 0;
    if (token === ", " || token === "(" || token === "[") {
      end(token === ", " ? " " : element("wbr"));
      if (depth === 1) parts.push(element("span"));
    }
  }
  end("");
  return element("div", {}, ...parts);
}

const KINDS = {
  title: ([heading, environment, account]) =>
    element(
      "div",
      { className: "cx-title" },
      element("h4", { textContent: heading }),
      element("span", { className: `cx-badge cx-${environment}`, textContent: environment.toUpperCase() }),
      element("span", { className: "cx-muted", textContent: account }),
    ),
  note: (lines) => element("p", { className: "cx-note", textContent: lines.join(" ") }),
  code: (lines) => {
    const code = element("pre", { className: "cx-code", tabIndex: 0 }, ...lines.map(codeLine));
    const select = () => getSelection().selectAllChildren(code);
    return element("div", { className: "cx-code-box" }, code, copyButton("Copy", () => lines.join("\n"), select, "Copy the code"));
  },
  list: (lines) => element("ul", { className: "cx-list" }, ...lines.map((textContent) => element("li", { textContent }))),
};

function render({ model, el }) {
  el.classList.add("cx-text");
  const draw = () => {
    const lines = model.get("lines");
    el.classList.toggle("cx-hidden", lines.length === 0);
    el.replaceChildren(...(lines.length ? [KINDS[model.get("kind")](lines)] : []));
  };
  model.on("change:lines", draw);
  draw();
}

export default { render };
