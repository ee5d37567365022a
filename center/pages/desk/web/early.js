// @ts-check
// Asked for before the page's other modules are there: the queue is what people wait for.

import { get } from '/static/common/api.js';

/** What one screen shows, of however many. @type {Promise<any>} */
export const first = get('/api/v1/queue?first=60');
/** All of them, behind it. @type {Promise<any>} */
export const queue = first.catch(() => {}).then(() => get('/api/v1/queue'));
/** @type {Promise<any>} */
export const city = get('/api/v1/city');
// Whoever takes them up tells of a failure.
for (const one of [first, queue, city]) one.catch(() => {});
