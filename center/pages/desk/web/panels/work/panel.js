// @ts-check
// What may be done with a ticket now. Which actions, in whose name and what must be said comes with
// the ticket (`actions` of its dossier); here is only how it looks and what fills the forms.

/** @import {Offer, On, Panel, Ticket, View} from '../../types.js' */

import { both, t } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';
import { CLOCKS, NEXT } from '../../urgency.js';
import { actionLabel } from '../../words.js';
import { label, offers, once, wants } from './actions.js';
import { openForm } from './form.js';

/** @type {[string, string[]][]} */
const ROWS = [
  ['moreWay', ['return', 'rework', 'reassign', 'suspend', 'resume', 'extend', 'reopen', 'void']],
  ['moreHelp', ['acknowledge', 'supervise', 'remind', 'assign', 'request_helper', 'accept_help', 'refuse_help', 'release_helper', 'take_resource', 'return_resource', 'merge', 'split', 'undo']],
  ['moreWords', ['report', 'note', 'rate', 'evaluate', 'appeal']],
];
const PLACED = new Set([...CLOCKS, ...ROWS.flatMap(([, names]) => names)]);

/** @type {Panel} */
export const panel = { order: 30, render: work };

/** @param {View} view */
function work({ ticket, dossier, on, kept }) {
  const allowed = offers(ticket, dossier), box = el('div', { class: 'do' }, way(ticket, allowed, on));
  const next = allowed?.get(nextOf(ticket, (action) => allowed.has(action)) ?? '');
  if (next) box.append(el('button', { class: 'with', data: { action: 'with', focus: 'with' }, 'aria-haspopup': 'true', onclick: (/** @type {any} */ event) => openForm(ticket, next, on, event.currentTarget) }, `${actionLabel(next.action)} · ${t('withWords')}…`));
  box.append(...questions(ticket, allowed, on));
  if (allowed) {
    const others = [...allowed.values()].filter((offer) => !PLACED.has(offer.action) && !offer.answers).map((offer) => offer.action);
    for (const [title, names] of ROWS) {
      const here = (title === 'moreWords' ? [...names, ...others] : names).map((name) => allowed.get(name)).filter((offer) => offer !== undefined);
      if (here.length) box.append(el('div', { class: 'more', role: 'group', 'aria-label': t(title) }, el('span', { class: 'soft' }, t(title)), el('div', {}, ...here.map((offer) => button(ticket, offer, on)))));
    }
  }
  const form = kept.get('form');
  if (form && (!allowed || allowed.has(String(form.dataset.action)))) box.append(form);
  return box;
}

/** @param {Ticket} ticket @param {(action: string) => boolean} may */
const nextOf = (ticket, may) => { const next = NEXT[ticket.stage]; return next && may(next) ? next : CLOCKS.find(may); };

/** The five steps of every ticket. @param {Ticket} ticket @param {Map<string, Offer> | null} allowed @param {On} on */
function way(ticket, allowed, on) {
  const may = (/** @type {string} */ action) => (allowed ? allowed.has(action) : action === NEXT[ticket.stage]);
  const next = nextOf(ticket, may);
  return el('div', { class: 'actions' }, ...CLOCKS.map((action) =>
    el('button', { class: action === next ? 'primary' : '', disabled: !may(action), data: { action, focus: action }, onclick: (/** @type {any} */ event) => once(ticket, allowed?.get(action) ?? { action, says: [], by: ['center'], text_zh: '', text_en: '', to: null }, on, event.currentTarget) }, actionLabel(action))));
}

/** Questions that wait for an answer, with the buttons that give it. @param {Ticket} ticket @param {Map<string, Offer> | null} allowed @param {On} on */
function questions(ticket, allowed, on) {
  const open = Object.entries(ticket.reason?.questions ?? {}).filter(([, asked]) => asked?.state === 'open');
  return open.map(([name, asked]) => el('div', { class: 'question', role: 'group', 'aria-label': t('question') },
    el('p', {}, say(both(asked) ?? name)), ...[...(allowed?.values() ?? [])].filter((offer) => offer.answers === name).map((offer) => button(ticket, offer, on))));
}

/** @param {Ticket} ticket @param {Offer} offer @param {On} on */
function button(ticket, offer, on) {
  const asks = wants(offer).length > 0 || offer.by[0] !== 'center';
  return el('button', { data: { action: offer.action, focus: offer.action }, 'aria-haspopup': asks ? 'true' : null, onclick: (/** @type {any} */ event) => (asks ? openForm(ticket, offer, on, event.currentTarget) : once(ticket, offer, on, event.currentTarget)) }, say(label(offer, ticket)), asks ? '…' : '');
}
