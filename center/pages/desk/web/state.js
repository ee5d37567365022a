// What the page knows, and who wants to hear when it changes.

export const OPEN = new Set(['detected', 'filed', 'dispatched', 'accepted', 'arrived', 'disposed', 'verified', 'returned', 'reworked', 'suspended']);
export const CLOCKS = ['accept', 'arrive', 'dispose', 'verify', 'close'];
// The step that comes next in each stage, and the action that asks for it.
export const NEXT = { dispatched: 'accept', accepted: 'arrive', reworked: 'arrive', arrived: 'dispose', disposed: 'verify', verified: 'close' };
const CLOCK_OF = { detected: 'accept', filed: 'accept', returned: 'accept', ...NEXT, suspended: 'close' };

export const state = {
  tickets: new Map(), dossiers: new Map(), workers: new Map(), devices: new Map(),
  city: { kinds: {}, utilities: {}, workers: {}, timezone: 'UTC' }, grids: [], gridNames: new Map(), assets: [], limits: new Map(),
  held: new Map(), selected: null, kind: null, scope: 'open', sort: 'newest', offset: 0, fresh: new Set(),
};

const listeners = new Set();
let due = false;
export const onChange = (listener) => listeners.add(listener);
/** Tell everybody once per frame, however much changed. */
export function changed() {
  if (due) return;
  due = true;
  // A hidden tab gets no frames but must still count and beep.
  (document.hidden ? (f) => setTimeout(f, 100) : requestAnimationFrame)(() => {
    due = false;
    for (const listener of listeners) listener();
  });
}

/** Take a ticket unless we have a newer revision; true when it was new to us. */
export function takeTicket(ticket) {
  const known = state.tickets.get(ticket.id);
  if (known && known.rev > ticket.rev) return false;
  state.tickets.set(ticket.id, known ? { ...known, ...ticket } : ticket);
  changed();
  return !known;
}

/** Keep an incident for which nobody is sent at the moment: a silence or planned works hold it. */
export function takeIncident(incident) {
  const held = incident.held && !incident.held.ended_at && !incident.closed_at && !incident.merged_into;
  if (held) state.held.set(incident.id, incident);
  else if (!state.held.delete(incident.id)) return;
  changed();
}

/** The whole tickets (no parts) of an incident that we know of. */
export const ticketsOf = (incident) => [...state.tickets.values()].filter((ticket) => ticket.incident === incident && !ticket.parent);

export const now = () => Date.now() + state.offset;

/** The clock that runs in this ticket's stage: `{clock, at}`, or null. */
export function nextClock(ticket) {
  const from = CLOCK_OF[ticket.stage];
  if (!from) return null;
  for (const clock of CLOCKS.slice(CLOCKS.indexOf(from))) {
    const at = ticket.deadlines?.[clock];
    if (at) return { clock, at: Date.parse(at) };
  }
  return null;
}

export function visibleTickets() {
  const shown = [...state.tickets.values()].filter((ticket) =>
    (state.scope === 'all' || OPEN.has(ticket.stage)) && (!state.kind || ticket.kind === state.kind));
  const urgency = (ticket) => nextClock(ticket)?.at ?? Infinity;
  const newest = (a, b) => Date.parse(b.opened_at) - Date.parse(a.opened_at) || (a.id < b.id ? 1 : -1);
  shown.sort(state.sort === 'newest' ? newest
    : (a, b) => b.severity - a.severity || urgency(a) - urgency(b) || newest(a, b));
  return shown;
}

/** A place in words, said once: an address that names the grid already stands alone. */
export function whereText(grid, address) {
  if (!address) return grid || '—';
  return grid && !address.includes(grid) ? `${grid} · ${address}` : address;
}

export const gridName = (id) => state.gridNames.get(id) ?? id ?? '';
export const workerName = (id) => (id ? state.city.workers[id]?.name ?? state.workers.get(id)?.name ?? id : null);
export const utilityName = (id) => (id ? state.city.utilities[id]?.name ?? id : null);
/** A position of whatever carries one. */
export function placeOf(thing) {
  const place = thing?.place ?? thing?.point ?? thing?.position ?? thing;
  return place && Number.isFinite(place.lon) && Number.isFinite(place.lat) ? [place.lon, place.lat] : null;
}
