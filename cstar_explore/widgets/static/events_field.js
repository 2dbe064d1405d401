// Event types, typed with suggestions or selected by group, and shown as chips before the input. Enter or a comma adds the
// typed text, the arrow keys move through the suggestions, and Backspace in the empty input removes the last type.

const PLACEHOLDER = "Type an event type and press Enter";

import { element } from "./shared.js";

function matches(pattern, name) {
  return pattern === "*" || (pattern.endsWith(".*") && name.startsWith(pattern.slice(0, -1)));
}

function render({ model, el }) {
  const id = `cx-events-${Math.random().toString(36).slice(2)}`;
  const catalogue = model.get("catalogue");
  const names = Object.values(catalogue).flat();
  el.classList.add("cx", "cx-field", "mathjax_ignore", "tex2jax_ignore");

  const input = element("input", { id, type: "text", autocomplete: "off", spellcheck: false, placeholder: PLACEHOLDER });
  const suggestions = element("ul", { id: `${id}-list`, className: "cx-suggestions" });
  const chips = element("span", { className: "cx-chips" });
  chips.style.display = "contents";
  const box = element("div", { className: "cx-events" }, chips, input, suggestions);
  const message = element("div", { id: `${id}-message` });
  const groups = element("details", { className: "cx-groups", open: model.get("value").length === 0 }, element("summary", { textContent: `All ${names.length} event types by group` }));
  message.setAttribute("aria-live", "polite");
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", suggestions.id);
  input.setAttribute("aria-describedby", message.id);
  suggestions.setAttribute("role", "listbox");
  suggestions.setAttribute("aria-label", "Suggestions");
  el.append(element("label", { htmlFor: id, textContent: model.get("label") }), box, message, groups);

  // --- the selected types

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
    const wildcards = [...new Set(names.map((name) => `${name.split(".")[0]}.*`))];
    const candidates = typed ? [...names, ...wildcards]
          .filter((name) => name.includes(typed) && !value().includes(name))
          .sort((a, b) => Number(b.startsWith(typed)) - Number(a.startsWith(typed))) : [];
    // Enter accepts a suggestion that starts with the typed text, unless that text is itself a type. Escape then Enter adds
    // the text as typed.
    active = !candidates.includes(typed) && candidates[0]?.startsWith(typed) ? 0 : -1;
    suggestions.replaceChildren(
      ...candidates.slice(0, 12).map((name, index) => {
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
  const move = (step) => {
    const count = suggestions.children.length;
    if (!count) return;
    active = active < 0 ? (step > 0 ? 0 : count - 1) : (active + step + count) % count;
    highlight();
  };

  input.addEventListener("input", () => (input.value.includes(",") ? addTyped() : suggest()));
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      if (active >= 0) input.value = suggestions.children[active].dataset.name;
      if (input.value.trim()) addTyped();
      else model.send({ event: "enter" });
    } else if (event.key === "Escape" && suggestions.children.length) {
      event.stopPropagation();
      suggestions.replaceChildren();
      active = -1;
      highlight();
    } else if (event.key === "Backspace" && !input.value && value().length) {
      remove(value().at(-1));
    }
  });
  // Leaving the field adds the typed text, and the kernel validates the field.
  input.addEventListener("blur", () => {
    if (active >= 0 && suggestions.children.length === 1) input.value = suggestions.children[0].dataset.name;
    addTyped();
    model.send({ event: "blur" });
  });

  // --- groups

  const columns = element("div");
  // The outer element scrolls: columns with a limited height would overflow sideways.
  groups.append(element("div", {}, columns));
  const checkboxes = [];
  for (const [group, types] of Object.entries(catalogue)) {
    const all = element("input", { type: "checkbox" });
    const count = element("span");
    all.addEventListener("change", () => (all.checked ? add(...types) : remove(...types)));
    const fieldset = element("fieldset", {}, element("legend", {}, element("label", {}, all, element("span", { textContent: group, className: "cx-group" }), count)));
    const each = types.map((name) => {
      const checkbox = element("input", { type: "checkbox" });
      checkbox.addEventListener("change", () => (checkbox.checked ? add(name) : remove(name)));
      fieldset.append(element("label", {}, checkbox, element("span", { textContent: name })));
      return checkbox;
    });
    columns.append(fieldset);
    checkboxes.push({ types, all, count, each });
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
    for (const { types, all, count, each } of checkboxes) {
      const selected = types.filter((name) => value().includes(name)).length;
      all.checked = selected === types.length;
      all.indeterminate = selected > 0 && selected < types.length;
      count.textContent = selected ? `${selected} of ${types.length}` : `${types.length}`;
      each.forEach((checkbox, index) => {
        const pattern = value().find((name) => matches(name, types[index]));
        checkbox.checked = value().includes(types[index]);
        checkbox.indeterminate = !checkbox.checked && pattern !== undefined;
        checkbox.title = pattern === undefined ? "" : `matched by ${pattern}`;
      });
    }
    const tone = model.get("tone");
    box.classList.toggle("cx-invalid", tone === "failed");
    input.setAttribute("aria-invalid", String(tone === "failed"));
    input.placeholder = value().length ? "" : PLACEHOLDER;
    message.className = `cx-message cx-${tone || "quiet"}`;
    message.textContent = model.get("message");
  };
  model.on("change", draw);
  model.on("msg:custom", (content) => content.event === "focus" && input.focus());
  draw();
  suggest();
}

export default { render };
