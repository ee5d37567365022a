// @ts-check
// Severity as a shape beside its colour: dot, circle, square, diamond, triangle.

import { svg } from '/static/common/text.js';

const SHAPES = ['M12 8a4 4 0 1 0 .01 0z', 'M12 8a4 4 0 1 0 .01 0z', 'M12 4a8 8 0 1 0 .01 0z', 'M4.500 4.500h15v15h-15z', 'M12 1.500L22.500 12 12 22.500 1.500 12z', 'M12 2L23 21.500H1z'];

/** @param {number} severity 1 to 5 */
export const shape = (severity) => svg('svg', { viewBox: '0 0 24 24', class: 'shape', 'aria-hidden': 'true' }, svg('path', { d: SHAPES[severity] ?? SHAPES[1] }));
