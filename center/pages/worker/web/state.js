// @ts-check
// What the page knows, and who wants to hear when it changes.

/**
 * @typedef {import('./db.js').Deed} Deed
 * @typedef {any} Card a ticket as `/api/v1/me/tickets` shows it
 */

export const state = {
  /** @type {any} me, as the center knows me */
  me: null,
  /** @type {{asked: Card[], working: Card[], done: Card[], nearby: any[]} | null} */
  list: null,
  /** @type {Map<string, any>} by id: the ticket's own page */
  sheets: new Map(),
  /** @type {Deed[]} what is to be sent, and what was refused */
  deeds: [],
  /** @type {'ok' | 'lost' | 'login' | 'choose' | 'stranger' | 'first'} */
  link: 'first',
  sending: false,
  /** @type {number | null} epoch ms of what the list says */
  asOf: null,
  /** center's clock minus the phone's, ms */
  offset: 0,
  /** @type {{lon: number, lat: number, accuracy: number, at: number} | null} where this phone is */
  here: null,
  /** @type {{share: 'off' | 'job' | 'shift', version: string}} */
  consent: { share: 'off', version: '' },
  /** @type {{state: 'off' | 'on' | 'wait' | 'denied' | 'none', why?: string, sentAt?: number}} */
  sharing: { state: 'off' },
  /** tickets that came while the page was open and nobody has looked at yet @type {Set<string>} */
  fresh: new Set(),
  newVersion: false,
};

const STEPS = /** @type {Record<string, string>} */ ({ accept: 'accepted', arrive: 'arrived', dispose: 'disposed', return: 'returned', confirm: 'verified', verify: 'verified', rework: 'reworked' });
const FOLLOWING = /** @type {Record<string, string>} */ ({ accepted: 'arrive', reworked: 'arrive', arrived: 'dispose' });
const CLOCK = /** @type {Record<string, string>} */ ({ accepted: 'arrive', arrived: 'dispose', reworked: 'dispose', disposed: 'verify' });

/** @type {Set<() => void>} */
const listeners = new Set();
let due = false;
/** @param {() => void} listener */
export const onChange = (listener) => listeners.add(listener);
export function changed() {
  if (due) return;
  due = true;
  queueMicrotask(() => { due = false; for (const listener of listeners) listener(); });
}

export const now = () => Date.now() + state.offset;

/** My deeds of this ticket that are not sent yet, in order. @param {string} ticket */
export const waiting = (ticket) => state.deeds.filter((deed) => deed.state === 'waiting' && deed.ticket === ticket && deed.worker === state.me?.id);
export const refused = () => state.deeds.filter((deed) => deed.state === 'refused' && deed.worker === state.me?.id);
export const toSend = () => state.deeds.filter((deed) => deed.state === 'waiting' && deed.worker === state.me?.id);

/** The ticket as it will be once my deeds are sent. @param {Card} card @returns {Card} */
export function ahead(card) {
  let { stage, asked, clock } = card;
  let { actions } = card;
  for (const deed of waiting(card.id)) {
    const to = STEPS[deed.action];
    if (to) {
      stage = to;
      const name = CLOCK[stage];
      clock = name && card.deadlines?.[name] ? { name, due: card.deadlines[name] } : null;
      const next = FOLLOWING[stage];
      actions = [
        ...(next ? [{ action: next, text_zh: '', text_en: '', says: [], also: [], choices: {} }] : []),
        ...(next ? card.actions.filter((/** @type {any} */ a) => ['return', 'note', 'request_helper', 'report', 'extend'].includes(a.action)) : card.actions.filter((/** @type {any} */ a) => a.action === 'note')),
      ];
    }
    if (to || ['accept_help', 'refuse_help', 'deny', 'assign', 'acknowledge'].includes(deed.action)) asked = null;
    if (!to) actions = actions.filter((/** @type {any} */ a) => a.action !== deed.action || deed.action === 'note');
  }
  return { ...card, stage, asked, clock, actions, waits: waiting(card.id).length };
}

/** The list as it will be once my deeds are sent: `{asked, working, done, nearby}`. */
export function shown() {
  const list = state.list ?? { asked: [], working: [], done: [], nearby: [] };
  /** @type {{asked: Card[], working: Card[], done: Card[], nearby: any[]}} */
  const found = { asked: [], working: [], done: [], nearby: list.nearby };
  for (const card of [...list.asked, ...list.working, ...list.done].map(ahead)) {
    const gone = waiting(card.id).some((deed) => ['return', 'refuse_help'].includes(deed.action));
    const working = ['accepted', 'arrived', 'reworked', 'suspended'].includes(card.stage) && card.as.some((/** @type {string} */ part) => ['worker', 'helper'].includes(part));
    const steppedIn = waiting(card.id).some((deed) => deed.action === 'accept');
    if (gone) found.done.push(card);
    else if (card.asked) found.asked.push(card);
    else if (working || steppedIn) found.working.push(card);
    else found.done.push(card);
  }
  found.asked.sort(byHurry);
  found.working.sort(byDistance);
  return found;
}

/** The ticket itself: its own page where we have it, else what the list says. @param {string} id */
export function ticketOf(id) {
  const list = state.list;
  const card = list && [...list.asked, ...list.working, ...list.done].find((c) => c.id === id);
  const sheet = state.sheets.get(id);
  if (!card && !sheet) return null;
  return ahead(sheet && (!card || sheet.rev >= card.rev) ? sheet : { ...sheet, ...card });
}

/** @param {Card} a @param {Card} b */
function byHurry(a, b) {
  return b.severity - a.severity || Date.parse(a.clock?.due ?? '9999-01-01') - Date.parse(b.clock?.due ?? '9999-01-01');
}
/** @param {Card} a @param {Card} b */
function byDistance(a, b) {
  return (away(a.place)?.m ?? Infinity) - (away(b.place)?.m ?? Infinity) || byHurry(a, b);
}

const EARTH_M = 6371008.8;
/**
 * Metres from here, or from my registered post where the phone does not say.
 * @param {{lon: number, lat: number} | null | undefined} place
 * @returns {{m: number, from: 'here' | 'post'} | null}
 */
export function away(place) {
  const from = state.here ?? state.me?.point;
  if (!from || !Number.isFinite(place?.lon) || !place) return null;
  const rad = Math.PI / 180;
  const h = Math.sin((place.lat - from.lat) * rad / 2) ** 2 + Math.cos(from.lat * rad) * Math.cos(place.lat * rad) * Math.sin((place.lon - from.lon) * rad / 2) ** 2;
  return { m: 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(h))), from: state.here ? 'here' : 'post' };
}
