// How Node finds the modules of web/: `/lib/…` and the toasts, which need a page, are replaced, and the query of a module
// ("?tab=2") is passed on to what it imports, so that each tab has modules of its own.

const hooks = ["h", "html", "render", "createContext", "useState", "useEffect", "useLayoutEffect", "useRef", "useMemo", "useCallback",
  "useReducer", "useContext"].map((name) => `export const ${name} = () => undefined;`).join("");
const library = `${hooks} export class Component {}`;
const toasts = `export const toast = (made) => { (globalThis.toasts ||= []).push(made); return () => {}; };
  export const dismissAll = () => {};`;
const inline = (text) => `data:text/javascript,${encodeURIComponent(text)}`;

export async function resolve(specifier, context, next) {
  if (specifier.startsWith("/lib/")) return { url: inline(library), shortCircuit: true };
  if (specifier.endsWith("/ui/toast.js")) return { url: inline(toasts), shortCircuit: true };
  const found = await next(specifier, context);
  const query = context.parentURL?.includes("/web/") && new URL(context.parentURL).search;
  return query && found.url.includes("/web/") && !found.url.includes("?") ? { ...found, url: found.url + query } : found;
}

export async function load(url, context, next) {
  const ours = url.includes("/web/") && url.split("?")[0].endsWith(".js");
  return next(url, ours ? { ...context, format: "module" } : context);
}
