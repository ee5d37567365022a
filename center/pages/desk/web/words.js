// @ts-check
// Words that several parts of the desk say.

/** @import {Ticket} from './types.js' */

import { get } from '/static/common/api.js';
import { both, language, t } from '/static/common/i18n.js';
import { el } from '/static/common/text.js';
import { now, state } from './state.js';

/** @param {string} kind @returns {string} */
export const kindName = (kind) => state.city.kinds[kind]?.[language()] ?? kind;
/** @param {string} action */
export const actionLabel = (action) => t(action === 'close' ? 'closeTicket' : action);

/** What a device measured, around a moment (epoch ms) or of the last day; loaded when first asked for.
 * @param {string} device @param {number} [at] */
export async function history(device, at) {
  const { openHistory } = await import('/static/common/history/history.js');
  await openHistory(device, { get, zone: state.city.timezone, now }, at);
}

/** Time left on a clock as text, and how pressing it is. @param {number} at epoch ms */
export function countdown(at) {
  const left = Math.round((at - now()) / 1000), text = lasted(Math.abs(left));
  return { text: left < 0 ? `${t('overdue')} ${text}` : text, level: left < 0 ? 'over' : left < 300 ? 'soon' : 'fine' };
}
/** A length of time in seconds as text. @param {number} s */
export function lasted(s) {
  const pad = (/** @type {number} */ n) => String(n).padStart(2, '0');
  if (s >= 86400) return `${Math.floor(s / 86400)}d ${pad(Math.floor((s % 86400) / 3600))}h`;
  return s >= 3600 ? `${Math.floor(s / 3600)}:${pad(Math.floor((s % 3600) / 60))}:${pad(s % 60)}` : `${pad(Math.floor(s / 60))}:${pad(s % 60)}`;
}
/** A clock that runs on the page. @param {number} at */
export function clockNode(at) {
  return tick(el('time', { class: 'clock', data: { at: String(at) }, datetime: new Date(at).toISOString() }));
}
/** @param {HTMLElement} node */
function tick(node) {
  const { text, level } = countdown(Number(node.dataset.at));
  if (node.textContent !== text) node.textContent = text;
  node.dataset.level = level;
  return node;
}
/** Every running clock, once a second. */
export function tickAll() {
  for (const node of document.querySelectorAll('time.clock')) tick(/** @type {HTMLElement} */ (node));
}

/** Why this worker and this utility, in one line. @param {Ticket} ticket @returns {string} */
export function reasonText(ticket) {
  const reason = ticket.reason ?? {};
  const parts = ['worker', 'utility'].map((key) => both(reason[key])).filter(Boolean);
  if (parts.length) return parts.join(' · ');
  return both(reason) ?? Object.values(reason).map(both).find(Boolean) ?? '';
}
