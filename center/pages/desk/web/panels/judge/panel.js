// @ts-check
// Was the alarm right? What people say here goes back to the detectors as labels.

/** @import {Panel, View} from '../../types.js' */

import { get, post } from '/static/common/api.js';
import { known, mine, tell } from '/static/common/office/frame.js';
import { asked, right, wrong } from '/static/analysis/label.js';
import { language, t } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';
import { state } from '../../state.js';

const ASKED = 20; // events that are asked about at once
const TOLD = new Set(['citizen_report', 'patrol']); // nobody's detector said these

/** @type {Panel} */
export const panel = { order: 95, render: judge };

/** @param {View} view */
function judge({ ticket, dossier, kept }) {
  const events = (dossier?.events ?? []).filter((event) => !TOLD.has(event.kind)).slice(0, ASKED);
  if (!dossier?.actions || !events.length) return null;
  const key = `judge|${ticket.id}|${events.length}|${language()}`;
  const old = kept.get(key);
  if (old) return old;
  known.city = /** @type {any} */ (state.city);
  const line = el('div', { class: 'judge', role: 'status' });
  const box = el('section', {}, el('h3', {}, t('quJudge')), line);
  kept.set(key, box);
  const fill = () => show(line, ticket.id, events[0].kind, events.map((event) => event.id)).catch((error) => line.replaceChildren(el('p', { class: 'soft' }, say(mine(error.message)))));
  fill();
  return box;
}

/** @param {HTMLElement} line @param {string} ticket @param {string} kind @param {string[]} events */
async function show(line, ticket, kind, events) {
  const [{ items }, { kinds }] = await Promise.all([get(`/api/v1/labels?events=${events.join(',')}`), asked()]);
  const again = () => { show(line, ticket, kind, events); };
  const label = items[0];
  const cause = label && kinds[label.kind]?.find((one) => one.id === label.cause);
  line.replaceChildren(
    label ? el('p', {}, el('b', { data: { verdict: label.verdict } }, t(`v_${label.verdict}`)), cause ? ' · ' : '', cause ? (language() === 'zh' ? cause.zh : cause.en) : '', label.note ? say(` · ${label.note}`) : '', el('small', { class: 'soft' }, ' ', say(label.by))) : el('p', { class: 'soft' }, t('quOpen')),
    el('div', { class: 'judge-buttons' },
      label?.verdict === 'true' ? '' : el('button', { onclick: () => right({ ticket }, again) }, t('quIsRight')), label?.verdict === 'false' ? '' : el('button', { onclick: () => wrong({ ticket }, kind, again) }, t('quNotRight')),
      label ? el('button', { onclick: async () => { for (const one of items) if (!tell(await post(`/api/v1/labels/${encodeURIComponent(one.id)}`, undefined, 'DELETE'))) break; again(); } }, t('quTakeBack')) : ''));
}
