// @ts-check
// What the center tells: the queue once, then every change by the stream.

/** @import {Ticket, Dossier} from './types.js' */

import { follow, get, pages } from '/static/common/api.js';
import * as early from './early.js';
import { changed, state, takeIncident, takeTicket } from './state.js';

const FRESH_MS = 12_000;
const WORKERS_MS = 5_000;
const NAMES_MS = 150;
const FINISHED = 500; // the newest tickets of all stages, when they are asked for
const PICTURES = 12; // of the most urgent falls, on their cards
const ASKED = 150; // names at once

/** @typedef {object} Told
 * @property {() => void} ready the list is there: now the rest
 * @property {(ticket: Ticket) => void} opened a ticket that was not there before
 * @property {(me: import('./types.js').Me) => void} me who we are
 * @property {(name: string) => void} link how the connection stands
 * @property {(error: any) => void} failed
 * @property {(changes: number) => void} resumed after it was away
 */
/** @type {Told} */
let told;
/** @type {{restart(): void, retry(): void} | null} */
let stream = null;
let away = false, missed = 0, finished = false;

/** @param {Told} on */
export function initLive(on) {
  told = on;
  early.city.then((city) => { state.city = city; changed(); }, on.failed);
  get('/api/v1/me').then((me) => { state.me = me; told.me(me); changed(); }, () => { /* no accounts: the desk acts as the center */ });
  begin();
  setInterval(() => { if (!document.hidden) loadWorkers(); }, WORKERS_MS);
  addEventListener('online', () => stream?.retry());
}
export const retry = () => stream?.retry();

/** The queue first, then the stream from where it stands: no change lies between them. */
async function begin() {
  /** @type {number | undefined} */
  let position;
  early.first.then(takeFirst, () => {}); // what fails here fails below, where it is told
  try { position = takeQueue(await early.queue); } catch (error) { if (/** @type {any} */ (error).status !== 401) told.failed(error); }
  stream = follow({ event: onEvent, state: onLink, ...(position === undefined ? {} : { last: String(position) }) });
  requestAnimationFrame(() => setTimeout(told.ready)); // the list is on screen by then
  loadHeld().catch(told.failed);
  loadWorkers();
}

/** @param {Record<string, Record<string, any>>} names */
function takeNames(names) {
  for (const [id, [name, parent]] of Object.entries(names.grids ?? {})) { state.gridNames.set(id, name); state.gridParents.set(id, parent); }
  for (const [id, [name, role]] of Object.entries(names.workers ?? {})) state.city.workers[id] ??= { name, role };
}

/** The most urgent, shown before all are there. @param {any} queue */
function takeFirst(queue) {
  if (state.loaded) return;
  takeNames(queue.names ?? {});
  for (const ticket of queue.items) takeTicket(ticket);
  changed();
}

/** @param {any} queue @returns {number} where the stream stood */
function takeQueue(queue) {
  takeNames(queue.names ?? {});
  for (const ticket of queue.items) takeTicket(ticket);
  // What the first screen had and the whole has no more was closed in between: the stream begins behind it.
  const open = new Set(queue.items.map((/** @type {Ticket} */ one) => one.id));
  for (const [id, ticket] of state.tickets) if (ticket.brief && !open.has(id)) state.tickets.delete(id);
  state.loaded = true;
  changed();
  const falls = queue.items.filter((/** @type {Ticket} */ one) => one.kind === 'high_altitude_throw').slice(0, PICTURES);
  for (const ticket of falls) loadDossier(ticket.id);
  return queue.position;
}
async function loadHeld() {
  for (const incident of await pages('/api/v1/incidents', 500)) takeIncident(incident);
}

function reload() { get('/api/v1/queue').then(takeQueue).then(loadHeld).catch(told.failed); }

/** The newest tickets of all stages, for who looks at finished ones. */
export async function loadFinished() {
  if (finished) return;
  finished = true;
  try { for (const ticket of await pages('/api/v1/tickets', FINISHED)) { takeTicket(ticket); wantNames(ticket); } } catch (error) { finished = false; told.failed(error); }
}

/** @type {Map<string, boolean>} */
const loading = new Map();
/** Fetch a ticket's incident and events; calls while one is under way lead to one more. @param {string} id @returns {Promise<void>} */
export async function loadDossier(id) {
  if (loading.has(id)) { loading.set(id, true); return; }
  loading.set(id, false);
  try {
    /** @type {Dossier} */
    const dossier = await get(`/api/v1/tickets/${encodeURIComponent(id)}`);
    state.dossiers.set(id, dossier);
    const { incident_detail: _i, group_detail: _g, events: _e, actions: _a, photographs: _p, ...ticket } = dossier;
    takeTicket(ticket);
    wantNames(ticket);
    changed();
  } catch (error) {
    if (/** @type {any} */ (error).status !== 404) console.warn('dossier:', /** @type {Error} */ (error).message);
  } finally {
    const again = loading.get(id);
    loading.delete(id);
    if (again) loadDossier(id);
  }
}

/** @param {string} name */
function onLink(name) {
  if (name === 'lost') away = true;
  told.link(name);
}

/** @param {string} name @param {any} event */
function onEvent(name, event) {
  if (name === 'hello') {
    state.offset = Date.parse(event.now) - Date.now();
    if (!state.loaded) reload();
    if (away) { away = false; missed = 0; setTimeout(() => told.resumed(missed), 600); }
  } else if (name === 'reset') {
    state.tickets.clear(); state.dossiers.clear(); state.held.clear(); // a snapshot of what is open follows
    finished = false;
    changed();
    reload();
  } else if (name === 'gone') {
    // It left our part of the city, or another has it now.
    state.tickets.delete(event.subject); state.dossiers.delete(event.subject);
    changed();
  } else if (name === 'ticket' && event.data) onTicket(event);
  else if (name === 'event' && event.data) {
    // New evidence (a clip that was cut) of an incident we show.
    for (const [id, dossier] of state.dossiers) if (dossier.incident_detail?.events?.includes(event.data.id)) loadDossier(id);
  } else if (name === 'incident' && event.data) {
    for (const [id, dossier] of state.dossiers) if (dossier.incident === event.data.id || dossier.group_detail?.id === event.data.id) loadDossier(id);
    takeIncident(event.data);
  }
}

/** @param {{type: string, data: Ticket}} event */
function onTicket(event) {
  const ticket = event.data, isNew = takeTicket(ticket);
  missed += 1;
  wantNames(ticket);
  if (isNew && state.loaded && !event.type.endsWith('.snapshot')) {
    state.fresh.add(ticket.id);
    setTimeout(() => { state.fresh.delete(ticket.id); changed(); }, FRESH_MS);
    if (!ticket.parent) told.opened(ticket); // one word for one incident
  }
  if (state.dossiers.has(ticket.id) || ticket.id === state.selected || (isNew && ticket.kind === 'high_altitude_throw')) loadDossier(ticket.id);
}

async function loadWorkers() {
  try {
    state.workers = new Map((await pages('/api/v1/workers')).map((/** @type {any} */ worker) => [worker.id, worker]));
    changed();
  } catch (error) { console.warn('workers:', /** @type {Error} */ (error).message); }
}

/** @type {Set<string>} */
const grids = new Set();
/** @type {Set<string>} */
const workers = new Set();
/** @type {Set<string>} nobody knows their name: not asked again */
const nameless = new Set();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let asking;
/** Ask for the names a ticket mentions, unless they are known. @param {Ticket} ticket */
function wantNames(ticket) {
  for (const grid of [ticket.grid]) if (grid && !state.gridNames.has(grid) && !nameless.has(grid)) grids.add(grid);
  const people = [ticket.worker, ...(ticket.helpers ?? []), ...(ticket.timeline ?? []).map((step) => step.by)];
  for (const id of people) if (id && /^[\w.-]+$/.test(id) && !state.city.workers[id] && !state.workers.has(id) && !nameless.has(id)) workers.add(id);
  if ((grids.size || workers.size) && asking === undefined) asking = setTimeout(askNames, NAMES_MS);
}
async function askNames() {
  asking = undefined;
  const wanted = [[...grids].slice(0, ASKED), [...workers].slice(0, ASKED)].map((ids) => ids.filter(Boolean));
  grids.clear(); workers.clear();
  const query = wanted.map((ids, i) => (ids.length ? `${['grids', 'workers'][i]}=${ids.map(encodeURIComponent).join(',')}` : '')).filter(Boolean).join('&');
  for (const id of wanted.flat()) nameless.add(id);
  try { takeNames(await get(`/api/v1/names?${query}`)); } catch (error) { console.warn('names:', /** @type {Error} */ (error).message); }
  changed();
}
