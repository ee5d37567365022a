// @ts-check
// The five steps with their clocks.

/** @import {Panel, View} from '../../types.js' */

import { t, timeOf } from '/static/common/i18n.js';
import { el } from '/static/common/text.js';
import { state } from '../../state.js';
import { CLOCKS, NEXT, OPEN } from '../../urgency.js';
import { actionLabel, clockNode } from '../../words.js';

/** @type {Record<string, string>} */
const REACHED = { accept: 'accepted', arrive: 'arrived', dispose: 'disposed', verify: 'verified', close: 'closed' };

/** @type {Panel} */
export const panel = { order: 20, render: steps };

/** @param {View} view */
function steps({ ticket }) {
  const done = new Map((ticket.timeline ?? []).map((step) => [step.change, step.at]));
  const next = NEXT[ticket.stage];
  return el('ol', { class: 'steps', 'aria-label': t('deadlines') }, ...CLOCKS.map((clock) => {
    const at = done.get(REACHED[clock] ?? ''), due = ticket.deadlines?.[clock];
    const status = at ? 'done' : clock === next ? 'next' : 'later';
    return el('li', { data: { status } }, el('i'), el('b', {}, actionLabel(clock)),
      at ? el('time', {}, timeOf(at, state.city.timezone)) : due && OPEN.has(ticket.stage) ? clockNode(Date.parse(due)) : el('span', { class: 'soft' }, '—'));
  }));
}
