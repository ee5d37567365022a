// @ts-check
// What a ticket belongs to: its cause by name, the storm, what holds it back, parts, merges.

/** @import {Incident, On, Panel, Ticket, View} from '../../types.js' */

import { both, stageName, t, timeOf } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';
import { gridName, state, ticketsOf, utilityName } from '../../state.js';
import { kindName } from '../../words.js';

/** @type {Record<string, string>} */
const HOW = { explains: 'causeExplains', outlived: 'causeOutlived', suspected: 'causeSuspected' };
const MOST = 8;

/** @type {Panel} */
export const panel = { order: 40, render: related };

/** @param {View} view */
function related({ ticket, dossier, on }) {
  const incident = dossier?.incident_detail;
  const rows = [...(incident ? ofIncident(incident, dossier?.group_detail ?? null, on) : []), ...ofTicket(ticket, on)];
  if (!rows.length) return null;
  return el('section', { class: 'related' }, el('h3', {}, t('related')), el('dl', { class: 'facts tall' }, ...rows));
}

/** @param {Node | string} name @param {any[]} nodes */
const row = (name, ...nodes) => el('div', { class: 'fact' }, el('dt', {}, name), el('dd', {}, ...nodes));

/** @param {string} id @param {On} on */
function link(id, on) {
  const known = state.tickets.get(id);
  const words = known ? [say(kindName(known.kind)), ' · ', say(known.parent && known.utility ? utilityName(known.utility) : gridName(known.grid)), ' · ', stageName(known.stage), ' '] : [];
  return el('a', { href: `#${encodeURIComponent(id)}`, data: { focus: `to-${id}` }, onclick: (/** @type {Event} */ event) => { event.preventDefault(); on.visit(id); } }, ...words, say(id, 'soft'));
}
/** @param {string[]} ids @param {On} on */
const links = (ids, on) => el('ul', { class: 'links' }, ...ids.slice(0, MOST).map((id) => el('li', {}, link(id, on))), ids.length > MOST ? el('li', { class: 'soft' }, `+ ${ids.length - MOST}`) : null);
/** @param {string} incident */
const ticketIds = (incident) => ticketsOf(incident).map((ticket) => ticket.id);

/** @param {Incident} incident @param {Incident | null} group @param {On} on */
function ofIncident(incident, group, on) {
  const rows = [];
  const { cause, held } = incident;
  if (cause) rows.push(row(say(kindName(cause.kind)), say(both(cause) || t(String(HOW[cause.how]))), el('p', { class: 'soft' }, t(String(HOW[cause.how]))), cause.ticket ? links([cause.ticket], on) : say(cause.incident, 'soft')));
  if (held) rows.push(row(t('held'), t(held.ended_at ? 'heldBefore' : 'heldUntil'), ' ', timeOf(held.ended_at ?? held.until, state.city.timezone), ' · ', t(held.by === 'work' ? 'byWork' : 'bySilence'), ' ', say(held.id, 'soft'), el('p', {}, say(both(held)))));
  if (group) {
    const others = (group.children ?? []).filter((id) => id !== incident.id).flatMap(ticketIds);
    rows.push(row(say(both(group.name) || t('storm'), 'strong'), say(both(group.reason)), others.length ? el('div', {}, el('p', { class: 'soft' }, t('sameGroup')), links(others, on)) : null));
  }
  for (const [other, name] of /** @type {const} */ ([[incident.merged_into, 'mergedInto'], [incident.split_from, 'splitFrom']])) {
    if (!other) continue;
    const ids = ticketIds(other);
    rows.push(row(t(name), ids.length ? links(ids, on) : say(other)));
  }
  return rows;
}

/** @param {Ticket} ticket @param {On} on */
function ofTicket(ticket, on) {
  const parts = [...state.tickets.values()].filter((other) => other.parent === ticket.id).map((other) => other.id);
  return [ticket.parent ? row(t('partOf'), links([ticket.parent], on)) : null, parts.length ? row(t('parts'), links(parts, on)) : null].filter((one) => one !== null);
}
