// @ts-check
// What proves it: clip and still, level with its forecast, line with its probabilities, trace.

/** @import {Panel, View} from '../../types.js' */

import { t } from '/static/common/i18n.js';
import { el } from '/static/common/text.js';
import { evidenceOf } from './kinds.js';

/** @type {Panel} */
export const panel = { order: 60, render: evidence };

/** What the ticket is about comes first, what only belongs to it after. @param {View} view */
function evidence({ ticket, dossier }) {
  if (!dossier) return el('section', { class: 'evidence' }, el('h3', {}, t('evidence')), el('p', { class: 'hint' }, '…'));
  return el('section', { class: 'evidence' }, el('h3', {}, t('evidence')), ...[...(dossier.events ?? [])].sort((a, b) => Number(b.kind === ticket.kind) - Number(a.kind === ticket.kind)).map(evidenceOf));
}
