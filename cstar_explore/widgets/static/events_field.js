// Event types: typed with suggestions, or ticked by group. What is chosen is always in view, as chips before the input.
// Enter or a comma adds what is typed, the arrows walk the suggestions, Backspace in the empty input takes the last away.

let made = 0;

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function covers(pattern, name) {
  return pattern === "*" || (pattern.endsWith(".*") && name.startsWith(pattern.slice(0, -1)));
}

function render({ model, el }) {
  const id = `cx-events-${made++}-${Math.random().toString(36).slice(2)}`;
  const catalogue = model.get("catalogue");
  const names = Object.values(catalogue).flat();
  el.classList.add("cx", "cx-field", "mathjax_ignore", "tex2jax_ignore");

  const input = element("input", { id, type: "text", autocomplete: "off", spellcheck: false, placeholder: "Type one and press Enter" });
  const suggestions = element("ul", { id: `${id}-list`, className: "cx-suggestions" });
  const chips = element("span", { className: "cx-chips" });
  chips.style.display = "contents";
  const chosen = element("div", { className: "cx-chosen" }, chips, input, suggestions);
  const message = element("div", { id: `${id}-message` });
  const groups = element("details", { className: "cx-groups", open: model.get("value").length === 0 }, element("summary", { textContent: `All ${names.length} types, by group` }));
  message.setAttribute("aria-live", "polite");
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", suggestions.id);
  input.setAttribute("aria-describedby", message.id);
  suggestions.setAttribute("role", "listbox");
  suggestions.setAttribute("aria-label", "Suggestions");
  el.append(element("label", { htmlFor: id, textContent: model.get("label") }), chosen, message, groups);

  // --- changing what is chosen

  const value = () => model.get("value");
  const set = (types) => {
    model.set("value", [...new Set(types)]);
    model.save_changes();
  };
  const add = (...types) => set([...value(), ...types]);
  const remove = (...types) => set(value().filter((name) => !types.includes(name)));
  const addTyped = () => {
    const typed = input.value.split(",").map((part) => part.trim()).filter(Boolean);
    input.value = "";
    suggest();
    if (typed.length) add(...typed);
  };

  // --- suggestions

  let active = -1;
  const suggest = () => {
    const typed = input.value.trim().toLowerCase();
    const wild = [...new Set(names.map((name) => `${name.split(".")[0]}.*`))];
    const found = typed ? [...names, ...wild]
          .filter((name) => name.includes(typed) && !value().includes(name))
          .sort((a, b) => Number(b.startsWith(typed)) - Number(a.startsWith(typed))) : [];
    // What begins as it was typed is what Enter takes, unless the typed is a type itself; Escape takes the typed as it is.
    active = !found.includes(typed) && found[0]?.startsWith(typed) ? 0 : -1;
    suggestions.replaceChildren(
      ...found.slice(0, 12).map((name, index) => {
        const group = Object.keys(catalogue).find((key) => catalogue[key].includes(name));
        const item = element("li", { id: `${id}-option-${index}` }, element("span", { textContent: name }), element("span", { textContent: group ?? "wildcard" }));
        item.setAttribute("role", "option");
        item.dataset.name = name;
        item.addEventListener("pointerdown", (event) => {
          event.preventDefault();
          input.value = "";
          add(name);
          suggest();
        });
        return item;
      }),
    );
    highlight();
  };
  const highlight = () => {
    const items = [...suggestions.children];
    items.forEach((item, index) => item.setAttribute("aria-selected", String(index === active)));
    input.setAttribute("aria-expanded", String(items.length > 0));
    input.setAttribute("aria-activedescendant", items[active]?.id ?? "");
    items[active]?.scrollIntoView({ block: "nearest" });
  };
  const walk = (step) => {
    const count = suggestions.children.length;
    if (!count) return;
    active = active < 0 ? (step > 0 ? 0 : count - 1) : (active + step + count) % count;
    highlight();
  };

  input.addEventListener("input", () => (input.value.includes(",") ? addTyped() : suggest()));
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      walk(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      if (active >= 0) input.value = suggestions.children[active].dataset.name;
      if (input.value.trim()) addTyped();
      else model.send({ event: "entered" });
    } else if (event.key === "Escape" && suggestions.children.length) {
      event.stopPropagation();
      suggestions.replaceChildren();
      active = -1;
      highlight();
    } else if (event.key === "Backspace" && !input.value && value().length) {
      remove(value().at(-1));
    }
  });
  // What was typed and not entered is added rather than lost, and the kernel checks the field as it is left.
  input.addEventListener("blur", () => {
    if (active >= 0 && suggestions.children.length === 1) input.value = suggestions.children[0].dataset.name;
    addTyped();
    model.send({ event: "left" });
  });

  // --- groups

  const drawGroups = element("div");
  // Columns of a limited height would go on sideways, out of sight: what scrolls is a frame around them.
  groups.append(element("div", {}, drawGroups));
  const ticks = [];
  for (const [group, types] of Object.entries(catalogue)) {
    const all = element("input", { type: "checkbox" });
    const count = element("span");
    all.addEventListener("change", () => (all.checked ? add(...types) : remove(...types)));
    const fieldset = element("fieldset", {}, element("legend", {}, element("label", {}, all, element("span", { textContent: group, className: "cx-group" }), count)));
    const boxes = types.map((name) => {
      const box = element("input", { type: "checkbox" });
      box.addEventListener("change", () => (box.checked ? add(name) : remove(name)));
      fieldset.append(element("label", {}, box, element("span", { textContent: name })));
      return box;
    });
    drawGroups.append(fieldset);
    ticks.push({ types, all, count, boxes });
  }

  // --- drawing

  const draw = () => {
    const unknown = model.get("unknown");
    chips.replaceChildren(
      ...value().map((name) => {
        const button = element("button", { type: "button", textContent: "×", title: `Remove ${name}` });
        button.setAttribute("aria-label", `Remove ${name}`);
        button.addEventListener("click", () => {
          remove(name);
          input.focus();
        });
        return element("span", { className: unknown.includes(name) ? "cx-chip cx-unknown" : "cx-chip" }, element("span", { textContent: name }), button);
      }),
    );
    for (const { types, all, count, boxes } of ticks) {
      const here = types.filter((name) => value().includes(name)).length;
      all.checked = here === types.length;
      all.indeterminate = here > 0 && here < types.length;
      count.textContent = here ? `${here} of ${types.length}` : `${types.length}`;
      boxes.forEach((box, index) => {
        const pattern = value().find((name) => covers(name, types[index]));
        box.checked = value().includes(types[index]);
        box.indeterminate = !box.checked && pattern !== undefined;
        box.title = pattern === undefined ? "" : `covered by ${pattern}`;
      });
    }
    const tone = model.get("tone");
    chosen.classList.toggle("cx-invalid", tone === "failed");
    input.setAttribute("aria-invalid", String(tone === "failed"));
    input.placeholder = value().length ? "" : "Type one and press Enter";
    message.className = `cx-message cx-${tone || "quiet"}`;
    message.textContent = model.get("message");
  };
  model.on("change", draw);
  model.on("msg:custom", (content) => content.event === "focus" && input.focus());
  draw();
  suggest();
}

export default { render };
