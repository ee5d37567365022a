// @ts-check
// Leaflet as a module: the shipped file sets a global, which nobody else shall use.

import '/static/vendor/leaflet/leaflet.js';

/** @type {typeof import('leaflet')} */
const L = /** @type {any} */ (globalThis).leaflet;
export default L;
