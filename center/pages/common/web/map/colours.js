// @ts-check
// Canvases do not inherit styles: the page's colour variables, read once and when the theme changes.

const NAMES = /** @type {const} */ (['ground', 'grid', 'gridline', 'street', 'ink', 'soft', 'pipe', 'span', 'fibre', 'device', 'worker', 'alarm', 'panel', 'page']);

/** @typedef {Record<typeof NAMES[number], string> & {text: number}} Colours `text`: how much larger than on a desk names are written */

/** @returns {Colours} */
export function readColours() {
  const style = getComputedStyle(document.documentElement);
  const text = Number(style.getPropertyValue('--map-text')) || 1;
  return /** @type {Colours} */ ({ ...Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim() || '#888'])), text });
}

export const FONT = 'system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", sans-serif';
