// @ts-check
// The desk's map: what the page knows, given to the map of all pages, and what belongs to the
// selected ticket marked on it.

import { createMap } from '../common/map/map.js';
import { get } from '../common/api.js';
import { language, severityName, stageName } from '../common/i18n.js';
import { gridName, nextClock, now, placeOf, state, visibleTickets, workerName } from './state.js';
import { history } from './words.js';

/** @type {import('../common/map/map.js').CityMap | null} */
let map = null;
let drawn = '';
/** @type {unknown} */
let workers = null;
/** @type {string | null} */
let selected = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let waiting;
const BEHIND_MS = 80;

/** @param {(id: string) => void} onSelect */
export function initMap(onSelect) {
  const element = /** @type {HTMLElement} */ (document.querySelector('#city'));
  map = createMap(element, { get, onSelect, covered, onDevice: (id) => { void history(id); } });
}
export const relabelMap = () => map?.relabel();
export const readColours = () => map?.recolour();
/** Bring a place into the part of the map that the detail panel leaves free. @param {[number, number] | null} place */
export const show = (place) => map?.show(place);

/** @param {any} thing */
const placed = (thing) => /** @type {[number, number] | null} */ (placeOf(thing));

function covered() {
  const detail = /** @type {HTMLElement} */ (document.querySelector('#detail'));
  return detail.hidden || window.innerWidth < 900 ? 0 : detail.offsetWidth;
}

/** @param {any} ticket */
function labelOf(ticket) {
  const kind = /** @type {Record<string, any>} */ (state.city.kinds)[ticket.kind]?.[language()] ?? ticket.kind;
  return [kind, severityName(ticket.severity), stageName(ticket.stage), gridName(ticket.grid)].filter(Boolean).join(' · ');
}

/** The visible tickets as pins; the parts of one lie on its parent's pin. @returns {import('../common/map/map.js').Pin[]} */
function pins() {
  const tickets = visibleTickets(), ids = new Set(tickets.map((ticket) => ticket.id)), moment = now();
  return tickets.flatMap((ticket) => {
    const place = placed(ticket), clock = nextClock(ticket);
    if (!place || (ticket.parent && ids.has(ticket.parent))) return [];
    return [{ id: ticket.id, place, kind: ticket.kind, severity: ticket.severity, label: () => labelOf(ticket), overdue: Boolean(clock && clock.at < moment), fresh: state.fresh.has(ticket.id) }];
  });
}

/** What the selected ticket's evidence says of places: lines by probability, areas of error. @returns {import('../common/map/map.js').Marks} */
function marks() {
  const ticket = state.selected === null ? undefined : state.tickets.get(state.selected);
  if (!ticket) return {};
  const worker = ticket.worker ? state.workers.get(ticket.worker) : undefined;
  const lines = new Map(), circles = [];
  for (const event of state.dossiers.get(ticket.id)?.events ?? []) {
    for (const [id, p] of [...(event.spans ?? []), ...(event.pipes ?? [])]) lines.set(id, Math.max(lines.get(id) ?? 0, Number(p) || 0));
    const at = Array.isArray(event.point) ? /** @type {[number, number]} */ (event.point) : placed(event.point);
    if (at && Number(event.error_m) > 0) circles.push({ at, radius_m: Number(event.error_m) });
  }
  return { grid: ticket.grid, worker: ticket.worker, from: placed(worker), to: placed(ticket), lines, circles };
}

/** Give the map what changed; it is asked after every change of the page. A selection is followed at
 * once, the rest a moment behind the list: with thousands of tickets the queue comes first. */
export function draw() {
  if (!map) return;
  if (selected !== state.selected) { selected = state.selected; give(); return; }
  waiting ??= setTimeout(give, BEHIND_MS);
}

function give() {
  clearTimeout(waiting);
  waiting = undefined;
  if (!map) return;
  if (workers !== state.workers) {
    workers = state.workers;
    map.workers([...state.workers.values()].map((worker) => ({ id: worker.id, name: workerName(worker.id) ?? worker.id, point: worker.point, line: gridName(worker.grid) })));
  }
  const list = pins(), revs = visibleTickets();
  const look = `${state.selected}${language()}${state.gridNames.size}${list.map((pin) => `${pin.id}${pin.overdue ? '!' : ''}${pin.fresh ? '*' : ''}`).join()}${revs.map((ticket) => ticket.rev).join()}`;
  if (look !== drawn) { drawn = look; map.tickets(list, state.selected); }
  map.mark(marks());
}
