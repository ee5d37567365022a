// @ts-check
// What it is, where, whose it is; who knows, who sent it back.

/** @import {Panel, Ticket, View} from '../../types.js' */

import { laneName, severityName, stageName, t, timeOf } from '/static/common/i18n.js';
import { el, icon, say } from '/static/common/text.js';
import { rejected } from '../../list/card.js';
import { byName, gridName, now, state, utilityName, whereText, workerName } from '../../state.js';
import { acknowledged, calls } from '../../urgency.js';
import { kindName } from '../../words.js';

/** @type {Panel} */
export const panel = { order: 10, render: head };

/** @param {View} view */
function head({ ticket, on }) {
  const place = ticket.place ?? {};
  return el('div', { class: 'top' },
    el('div', { class: 'title' }, el('span', { class: 'badge' }, icon(ticket.kind)),
      el('div', {}, el('h2', {}, say(kindName(ticket.kind))),
        el('p', {}, el('span', { class: 'sev' }, severityName(ticket.severity)), ' ', el('span', { class: 'stage' }, stageName(ticket.stage)), ticket.code ? el('span', { class: 'code' }, say(ticket.code)) : null)),
      el('button', { class: 'tool shut', data: { focus: 'shut' }, 'aria-label': t('close'), title: `${t('close')} (Esc)`, onclick: on.close }, icon('shut'))),
    heard(ticket, on), rejected(ticket),
    el('dl', { class: 'facts' },
      row(t('where'), el('span', {}, say(whereText(gridName(ticket.grid ?? place.grid), place.address)))),
      row(t('worker'), el('span', { class: 'with-call' }, say(workerName(ticket.worker) ?? t('none'), 'strong'), callWorker(ticket, on))),
      row(t('utility'), el('span', { class: 'with-call' }, say(utilityName(ticket.utility) ?? t('none'), 'strong'), callUtility(ticket, on))),
      row(t('lane'), laneName(ticket.lane)), row('ID', el('span', { class: 'soft' }, say(ticket.id), ` · rev ${ticket.rev}`))));
}
/** @param {string} name @param {Node | string} node */
const row = (name, node) => el('div', { class: 'fact' }, el('dt', {}, name), el('dd', {}, node));

/** Whether somebody knows, with the button that says so. @param {Ticket} ticket @param {View['on']} on */
function heard(ticket, on) {
  const moment = now(), known = acknowledged(ticket, moment);
  if (known) return el('p', { class: 'heard' }, t('knownTo'), ' ', say(byName(known.by), 'strong'), ' · ', t('knownUntil'), ' ', timeOf(known.until, state.city.timezone));
  if (!calls(ticket, moment)) return null;
  return el('p', { class: 'unheard' }, el('b', {}, t('unheard')), el('button', { class: 'ack', data: { focus: 'ack' }, onclick: (/** @type {any} */ event) => on.acknowledge([ticket.id], event.currentTarget) }, t('acknowledge'), el('kbd', {}, 'a')));
}

/** A call to the utility, noted on the ticket. @param {Ticket} ticket @param {View['on']} on */
function callUtility(ticket, on) {
  const phone = String(state.city.utilities[String(ticket.utility)]?.phone ?? '').trim(), name = utilityName(ticket.utility);
  return call(phone, () => on.act(ticket.id, 'note', null, { note: `called ${name} ${phone} / 已致电${name} ${phone}` }));
}
/** A call to the worker; the note on the ticket, which more people read, has no number. @param {Ticket} ticket @param {View['on']} on */
function callWorker(ticket, on) {
  const phone = String(state.workers.get(String(ticket.worker))?.phone ?? '').trim(), name = workerName(ticket.worker);
  return call(phone, () => on.act(ticket.id, 'note', null, { note: `called ${name} / 已致电${name}` }));
}
/** @param {string} phone @param {() => void} noted */
function call(phone, noted) {
  if (!phone) return null;
  const number = phone.replace(/[^0-9+*#;,]/g, '');
  return el('a', { class: 'button call', href: `tel:${number}`, data: { call: number, focus: `call ${number}` }, title: t('callTitle'), onclick: noted }, icon('phone'), say(phone));
}
