// @ts-check
// One card of the queue.

/** @import {On, Ticket} from '../types.js' */

import { both, severityName, stageName, t, timeOf } from '/static/common/i18n.js';
import { clean, el, icon, say } from '/static/common/text.js';
import { byName, gridName, now, sentBack, state, utilityName, whereText, workerName } from '../state.js';
import { acknowledged, calls, NEXT, nextClock, OPEN, overdue } from '../urgency.js';
import { actionLabel, clockNode, kindName, reasonText } from '../words.js';

/** @param {Ticket} ticket @param {On} on @param {number} place its place in the list @param {number} size */
export function card(ticket, on, place, size) {
  const grid = gridName(ticket.grid ?? ticket.place?.grid), clock = nextClock(ticket), action = NEXT[ticket.stage], moment = now();
  const still = state.dossiers.get(ticket.id)?.events?.map((event) => event.links?.still ?? event.links?.photo).find(Boolean);
  const ringing = calls(ticket, moment), picked = state.picked.has(ticket.id), open = OPEN.has(ticket.stage);
  return el('li', { class: 'card', 'aria-posinset': String(place + 1), 'aria-setsize': String(size), data: {
    id: ticket.id, severity: String(ticket.severity), stage: ticket.stage, selected: String(ticket.id === state.selected), fresh: String(state.fresh.has(ticket.id)),
    open: String(open), calls: String(ringing), overdue: String(overdue(ticket, moment)), picked: String(picked) } },
    el('div', { class: 'head' },
      el('label', { class: 'pick', title: t('pick') }, el('span', { class: 'badge', title: severityName(ticket.severity) }, icon(ticket.kind)),
        el('input', { type: 'checkbox', checked: picked, tabindex: '-1', 'aria-label': `${t('pick')} ${clean(kindName(ticket.kind))} ${clean(ticket.id)}`, onchange: () => on.pick(ticket.id) })),
      el('button', { class: 'open', onclick: () => on.select(ticket.id), 'aria-expanded': String(ticket.id === state.selected) },
        say(kindName(ticket.kind), 'kind'),
        el('span', { class: 'line' }, el('span', { class: 'sev' }, severityName(ticket.severity)), ' · ', ticket.parent ? el('span', { class: 'part', title: `${t('partOf')} ${clean(ticket.parent)}` }, t('part'), ' · ') : null,
          el('time', { datetime: clean(ticket.opened_at) }, timeOf(ticket.opened_at, state.city.timezone, true)), ringing ? el('b', { class: 'unheard' }, ' · ', t('unheard')) : heardBy(ticket, moment))),
      el('span', { class: 'stage' }, stageName(ticket.stage))),
    el('div', { class: 'body' },
      el('div', {},
        el('p', { class: 'where' }, say(whereText(grid, ticket.place?.address))),
        el('p', { class: 'who' },
          ticket.worker || !ticket.utility ? el('span', { class: 'person', title: t('worker') }, say(workerName(ticket.worker) ?? t('none'))) : null,
          ticket.utility ? el('span', { class: 'utility', title: t('utility') }, say(utilityName(ticket.utility))) : null),
        rejected(ticket) ?? el('p', { class: 'reason' }, say(reasonText(ticket)))),
      still ? el('img', { class: 'thumb', src: still, alt: t('still'), loading: 'lazy' }) : null),
    open ? el('div', { class: 'foot' },
      clock ? el('span', { class: 'due' }, el('span', {}, actionLabel(clock.clock)), clockNode(clock.at)) : el('span'),
      ringing ? el('button', { class: 'ack', title: t('acknowledge'), onclick: (/** @type {any} */ event) => on.acknowledge([ticket.id], event.currentTarget) }, t('ackShort')) : null,
      action ? el('button', { class: 'step primary', onclick: (/** @type {any} */ event) => on.act(ticket.id, action, event.currentTarget) }, actionLabel(action)) : null) : null);
}

/** Who knows of it. @param {Ticket} ticket @param {number} moment */
function heardBy(ticket, moment) {
  const known = acknowledged(ticket, moment);
  return known ? el('span', { class: 'heard', title: `${t('knownUntil')} ${timeOf(known.until, state.city.timezone)}` }, ' · ', t('knownTo'), ' ', say(byName(known.by))) : null;
}

/** Who sent it back and why. @param {Ticket} ticket */
export function rejected(ticket) {
  const step = sentBack(ticket);
  return step ? el('p', { class: 'rejected' }, el('b', {}, t('returnedBy'), ' · ', say(byName(step.by))), step.note ? el('span', {}, '：', say(both(step.note))) : null) : null;
}
