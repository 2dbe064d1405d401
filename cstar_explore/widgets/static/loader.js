// Unpacks the module with the stylesheet and the scripts, once for each kernel that the page shows.

async function load(model) {
  const packed = Uint8Array.from(atob(model.get("packed")), (character) => character.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const source = await new Response(unpacked).text();
  const { css, scripts } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  // It stays when a widget is removed: others may need it.
  if (![...document.querySelectorAll("style.cx-styles")].some((style) => style.textContent === css)) {
    document.head.append(Object.assign(document.createElement("style"), { className: "cx-styles", textContent: css }));
  }
  return scripts;
}

export default (model) => (model.cxScripts ??= load(model));
