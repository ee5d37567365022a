// @ts-check
// Asked for before the page's other modules are there: the queue is what people wait for.

import { get } from '/static/common/api.js';

/** @type {Promise<any>} */
export const queue = get('/api/v1/queue');
/** @type {Promise<any>} */
export const city = get('/api/v1/city');
// Whoever takes them up tells of a failure.
for (const one of [queue, city]) one.catch(() => {});
