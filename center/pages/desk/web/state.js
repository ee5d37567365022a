// @ts-check
// What the page knows, and who wants to hear when it changes.

/** @import {Ticket, Dossier, Incident, Filters} from './types.js' */

import { has, t } from '/static/common/i18n.js';
import { inFilters } from './filters.js';
import { byAge, byUrgency, factsOf, OPEN } from './urgency.js';

export { CLOCKS, NEXT, OPEN, nextClock } from './urgency.js';

export const state = {
  /** @type {Map<string, Ticket>} */ tickets: new Map(),
  /** @type {Map<string, Dossier>} */ dossiers: new Map(),
  /** @type {Map<string, any>} */ workers: new Map(),
  /** @type {Map<string, any>} */ devices: new Map(),
  /** @type {{id?: string, kinds: Record<string, any>, utilities: Record<string, any>, workers: Record<string, any>, owners?: Record<string, string>, timezone: string}} */
  city: { kinds: {}, utilities: {}, workers: {}, timezone: 'UTC' },
  /** @type {any[]} */ grids: [],
  /** @type {Map<string, string>} */ gridNames: new Map(),
  /** @type {Map<string, string | null>} */ gridParents: new Map(),
  /** @type {any[]} */ assets: [],
  /** @type {Map<string, Incident>} incidents for which nobody is sent at the moment */ held: new Map(),
  /** @type {string | null} */ selected: null,
  /** @type {Filters} */
  filters: { sort: 'urgent', scope: 'open', kind: null, stage: null, severity: [], grid: null, utility: null, show: null, q: '' },
  /** @type {Set<string>} */ fresh: new Set(),
  /** @type {Set<string>} chosen for what is done to many at once */ picked: new Set(),
  /** @type {import('./types.js').Me | null} */ me: null,
  /** Center's clock minus ours, ms. */ offset: 0,
  /** Whether the queue has been read once. */ loaded: false,
};

/** @type {Set<() => void>} */
const listeners = new Set();
let due = false;
/** @type {Ticket[] | null} */
let visible = null;
/** @param {() => void} listener */
export const onChange = (listener) => { listeners.add(listener); };
/** Tell everybody once per frame, however much changed. */
export function changed() {
  visible = null;
  if (due) return;
  due = true;
  const tell = () => { due = false; for (const listener of listeners) listener(); };
  // A hidden tab gets no frames but must still count and ring.
  if (document.hidden) setTimeout(tell, 100); else requestAnimationFrame(tell);
}

/** Take a ticket unless we have a newer revision (or the same in full); true when it was new to us. @param {Ticket} ticket */
export function takeTicket(ticket) {
  const known = state.tickets.get(ticket.id);
  if (known && (known.rev > ticket.rev || (known.rev === ticket.rev && ticket.brief && !known.brief))) return false;
  state.tickets.set(ticket.id, known && !ticket.brief ? { ...known, brief: false, ...ticket } : ticket);
  changed();
  return !known;
}

/** Keep an incident for which nobody is sent at the moment: a silence or planned works hold it. @param {Incident} incident */
export function takeIncident(incident) {
  const held = incident.held && !incident.held.ended_at && !incident.closed_at && !incident.merged_into;
  if (held) state.held.set(incident.id, incident);
  else if (!state.held.delete(incident.id)) return;
  changed();
}

/** The whole tickets (no parts) of an incident that we know of. @param {string} incident */
export const ticketsOf = (incident) => [...state.tickets.values()].filter((ticket) => ticket.incident === incident && !ticket.parent);
/** What time it is for the center, epoch ms. */
export const now = () => Date.now() + state.offset;

/** The tickets that pass the filters, in their order. */
export function visibleTickets() {
  if (visible) return visible;
  const { scope, sort } = state.filters, moment = now(), passes = inFilters(state.filters, moment);
  const shown = [...state.tickets.values()].filter((ticket) => (scope === 'all' || OPEN.has(ticket.stage)) && passes(ticket));
  visible = shown.sort(sort === 'newest' ? byAge : byUrgency(moment));
  return visible;
}
/** Every open ticket that we know. */
export const openTickets = () => [...state.tickets.values()].filter((ticket) => OPEN.has(ticket.stage));

/** A place in words, said once: an address that names the grid already stands alone. @param {string} grid @param {string | null | undefined} address */
export function whereText(grid, address) {
  if (!address) return grid || '—';
  return grid && !address.includes(grid) ? `${grid} · ${address}` : address;
}

/** @param {string | null | undefined} id */
export const gridName = (id) => (id ? state.gridNames.get(id) ?? id : '');
/** @param {string | null | undefined} id @returns {string | null} */
export const workerName = (id) => (id ? state.city.workers[id]?.name ?? state.workers.get(id)?.name ?? id : null);
/** @param {string | null | undefined} id @returns {string | null} */
export const utilityName = (id) => (id ? state.city.utilities[id]?.name ?? id : null);
/** Whoever acted, as people call them. @param {string | null | undefined} by */
export function byName(by) {
  const id = String(by ?? '').replace(/^(worker|utility):/, '');
  if (has(`by_${id}`)) return t(`by_${id}`);
  return (state.city.utilities[id] ? utilityName(id) : workerName(id)) ?? '';
}
/** A position of whatever carries one. @param {any} thing @returns {[number, number] | null} */
export function placeOf(thing) {
  const place = thing?.place ?? thing?.point ?? thing?.position ?? thing;
  return place && Number.isFinite(place.lon) && Number.isFinite(place.lat) ? [place.lon, place.lat] : null;
}
/** Who sent it back last and why. @param {Ticket} ticket */
export const sentBack = (ticket) => factsOf(ticket).sentBack;
