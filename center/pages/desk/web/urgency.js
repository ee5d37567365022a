// @ts-check
// Which tickets press: the clock that runs, whether it ran out, whether nobody has heard. The center
// decides the same in center/urgency.py for exports; a test holds the two together.

/** @import {Ticket, Step} from './types.js' */

export const OPEN = new Set(['detected', 'filed', 'dispatched', 'accepted', 'arrived', 'disposed', 'verified', 'returned', 'reworked', 'suspended']);
export const CLOCKS = ['accept', 'arrive', 'dispose', 'verify', 'close'];
/** The step that comes next in each stage, and the action that asks for it. @type {Record<string, string>} */
export const NEXT = { dispatched: 'accept', accepted: 'arrive', reworked: 'arrive', arrived: 'dispose', disposed: 'verify', verified: 'close' };
/** @type {Record<string, string>} */
const CLOCK_OF = { ...NEXT, suspended: 'close' };
const CAUSES = new Set(['detected', 'returned', 'reworked', 'escalated']);
const HANDLED = new Set(['accepted', 'arrived', 'disposed', 'verified', 'suspended']);

/**
 * @typedef {object} Facts
 * @property {{clock: string, at: number} | null} next the clock that runs, epoch ms
 * @property {{change: string, at: number}} cause what called for somebody last
 * @property {boolean} inHand somebody has taken it in hand since
 * @property {{by: string, at: number, until: number} | null} known the newest acknowledgement
 * @property {number} opened
 * @property {Step | null} sentBack who sent it back last, unless somebody took it since
 */

/** @type {WeakMap<object, Facts>} */
const found = new WeakMap();

/** What follows from a ticket alone. @param {Ticket} ticket @returns {Facts} */
export function factsOf(ticket) {
  const before = found.get(ticket);
  if (before) return before;
  const opened = Date.parse(ticket.opened_at);
  let cause = { change: 'detected', at: opened }, inHand = false;
  /** @type {Step | null} */
  let sentBack = null;
  for (const step of ticket.timeline ?? []) {
    if (CAUSES.has(step.change)) { cause = { change: step.change, at: Date.parse(step.at) }; inHand = false; }
    if (HANDLED.has(step.change)) { inHand = true; sentBack = null; }
    if (step.change === 'returned') sentBack = step;
  }
  const said = ticket.reason?.ladder?.acknowledged;
  const known = said?.by ? { by: String(said.by), at: Date.parse(said.at) || -1, until: Date.parse(said.until) } : null;
  const facts = { next: running(ticket), cause, inHand, known, opened, sentBack };
  found.set(ticket, facts);
  return facts;
}

/** @param {Ticket} ticket */
function running(ticket) {
  if (!OPEN.has(ticket.stage)) return null;
  for (const clock of CLOCKS.slice(CLOCKS.indexOf(CLOCK_OF[ticket.stage] ?? 'accept'))) {
    const at = ticket.deadlines?.[clock];
    if (at) return { clock, at: Date.parse(at) };
  }
  return null;
}

/** The clock that runs in this ticket's stage. @param {Ticket} ticket */
export const nextClock = (ticket) => factsOf(ticket).next;
/** @param {Ticket} ticket @param {number} now */
export const overdue = (ticket, now) => (factsOf(ticket).next?.at ?? Infinity) < now;

/** Whether its alarm sounds. @param {Ticket} ticket @param {number} now */
export function calls(ticket, now) {
  if (!OPEN.has(ticket.stage)) return false;
  const { cause, inHand } = factsOf(ticket);
  if (inHand || (ticket.parent && cause.change !== 'escalated')) return false;
  return acknowledged(ticket, now) === null;
}

/** The acknowledgement that still holds. @param {Ticket} ticket @param {number} now */
export function acknowledged(ticket, now) {
  const { known, cause } = factsOf(ticket);
  return known && known.at >= cause.at && known.until > now ? known : null;
}

/** Late ones first, then by severity and the time that is left. @param {number} now */
export const byUrgency = (now) => /** @param {Ticket} a @param {Ticket} b */ (a, b) => {
  const [x, y] = [factsOf(a), factsOf(b)], [dueA, dueB] = [x.next?.at ?? Infinity, y.next?.at ?? Infinity];
  return Number(dueB < now) - Number(dueA < now) || b.severity - a.severity || (dueA === dueB ? 0 : dueA - dueB) || y.opened - x.opened || (a.id < b.id ? -1 : 1);
};
/** @param {Ticket} a @param {Ticket} b */
export const byAge = (a, b) => factsOf(b).opened - factsOf(a).opened || (a.id < b.id ? 1 : -1);
