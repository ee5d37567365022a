// @ts-check
// Why this worker, this utility, these deadlines.

/** @import {Panel, View} from '../../types.js' */

import { both, t } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';

/** @type {Record<string, string>} */
const WHY = { worker: 'worker', utility: 'utility', deadlines: 'deadlineRule', incident: 'whyOne', verification: 'proof', returned: 'returnedBy', supervised: 'urged', suspended: 'suspendedFor', evaluation: 'judged', doubted: 'doubted', deaf: 'deaf' };

/** @type {Panel} */
export const panel = { order: 80, render: why };

/** @param {View} view */
function why({ ticket }) {
  const said = Object.entries(ticket.reason ?? {}).map(([key, value]) => /** @type {[string, string | null]} */ ([key, both(value)])).filter(([, text]) => text);
  if (!said.length) return null;
  const known = said.filter(([key]) => key in WHY), rest = said.filter(([key]) => !(key in WHY));
  const row = (/** @type {Node | string} */ name, /** @type {string | null} */ text) => el('div', { class: 'fact' }, el('dt', {}, name), el('dd', {}, say(text)));
  return el('section', { class: 'why' }, el('h3', {}, t('why')),
    el('dl', { class: 'facts tall' }, ...known.map(([key, text]) => row(t(String(WHY[key])), text)), ...rest.map(([key, text]) => row(say(key), text))));
}
