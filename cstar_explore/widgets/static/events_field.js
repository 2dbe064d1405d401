// Event types, or one, chosen from suggestions or by group, and shown as chips before the input. Enter, a comma or leaving the
// field adds the only type that contains what was typed. If several do, the user decides: the arrow keys move through them, and
// Escape closes them, so that Enter adds the text as typed. Backspace in the empty input removes the last type.

import { catalogue, element } from "./shared.js";

const PLACEHOLDER = "Type a part of an event type";

function matches(pattern, name) {
  return pattern === "*" || (pattern.endsWith(".*") && name.startsWith(pattern.slice(0, -1)));
}

function render({ model, el }) {
  const id = `cx-events-${Math.random().toString(36).slice(2)}`;
  const single = typeof model.get("value") === "string";
  const names = Object.values(catalogue).flat();
  el.classList.add("cx-field");

  const input = element("input", { id, type: "text", autocomplete: "off", spellcheck: false, placeholder: PLACEHOLDER });
  const suggestions = element("ul", { id: `${id}-list`, className: "cx-suggestions" });
  const chips = element("span", { className: "cx-chips" });
  chips.style.display = "contents";
  const box = element("div", { className: "cx-events" }, chips, input, suggestions);
  const message = element("div", { id: `${id}-message` });
  const hint = element("div", { className: "cx-message cx-warned" }); // above: the suggestions cover what is below
  const groups = element("details", { className: "cx-groups", open: !single && model.get("value").length === 0 }, element("summary", { textContent: `All ${names.length} event types by group` }));
  for (const node of [hint, message]) node.setAttribute("aria-live", "polite");
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", suggestions.id);
  input.setAttribute("aria-describedby", message.id);
  suggestions.setAttribute("role", "listbox");
  suggestions.setAttribute("aria-label", "Suggestions");
  el.append(element("label", { htmlFor: id, textContent: model.get("label") }), hint, box, message, groups);

  // --- the selected types

  const value = () => [model.get("value")].flat().filter(Boolean);
  const set = (types) => {
    model.set("value", single ? (types.at(-1) ?? "") : [...new Set(types)]);
    model.save_changes();
  };
  const add = (...types) => {
    input.value = "";
    suggest();
    set([...value(), ...types]);
  };
  const remove = (...types) => set(value().filter((name) => !types.includes(name)));
  // Adds what was typed, and returns true, unless that is still to be decided.
  const addTyped = () => {
    const typed = input.value.split(",").map((part) => part.trim()).filter(Boolean);
    if (active >= 0) add(found[active]);
    else if (found.length > 1) return undecided(typed[0]);
    else if (known.length) add(...known); // selected already
    else if (typed.length) add(...typed);
    return true;
  };
  const undecided = (typed) => {
    input.value = typed;
    hint.textContent = `${found.length} event types contain "${typed}". Choose one with the arrow keys, or press Escape and Enter to add it as typed.`;
    setPending(typed);
    return false;
  };
  // The kernel submits no form with an undecided text.
  const setPending = (text) => {
    if (model.get("pending") === text) return;
    model.set("pending", text);
    model.save_changes();
  };

  // --- suggestions

  const wildcards = single ? [] : [...new Set(names.map((name) => `${name.split(".")[0]}.*`))];
  let active = -1;
  let found = []; // the types that contain the typed words and are not selected
  let known = []; // the selected ones, if no other does
  const suggest = () => {
    const typed = input.value.replace(/,$/, "").trim().toLowerCase();
    const containing = typed && !typed.includes(",") && typed !== "*" ? [...names, ...wildcards].filter((name) => typed.split(/\s+/).every((word) => name.includes(word))) : [];
    found = containing
      .filter((name) => !value().includes(name))
      .sort((a, b) => Number(b.startsWith(typed)) - Number(a.startsWith(typed)));
    known = found.length || containing.length > 1 ? [] : containing;
    if (containing.includes(typed)) found = found.includes(typed) ? [typed, ...found.filter((name) => name !== typed)] : [];
    active = found.length === 1 || found[0] === typed ? 0 : -1;
    hint.textContent = "";
    setPending("");
    suggestions.replaceChildren(
      ...found.slice(0, 12).map((name, index) => {
        const group = Object.keys(catalogue).find((key) => catalogue[key].includes(name));
        const item = element("li", { id: `${id}-option-${index}` }, element("span", { textContent: name }), element("span", { textContent: group ?? "wildcard" }));
        item.setAttribute("role", "option");
        item.addEventListener("pointerdown", (event) => {
          event.preventDefault();
          add(name);
        });
        return item;
      }),
    );
    highlight();
  };
  const close = () => {
    suggestions.replaceChildren();
    active = -1;
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

  input.addEventListener("input", () => {
    suggest();
    if (input.value.includes(",")) addTyped();
  });
  input.addEventListener("focus", suggest);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      if (input.value.trim()) addTyped();
      else model.send({ event: "enter" });
    } else if (event.key === "Escape" && suggestions.children.length) {
      event.stopPropagation();
      close();
      found = [];
      hint.textContent = "";
      setPending("");
    } else if (event.key === "Backspace" && !input.value && value().length) {
      remove(value().at(-1));
    }
  });
  input.addEventListener("blur", () => {
    if (input.value.trim()) addTyped();
    close();
    model.send({ event: "blur" }); // the kernel validates the field
  });

  // --- groups

  const columns = element("div");
  // The outer element scrolls: columns with a limited height would overflow sideways.
  groups.append(element("div", {}, columns));
  const checkboxes = [];
  for (const [group, types] of Object.entries(catalogue)) {
    const all = element("input", { type: "checkbox", hidden: single, disabled: single });
    const count = element("span");
    all.addEventListener("change", () => (all.checked ? add(...types) : remove(...types)));
    const fieldset = element("fieldset", {}, element("legend", {}, element("label", {}, all, element("span", { textContent: group, className: "cx-group" }), count)));
    const each = types.map((name) => {
      const checkbox = element("input", { type: single ? "radio" : "checkbox", name: id });
      checkbox.addEventListener("change", () => (checkbox.checked ? add(name) : remove(name)));
      fieldset.append(element("label", {}, checkbox, element("span", { textContent: name })));
      return checkbox;
    });
    columns.append(fieldset);
    checkboxes.push({ types, all, count, each });
  }

  // --- drawing

  const draw = () => {
    const unknown = Object.keys(model.get("unknown"));
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
    const parts = model.get("message").split(/(Did you mean '[^']+'\?)/);
    message.replaceChildren(...parts.map((part, index) => (index % 2 ? correction(part) : part)));
  };
  const correction = (question) => {
    const name = question.split("'")[1];
    const button = element("button", { type: "button", className: "cx-small", textContent: question });
    button.addEventListener("click", () => {
      set(value().map((each) => (model.get("unknown")[each] === name ? name : each)));
      input.focus();
    });
    return button;
  };
  model.on("change", draw);
  model.on("msg:custom", (content) => content.event === "focus" && input.focus());
  draw();
  suggest();
}

export default { render };
