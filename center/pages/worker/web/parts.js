// @ts-check
// Small pieces that several views are made of.
import { both, language, severityName, stageName, t, timeOf } from '/static/common/i18n.js';
import { el, icon, say } from '/static/common/text.js';
import { away, now, state } from './state.js';

export { el, icon, say };

/** @param {string} key @param {Record<string, string | number>} [values] @returns {string} */
export function w(key, values = {}) {
  return String(t(key)).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
}

/** @param {any} card */
export const kindName = (card) => (language() === 'zh' ? card.kind_zh : card.kind_en);
/** @param {any} said */
export const inOurs = (said) => both(said) ?? '';
/** @param {any} action */
export const actionName = (action) => (language() === 'zh' ? action.text_zh : cap(action.text_en));
/** @param {string} text */
export const cap = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);
/** @param {string | number} at */
export const at = (at) => timeOf(at, state.me?.timezone ?? 'Asia/Shanghai');

/** @param {any} card */
export function where(card) {
  return card.place?.address || card.grid_name || card.place?.grid || '—';
}

/** @param {any} card */
export function distance(card) {
  const far = away(card.place);
  if (!far) return '';
  if (far.m < 15 && far.from === 'here') return w('wHere');
  const text = far.m < 1000 ? `${Math.round(far.m / 10) * 10} ${w('m')}` : `${(far.m / 1000).toFixed(far.m < 10_000 ? 1 : 0)} ${w('km')}`;
  return far.from === 'here' ? text : language() === 'zh' ? `${w('wFromHome')} ${text}` : `${text} ${w('wFromHome')}`;
}

/** A span of time, short. @param {number} ms */
export function span(ms) {
  const minutes = Math.floor(Math.abs(ms) / 60_000);
  const zh = language() === 'zh';
  if (minutes < 60) return zh ? `${minutes} 分` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return zh ? `${hours} 时 ${minutes % 60} 分` : `${hours} h ${minutes % 60} min`;
  return zh ? `${Math.floor(hours / 24)} 天` : `${Math.floor(hours / 24)} d`;
}

/** The clock that runs: kept up to date by `tick`. @param {any} card */
export function clock(card) {
  if (!card.clock) return null;
  const node = el('span', { class: 'clock', data: { due: card.clock.due } });
  setClock(node);
  return el('span', { class: 'due' }, el('span', { class: 'soft' }, w(card.clock.name === 'close' ? 'closeTicket' : card.clock.name)), node);
}

/** @param {HTMLElement} node */
function setClock(node) {
  const left = Date.parse(node.dataset.due ?? '') - now();
  node.dataset.level = left < 0 ? 'over' : left < 5 * 60_000 ? 'soon' : 'calm';
  const zh = language() === 'zh';
  const text = left < 0 ? (zh ? `${w('wOver')} ${span(left)}` : w('wOver', { t: span(left) })) : (zh ? `${w('wLeft')} ${span(left)}` : w('wLeft', { t: span(left) }));
  if (node.textContent !== text) node.textContent = text;
}
export function tick() {
  for (const node of document.querySelectorAll('.clock[data-due]')) setClock(/** @type {HTMLElement} */ (node));
}

/** Head of a ticket: icon, kind, severity, stage. @param {any} card */
export function headline(card) {
  return el('div', { class: 'headline' },
    el('span', { class: 'badge' }, icon(card.kind)),
    el('span', { class: 'kind' }, say(kindName(card))),
    el('span', { class: 'sev' }, severityName(card.severity)),
    el('span', { class: 'stage' }, stageName(card.stage)));
}

/** What waits for my word, in words. @param {any} card */
export function askedFor(card) {
  const words = /** @type {Record<string, string>} */ ({ help: 'wHelpAsked', step_in: 'wStepIn', confirm: 'wConfirmAsked', assign: 'wAssignAsked', verify: 'wVerifyAsked', escalated: 'wEscalatedAsked', accept: 'wNew' });
  return card.asked ? w(words[card.asked] ?? card.asked) : '';
}

/** The one next step of a ticket: what the big button does. @param {any} card */
export function nextStep(card) {
  const can = new Map(card.actions.map((/** @type {any} */ a) => [a.action, a]));
  const order = card.asked === 'help' ? ['accept_help'] : card.asked === 'confirm' ? ['confirm'] : card.asked === 'assign' ? ['assign']
    : card.asked === 'verify' ? ['verify'] : card.asked === 'escalated' ? ['acknowledge'] : card.asked === 'step_in' ? ['accept'] : ['accept', 'arrive', 'dispose'];
  // Who comes back to work done badly is there already more often than not: the work is what is next.
  if (card.stage === 'reworked') order.reverse();
  const action = order.map((name) => can.get(name)).find(Boolean);
  return action ? { action: action.action, word: card.asked === 'step_in' ? 'wNext_step_in' : card.kind === 'patrol' && action.action === 'dispose' ? 'wRoundDone' : `wNext_${action.action}`, offer: action } : null;
}

/** @param {string} kind */
export const symbol = (kind) => /** @type {Record<string, string>} */ ({
  back: 'M15 5l-7 7 7 7', go: 'M4 11l16-7-7 16-2-7z', photo: 'M4 8h4l1.500-2.500h5L16 8h4v11H4zM12 10.500a3.200 3.200 0 1 0 .01 0', call: 'M6 4l3.500.5L11 8 9 10a10 10 0 0 0 5 5l2-2 3.500 1.500.5 3.500c-8 1.500-15.500-6-14-14z', more: 'M5 11a1 1 0 1 0 .01 0M12 11a1 1 0 1 0 .01 0M19 11a1 1 0 1 0 .01 0', place: 'M12 21c-4-5-6-8-6-11a6 6 0 0 1 12 0c0 3-2 6-6 11zM12 8a2.200 2.200 0 1 0 .01 0', refuse: 'M12 4a8 8 0 1 0 .01 0M6.500 6.500l11 11', sent: 'M5 12l5 5 9-10',
})[kind] ?? '';

/** @param {string} kind */
export function glyph(kind) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', symbol(kind));
  svg.append(path);
  return svg;
}
