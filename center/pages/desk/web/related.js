// What a ticket belongs to: its cause by name, the storm, what holds it back, parts, merges.

import { both, stageName, t, timeOf } from '../common/i18n.js';
import { kindName } from './list.js';
import { gridName, state, ticketsOf, utilityName } from './state.js';
import { el, say } from '../common/text.js';

const HOW = { explains: 'causeExplains', outlived: 'causeOutlived', suspected: 'causeSuspected' };
const MOST = 8;

export function relatedOf(ticket, dossier, on) {
  const incident = dossier?.incident_detail;
  const rows = [...(incident ? ofIncident(ticket, incident, dossier.group_detail, on) : []), ...ofTicket(ticket, on)];
  if (!rows.length) return el('div');
  return el('section', { class: 'related' }, el('h3', {}, t('related')), el('dl', { class: 'facts tall' }, ...rows));
}

const row = (name, ...nodes) => el('div', { class: 'fact' }, el('dt', {}, name), el('dd', {}, ...nodes));

function link(id, on) {
  const known = state.tickets.get(id);
  const words = known ? [say(kindName(known.kind)), ' · ', say(known.parent && known.utility ? utilityName(known.utility) : gridName(known.grid)), ' · ', stageName(known.stage), ' '] : [];
  return el('a', { href: `#${encodeURIComponent(id)}`, data: { focus: `to-${id}` }, onclick: (event) => { event.preventDefault(); on.visit(id); } }, ...words, say(id, 'soft'));
}
const links = (ids, on) => el('ul', { class: 'links' }, ...ids.slice(0, MOST).map((id) => el('li', {}, link(id, on))), ids.length > MOST ? el('li', { class: 'soft' }, `+ ${ids.length - MOST}`) : null);
const ticketIds = (incident) => ticketsOf(incident).map((ticket) => ticket.id);

function ofIncident(ticket, incident, group, on) {
  const rows = [];
  const { cause, held } = incident;
  if (cause) rows.push(row(say(kindName(cause.kind)), say(both(cause) || t(HOW[cause.how])), el('p', { class: 'soft' }, t(HOW[cause.how])), cause.ticket ? links([cause.ticket], on) : say(cause.incident, 'soft')));
  if (held) rows.push(row(t('held'), t(held.ended_at ? 'heldBefore' : 'heldUntil'), ' ', timeOf(held.ended_at ?? held.until, state.city.timezone), ' · ', t(held.by === 'work' ? 'byWork' : 'bySilence'), ' ', say(held.id, 'soft'), el('p', {}, say(both(held)))));
  if (group) {
    const others = (group.children ?? []).filter((id) => id !== incident.id).flatMap(ticketIds);
    rows.push(row(say(both(group.name) || t('storm'), 'strong'), say(both(group.reason)), others.length ? el('div', {}, el('p', { class: 'soft' }, t('sameGroup')), links(others, on)) : null));
  }
  for (const [key, name] of [['merged_into', 'mergedInto'], ['split_from', 'splitFrom']]) {
    if (!incident[key]) continue;
    const ids = ticketIds(incident[key]);
    rows.push(row(t(name), ids.length ? links(ids, on) : say(incident[key])));
  }
  return rows;
}

function ofTicket(ticket, on) {
  const parts = [...state.tickets.values()].filter((other) => other.parent === ticket.id).map((other) => other.id);
  return [ticket.parent ? row(t('partOf'), links([ticket.parent], on)) : null, parts.length ? row(t('parts'), links(parts, on)) : null].filter(Boolean);
}
