// @ts-check
// uPlot with its types, which lie beside it under another name.

import made from '/static/vendor/uplot/uPlot.esm.js';

/** @type {typeof import('/static/vendor/uplot/uPlot')} */
const uPlot = /** @type {any} */ (made);
export default uPlot;
