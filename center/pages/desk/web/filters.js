// @ts-check
// What the list shows: read from the page's address and written into it, so that it can be shared
// and the browser's back button works.

/** @import {Filters, Ticket} from './types.js' */

import { both, language } from '/static/common/i18n.js';
import { gridName, state, utilityName, workerName } from './state.js';
import { calls, factsOf, overdue } from './urgency.js';

const SHOWS = ['overdue', 'unacknowledged', 'mine'];
/** @type {Filters} */
export const NONE = { sort: 'urgent', scope: 'open', kind: null, stage: null, severity: [], grid: null, utility: null, show: null, q: '' };

/** The filters in an address. @param {URLSearchParams} params @returns {Filters} */
export function fromAddress(params) {
  const show = params.get('show');
  return {
    sort: params.get('sort') === 'newest' ? 'newest' : 'urgent',
    scope: params.get('scope') === 'all' ? 'all' : 'open',
    kind: params.get('kind'), stage: params.get('stage'), grid: params.get('grid'), utility: params.get('utility'),
    severity: (params.get('severity') ?? '').split(',').map(Number).filter((n) => n >= 1 && n <= 5),
    show: /** @type {Filters['show']} */ (show && SHOWS.includes(show) ? show : null),
    q: params.get('q') ?? '',
  };
}

/** The address of these filters and this ticket. @param {Filters} filters @param {string | null} selected */
export function toAddress(filters, selected) {
  const params = new URLSearchParams();
  for (const name of /** @type {const} */ (['kind', 'stage', 'grid', 'utility', 'show', 'q'])) {
    const value = filters[name];
    if (value) params.set(name, value);
  }
  if (filters.severity.length) params.set('severity', [...filters.severity].sort((a, b) => b - a).join(','));
  if (filters.sort !== NONE.sort) params.set('sort', filters.sort);
  if (filters.scope !== NONE.scope) params.set('scope', filters.scope);
  const query = params.toString().replaceAll('%2C', ',');
  return `${location.pathname}${query ? `?${query}` : ''}${selected ? `#${encodeURIComponent(selected)}` : ''}`;
}

/** The same as an export asks for it. @param {Filters} filters */
export function exportAddress(filters) {
  const params = new URLSearchParams();
  for (const [name, value] of [['kind', filters.kind], ['stage', filters.stage], ['inside', filters.grid], ['utility', filters.utility], ['show', filters.show], ['q', filters.q.trim()]]) {
    if (name && value) params.set(name, value);
  }
  if (filters.severity.length) params.set('severities', filters.severity.join(','));
  if (filters.scope === 'open') params.set('open', '1');
  return `/api/v1/tickets.csv?${params}`;
}

/** How many filters are set (the sorting and the scope are none). @param {Filters} filters */
export const countSet = (filters) => [filters.kind, filters.stage, filters.grid, filters.utility, filters.show, filters.q.trim(), filters.severity.length].filter(Boolean).length;

/** Whether a ticket passes. @param {Filters} filters @param {number} now @returns {(ticket: Ticket) => boolean} */
export function inFilters(filters, now) {
  /** @type {((ticket: Ticket) => boolean)[]} */
  const tests = [];
  const { kind, stage, grid, utility, show, severity } = filters;
  if (kind) tests.push((ticket) => ticket.kind === kind);
  if (stage) tests.push((ticket) => ticket.stage === stage);
  if (utility) tests.push((ticket) => ticket.utility === utility);
  if (severity.length) tests.push((ticket) => severity.includes(ticket.severity));
  if (grid) tests.push((ticket) => lies(ticket.grid, grid));
  if (show === 'overdue') tests.push((ticket) => overdue(ticket, now));
  if (show === 'unacknowledged') tests.push((ticket) => calls(ticket, now));
  if (show === 'mine') tests.push(isMine);
  const words = filters.q.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length) tests.push((ticket) => { const text = textOf(ticket); return words.every((word) => text.includes(word)); });
  return (ticket) => tests.every((test) => test(ticket));
}

/** Whether a grid is another one or lies in it. @param {string | null} grid @param {string} within */
export function lies(grid, within) {
  /** @type {string | null | undefined} */
  let at = grid;
  for (let depth = 0; at && depth < 12; depth += 1) {
    if (at === within) return true;
    at = state.gridParents.get(at);
  }
  return false;
}

/** In whose name we act: our own, or the center's where nobody has an account. */
export const myName = () => (state.me?.account ? state.me.name : 'center');
/** @param {Ticket} ticket */
function isMine(ticket) {
  const name = myName();
  return factsOf(ticket).known?.by === name || (ticket.timeline ?? []).some((step) => step.by === name);
}

/** @type {WeakMap<Ticket, {key: string, text: string}>} */
const texts = new WeakMap();
/** @param {Ticket} ticket */
function textOf(ticket) {
  const key = `${language()}|${state.gridNames.size}`, known = texts.get(ticket);
  if (known?.key === key) return known.text;
  const kind = state.city.kinds[ticket.kind] ?? {}, reason = ticket.reason ?? {};
  const text = [ticket.id, ticket.code, ticket.kind, kind.zh, kind.en, ticket.grid, gridName(ticket.grid), ticket.place?.address, ticket.worker, workerName(ticket.worker),
    ticket.utility, utilityName(ticket.utility), both(reason.worker), both(reason.utility)].filter(Boolean).join(' ').toLowerCase();
  texts.set(ticket, { key, text });
  return text;
}
