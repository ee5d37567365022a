// @ts-check
// What happened, the newest first: who, when, and in which words.

/** @import {Panel, View} from '../../types.js' */

import { both, stageName, t, timeOf } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';
import { byName, state } from '../../state.js';

/** @type {Panel} */
export const panel = { order: 100, render: timeline };

/** @param {View} view */
function timeline({ ticket }) {
  return el('section', {}, el('h3', {}, t('timeline')),
    el('ol', { class: 'timeline' }, ...[...(ticket.timeline ?? [])].reverse().map((step) =>
      el('li', { data: { change: step.change } }, el('time', {}, timeOf(step.at, state.city.timezone, true)),
        el('div', {}, el('b', {}, stageName(step.change)), ' ', el('span', { class: 'soft' }, say(byName(step.by))), step.note ? el('p', {}, say(both(step.note))) : null)))));
}
