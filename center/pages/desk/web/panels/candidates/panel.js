// @ts-check
// Who else was considered, with what decided; one click sends them instead or asks them to help.

/** @import {Candidate, Panel, View} from '../../types.js' */

import { both, t } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';
import { oneClick } from '../work/actions.js';

const MOST = 6;

/** @type {Panel} */
export const panel = { order: 70, render: candidates };

/** @param {View} view */
function candidates({ ticket, dossier, on }) {
  const others = ticket.runners_up ?? [];
  if (!others.length) return null;
  return el('section', { class: 'candidates' }, el('h3', {}, t('candidates')),
    el('ul', { class: 'others' }, ...others.slice(0, MOST).map((one) => el('li', {},
      el('div', {}, say(one.name ?? one.worker, 'strong'), ' ', figures(one), note(one)),
      ...oneClick(ticket, dossier, on, one.worker)))));
}
/** @param {Candidate} one */
function figures(one) {
  const parts = [`${Math.round(one.way_m ?? one.distance_m)} ${t('m')}`, `${Math.max(1, Math.round(one.travel_s / 60))} ${t('min')}`, `${t('load')} ${one.load}`,
    one.position_age_s == null ? t('noPosition') : `${t('positionOf')} ${aged(one.position_age_s)}`];
  if (!one.skilled) parts.push(t('unskilled'));
  if (!one.in_grid) parts.push(t('otherGrid'));
  return el('span', { class: 'soft' }, parts.join(' · '));
}
/** @param {number} s */
const aged = (s) => (s < 90 ? `${Math.round(s)} s` : `${Math.round(s / 60)} ${t('min')}`);
/** @param {Candidate} one */
function note(one) {
  const said = both({ text_zh: one.note_zh, text_en: one.note });
  return said ? el('p', {}, say(said)) : null;
}
