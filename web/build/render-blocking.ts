// How does the page come in the theme that was chosen, without a flash of the other one?
import type { Plugin } from "vite";

/**
 * The script blocks the first paint, as an inline one would (which the policy refuses). Nothing is
 * lost: there is nothing to paint before it.
 */
export function renderBlocking(): Plugin {
  return {
    name: "mediagen:render-blocking",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler: (html) =>
        html.replace('<script type="module"', '<script type="module" blocking="render"'),
    },
  };
}
