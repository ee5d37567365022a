// @ts-check
// Canvases do not inherit styles: the page's colour variables, read once and when the theme changes.

const NAMES = /** @type {const} */ (['ground', 'grid', 'gridline', 'street', 'ink', 'soft', 'pipe', 'span', 'fibre', 'device', 'worker', 'alarm', 'panel', 'page']);

/** @typedef {Record<typeof NAMES[number], string>} Colours */

/** @returns {Colours} */
export function readColours() {
  const style = getComputedStyle(document.documentElement);
  return /** @type {Colours} */ (Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim() || '#888'])));
}

export const FONT = 'system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", sans-serif';
