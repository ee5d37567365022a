// @ts-check
// The chart of a water or line incident, drawn by the center. It is fetched, and stays until a newer one is there.

/** @import {Event} from '../../types.js' */

import { text } from '/static/common/api.js';
import { language, t } from '/static/common/i18n.js';
import { el } from '/static/common/text.js';

const WIDTH = 440, MOST = 40;
/** @type {Map<string, {key: string, svg: Element}>} by event */
const drawn = new Map();

/** A figure with the event's chart; none when the center has nothing to draw. @param {Event} event */
export function chartOf(event) {
  const key = `${event.rev}|${language()}`;
  const before = drawn.get(event.id);
  const figure = el('figure', { class: 'drawn' }, before ? before.svg.cloneNode(true) : el('p', { class: 'hint' }, '…'));
  if (before?.key !== key) draw(event.id, key, figure);
  return figure;
}

/** @param {string} id @param {string} key @param {HTMLElement} figure */
async function draw(id, key, figure) {
  try {
    const answer = await text(`/api/v1/events/${encodeURIComponent(id)}/plot.svg?width=${WIDTH}&lang=${language()}`);
    const svg = document.importNode(new DOMParser().parseFromString(answer, 'image/svg+xml').documentElement, true);
    drawn.delete(id);
    drawn.set(id, { key, svg });
    for (const old of drawn.keys()) if (drawn.size > MOST) drawn.delete(old);
    figure.replaceChildren(svg.cloneNode(true));
  } catch (error) {
    if (/** @type {any} */ (error).status === 404) figure.remove(); else if (!drawn.has(id)) figure.replaceChildren(el('p', { class: 'hint', role: 'alert' }, t('failed')));
  }
}
