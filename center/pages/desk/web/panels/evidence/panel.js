// @ts-check
// What proves it: clip and still, level with its forecast, line with its probabilities, trace.

/** @import {Panel, View} from '../../types.js' */

import { t } from '/static/common/i18n.js';
import { el } from '/static/common/text.js';
import { evidenceOf } from './kinds.js';

/** @type {Panel} */
export const panel = { order: 60, render: evidence };

/** @param {View} view */
function evidence({ dossier }) {
  if (!dossier) return el('section', { class: 'evidence' }, el('h3', {}, t('evidence')), el('p', { class: 'hint' }, '…'));
  return el('section', { class: 'evidence' }, el('h3', {}, t('evidence')), ...(dossier.events ?? []).map(evidenceOf));
}
