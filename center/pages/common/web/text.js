// @ts-check
// Text from outside never becomes markup: elements are built, and every string is cleaned and
// isolated so that bidirectional characters cannot rearrange what stands beside them.

const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** Without control and bidirectional characters. @param {unknown} value */
export function clean(value) {
  return String(value ?? '').replace(CONTROLS, '');
}

/** An element with properties, attributes and children; children that are strings become text.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Record<string, any>} [props] @param {any[]} children @returns {HTMLElementTagNameMap[K]} */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (key === 'class') node.className = value;
    else if (key === 'data') Object.assign(node.dataset, value);
    else node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

/** Outside text, isolated. @param {unknown} value @param {string} [className] */
export function say(value, className) {
  const node = document.createElement('bdi');
  if (className) node.className = className;
  node.textContent = clean(value);
  return node;
}

const SVG = 'http://www.w3.org/2000/svg';
/** @param {string} tag @param {Record<string, any>} [attributes] @param {(Node | string)[]} children @returns {SVGElement} */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** @type {Record<string, string>} */
const ICONS = {
  high_altitude_throw: 'M5 3h6v18H5zM8 7h0M8 11h0M8 15h0M14 5c4 1 5 5 5 11M16 13l3 4 2-5',
  flooding: 'M2 8c3 0 3 2.5 6 2.5S11 8 14 8s3 2.5 8 2M2 14c3 0 3 2.5 6 2.5s3-2.5 6-2.5 3 2.5 8 2',
  drain_blocked: 'M12 4a8 8 0 1 0 .01 0M8.5 8.5l7 7M15.5 8.5l-7 7',
  manhole_cover_displaced: 'M10 8a7 5 0 1 0 .01 0M14 5a6 4 0 0 1 6 6',
  hydrant_no_pressure: 'M12 3c4 5 6 8 6 11a6 6 0 0 1-12 0c0-3 2-6 6-11z',
  severed_cable: 'M4 3v18M20 3v18M4 7c3 1 4 2 5 5M20 7c-3 1-4 2-5 5M13 10l-2 4h3l-2 4',
  fibre_break: 'M2 12h7M15 12h7M10 8l1.5 3M14 16l-1.5-3M14 8l-1.5 3M10 16l1.5-3',
  street_light_out: 'M6 21V6c0-2 1-3 3-3h6v3M12 9h6l-1.5-3h-3zM4 21h4',
  pole_tilt: 'M6 21L14 3M3 21h14M14 3l5 3',
  loud_sound: 'M4 10v4h4l5 4V6L8 10zM16 9c1.5 2 1.5 4 0 6M19 7c2.5 3.5 2.5 6.500 0 10',
  sensor_silent: 'M4 4l16 16M12 6a10 10 0 0 1 8 4M4 10a10 10 0 0 1 3-2M8 14a6 6 0 0 1 4-2M12 19h.01',
  sensor_faulty: 'M12 4l9 16H3zM12 10v5M12 18h.01',
  citizen_report: 'M4 5h16v11H10l-6 4zM8 9h8M8 12h5',
  patrol: 'M12 21s-7-6-7-11a7 7 0 0 1 14 0c0 5-7 11-7 11zM12 7.500a2.500 2.500 0 1 0 .01 0',
};
/** @type {Record<string, string>} */
const TOOLS = {
  sound: 'M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 21h4', quiet: 'M6 16V11a6 6 0 0 1 9-5.2M18 11v5l2 2H8M10 21h4M4 4l16 16',
  theme: 'M12 4a8 8 0 1 0 .01 0M12 4v16a8 8 0 0 0 0-16', token: 'M8 12a4 4 0 1 0-.01 0M11 11l9 0M16 11v4M20 11v3', shut: 'M6 6l12 12M18 6L6 18', phone: 'M6 3h4l2 5-2.5 1.5a11 11 0 0 0 5 5L16 12l5 2v4c0 1.500-1 3-3 3C10 21 3 14 3 6c0-2 1.500-3 3-3z', building: 'M5 21V3h10v18M15 9h4v12M3 21h18M8 7h1M11 7h1M8 11h1M11 11h1M8 15h1M11 15h1',
};
/** @param {string} kind */
export function icon(kind) {
  return svg('svg', { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' },
    svg('path', { d: ICONS[kind] ?? TOOLS[kind] ?? ICONS.sensor_faulty }));
}
