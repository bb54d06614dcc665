// Says something to users of a screen reader, politely. Texts of one moment are joined: the region shows one at a time.

let region = null;
let texts = [];
let timer = 0;

function theRegion() {
  if (!region) {
    region = document.createElement("div");
    region.className = "visually-hidden";
    region.setAttribute("aria-live", "polite");
    region.setAttribute("aria-atomic", "true");
    region.id = "announcer";
    document.body.append(region);
  }
  return region;
}

export function announce(text) {
  if (!text) return;
  const place = theRegion();
  texts = texts.includes(text) ? texts : [...texts.slice(-3), text];
  clearTimeout(timer);
  timer = setTimeout(() => {
    place.textContent = "";
    const said = texts.join(". ");
    texts = [];
    setTimeout(() => { place.textContent = said; }, 30);
  }, 120);
}
