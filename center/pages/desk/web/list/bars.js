// @ts-check
// What stands above the queue: filters, search, what is done to many at once, and the counts.

/** @import {Filters, On, Ticket} from '../types.js' */

import { severityName, stageName, t } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';
import { countSet, exportAddress, NONE } from '../filters.js';
import { gridName, now, openTickets, state, utilityName, visibleTickets } from '../state.js';
import { calls, OPEN, overdue } from '../urgency.js';
import { kindName } from '../words.js';

/** @template {HTMLElement} T @param {string} selector */
const $ = (selector) => /** @type {T} */ (document.querySelector(selector));
const MOST_GRIDS = 400;

/** @param {On} on */
export function initBars(on) {
  const box = /** @type {HTMLInputElement} */ ($('#q'));
  box.addEventListener('input', () => on.filter({ q: box.value }));
  for (const name of /** @type {const} */ (['stage', 'grid', 'utility'])) {
    const select = /** @type {HTMLSelectElement} */ ($(`#by-${name}`));
    select.addEventListener('change', () => on.filter({ [name]: select.value || null }));
  }
  $('#clear').addEventListener('click', () => on.filter({ ...NONE, sort: state.filters.sort, scope: state.filters.scope }));
  $('#bulk').addEventListener('click', () => { $('#bulk').dispatchEvent(new CustomEvent('bulk', { bubbles: true })); });
}

/** @param {On} on */
export function renderBars(on) {
  const { filters } = state, open = openTickets(), moment = now();
  const base = filters.scope === 'all' ? [...state.tickets.values()] : open;
  const kinds = count(base, (ticket) => ticket.kind);
  /** @param {string} key @param {unknown} value @param {any} label @param {boolean} [pressed] @param {any} [next] */
  const toggle = (key, value, label, pressed = filters[/** @type {keyof Filters} */ (key)] === value, next = value) =>
    el('button', { 'aria-pressed': String(pressed), data: { value: String(value ?? '') }, onclick: () => on.filter({ [key]: next }) }, label);
  swap('#sort', [['urgent', 'urgent'], ['newest', 'newest']].map(([v, k]) => toggle('sort', v, t(k))));
  swap('#scope', [['open', 'open'], ['all', 'all']].map(([v, k]) => toggle('scope', v, t(k))));
  if (filters.kind && !kinds.has(filters.kind)) kinds.set(filters.kind, 0);
  swap('#kinds', [[null, 0], ...[...kinds].sort((a, b) => b[1] - a[1])].map(([kind, n]) =>
    toggle('kind', kind, kind === null ? t('allKinds') : el('span', {}, say(kindName(String(kind))), ' ', el('b', {}, String(n))))));
  const severities = count(open, (ticket) => ticket.severity);
  swap('#severities', [5, 4, 3, 2, 1].map((n) => {
    const pressed = filters.severity.includes(n);
    const node = toggle('severity', n, el('span', {}, el('i'), severityName(n), ' ', el('b', {}, String(severities.get(n) ?? 0))), pressed, pressed ? filters.severity.filter((one) => one !== n) : [...filters.severity, n]);
    node.dataset.severity = String(n);
    return node;
  }));
  const late = open.filter((ticket) => overdue(ticket, moment)).length, unheard = open.filter((ticket) => calls(ticket, moment)).length;
  swap('#shows', [['unacknowledged', 'unheard', unheard], ['overdue', 'overdue', late], ['mine', 'mine', null]].map(([value, word, n]) =>
    toggle('show', value, el('span', {}, t(String(word)), n === null ? '' : ' ', n === null ? null : el('b', { class: n ? 'some' : '' }, String(n))), filters.show === value, filters.show === value ? null : value)));
  choices('#by-stage', 'allStages', [...count(base, (ticket) => ticket.stage)].map(([stage]) => [stage, stageName(stage)]), filters.stage);
  choices('#by-utility', 'allUtilities', [...count(base, (ticket) => ticket.utility)].filter(([id]) => id).map(([id]) => [String(id), utilityName(String(id)) ?? '']), filters.utility);
  choices('#by-grid', 'allGrids', gridsOf(base), filters.grid);
  const box = /** @type {HTMLInputElement} */ ($('#q'));
  if (box.value !== filters.q && document.activeElement !== box) box.value = filters.q;
  const shown = visibleTickets();
  $('#shown').textContent = shown.length === open.length && !countSet(filters) ? '' : `${shown.length} / ${base.length}`;
  $('#clear').hidden = countSet(filters) === 0;
  $('#clear').textContent = t('clearFilters');
  /** @type {HTMLAnchorElement} */ ($('#csv')).href = exportAddress(filters);
  renderBulk(shown, moment);
  swap('#counts', [el('span', { class: 'total' }, el('b', {}, String(open.length)), ' ', t('open')),
    el('span', { class: 'count late', data: { some: String(late > 0) } }, t('overdue'), ' ', el('b', {}, String(late))),
    ...[5, 4, 3, 2, 1].filter((n) => severities.get(n)).map((n) => el('span', { class: 'count', data: { severity: String(n) } }, el('i'), severityName(n), ' ', el('b', {}, String(severities.get(n)))))]);
}

/** The tickets that "acknowledge" means in the bar: those chosen, else all shown that call. @param {Ticket[]} shown @param {number} moment */
export function bulkOf(shown = visibleTickets(), moment = now()) {
  const picked = [...state.picked].map((id) => state.tickets.get(id)).filter((ticket) => ticket !== undefined && OPEN.has(ticket.stage));
  const list = picked.length ? picked : shown.filter((ticket) => calls(ticket, moment));
  return { ids: list.map((ticket) => /** @type {Ticket} */ (ticket).id), picked: picked.length > 0 };
}
/** @param {Ticket[]} shown @param {number} moment */
function renderBulk(shown, moment) {
  const { ids, picked } = bulkOf(shown, moment), button = $('#bulk');
  button.hidden = ids.length === 0;
  const text = t(picked ? 'bulkPicked' : 'bulkAll').replace('{n}', String(ids.length));
  if (button.textContent !== text) button.textContent = text;
}

/** @template K @param {Ticket[]} tickets @param {(ticket: Ticket) => K} key @returns {Map<K, number>} */
function count(tickets, key) {
  /** @type {Map<K, number>} */
  const found = new Map();
  for (const ticket of tickets) found.set(key(ticket), (found.get(key(ticket)) ?? 0) + 1);
  return found;
}

/** The grids of these tickets with all that they lie in, as a tree. @param {Ticket[]} tickets @returns {[string, string][]} */
function gridsOf(tickets) {
  /** @type {Set<string>} */
  const ids = new Set();
  for (const ticket of tickets) for (let at = ticket.grid; at && !ids.has(at); at = state.gridParents.get(at) ?? null) ids.add(at);
  /** @type {Map<string | null, string[]>} */
  const below = new Map();
  for (const id of ids) { const up = state.gridParents.get(id) ?? null; below.set(up, [...(below.get(up) ?? []), id]); }
  /** @type {[string, string][]} */
  const rows = [];
  const walk = (/** @type {string | null} */ up, /** @type {number} */ depth) => {
    for (const id of (below.get(up) ?? []).sort((a, b) => gridName(a).localeCompare(gridName(b)))) {
      if (rows.length >= MOST_GRIDS) return;
      rows.push([id, `${'\u2003'.repeat(depth)}${gridName(id)}`]);
      walk(id, depth + 1);
    }
  };
  walk(null, 0);
  return rows;
}

/** @param {string} selector @param {string} none @param {[string, string][]} rows @param {string | null} chosen */
function choices(selector, none, rows, chosen) {
  const select = /** @type {HTMLSelectElement} */ ($(selector));
  if (chosen && !rows.some(([id]) => id === chosen)) rows.push([chosen, selector === '#by-grid' ? gridName(chosen) : chosen]);
  const look = JSON.stringify([t(none), rows]);
  if (select.dataset.shown !== look) {
    select.dataset.shown = look;
    select.replaceChildren(el('option', { value: '' }, t(none)), ...rows.map(([id, text]) => el('option', { value: id }, text)));
  }
  select.setAttribute('aria-label', t(none));
  if (select.value !== (chosen ?? '')) select.value = chosen ?? '';
  select.dataset.set = String(Boolean(chosen));
}

/** Replace a group's children only when they would look different (keeps focus). @param {string} selector @param {HTMLElement[]} nodes */
export function swap(selector, nodes) {
  const group = $(selector), next = el('div', {}, ...nodes), look = next.innerHTML;
  if (group.dataset.shown === look) return;
  const value = group.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.value : null;
  group.dataset.shown = look;
  group.replaceChildren(...next.childNodes);
  if (value !== null) /** @type {HTMLElement[]} */ ([...group.children]).find((node) => node.dataset.value === value)?.focus();
}
