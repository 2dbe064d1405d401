// Unpacks the module with the stylesheet and the scripts, once for each kernel that the page shows.

async function unpacked(model) {
  if (!("DecompressionStream" in globalThis)) {
    return new Promise((resolve) => {
      model.on("msg:custom", ({ module }) => resolve(module));
      model.send({ event: "unpack" }, {});
    });
  }
  const packed = Uint8Array.from(atob(model.get("packed")), (character) => character.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

async function load(model) {
  const source = await unpacked(model);
  const { css, scripts } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  // It stays when a widget is removed: others may need it.
  if (![...document.querySelectorAll("style.cx-styles")].some((style) => style.textContent === css)) {
    document.head.append(Object.assign(document.createElement("style"), { className: "cx-styles", textContent: css }));
  }
  return scripts;
}

export default (model) => (model.cxScripts ??= load(model));
