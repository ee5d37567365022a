// @ts-check
// Every device: silent, faulty, offline, learning; a page at a time.

import { get } from '/static/common/api.js';
import { kindName, known, span, when } from '/static/common/office/frame.js';
import { table } from '/static/common/office/table.js';
import { t } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';

/** @typedef {{id: string, type: string, district: string, owner: string | null, site: string | null, lon: number, lat: number, reports_every_s: number | null, online: boolean | null, last_at: string | null, state: string, troubles: {what: string, since: string}[], conditions: {kind: string, text: string}[], learning: {kind: string, until: string}[]}} Device */
/** @typedef {{said: Record<string, string>, change: (changes: Record<string, string>) => void, again: () => void}} Asked */

/** @type {Record<string, string>} */
const TONES = { silent: 'bad', faulty: 'bad', offline: 'bad', degraded: 'warn', unheard: 'warn', learning: 'warn', ok: 'good' };

/** What it measured; loaded when first asked for. @param {string} device */
async function history(device) {
  const { openHistory } = await import('/static/common/history/history.js');
  await openHistory(device, { get, zone: known.city.timezone });
}

/** @param {Device} row */
function why(row) {
  return el('span', {}, ...row.troubles.map((one) => el('span', { class: 'line' }, t(`d_${one.what}`), ' ', t('dSince'), ' ', when(one.since), ' ')), ...row.conditions.map((one) => el('span', { class: 'line' }, kindName(one.kind), ': ', say(one.text), ' ')));
}

/** @param {Asked} asked */
export async function show({ said: { state, type, q, after }, change }) {
  const asked = new URLSearchParams(Object.entries({ state, type, q, after, limit: '100' }).filter(([, value]) => value));
  /** @type {{items: Device[], next: string | null, total: number, counts: Record<string, number>, types: string[]}} */
  const found = await get(`/api/v1/admin/devices?${asked}`);
  return (/** @type {Record<string, string>} */ said) => {
    const all = Object.values(found.counts).reduce((sum, n) => sum + n, 0);
    const tiles = el('div', { class: 'tiles', role: 'group', 'aria-label': t('dState') }, ...[['', all], ...Object.entries(found.counts)].map(([name, n]) =>
      el('button', { class: 'tile', 'aria-pressed': String(said.state === name), data: { state: String(name) }, onclick: () => change({ state: String(name), after: '' }) }, el('span', {}, t(`d_${name || 'all'}`)), el('b', {}, String(n)))));
    const search = /** @type {HTMLInputElement} */ (el('input', { type: 'search', value: said.q, placeholder: t('dSearch'), 'aria-label': t('officeSearch') }));
    const form = el('form', { class: 'row', role: 'search', onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); change({ q: search.value.trim(), after: '' }); } }, search,
      el('select', { 'aria-label': t('dType'), onchange: (/** @type {any} */ event) => change({ type: event.target.value, after: '' }) }, el('option', { value: '' }, `${t('dType')}: ${t('d_all')}`), ...found.types.map((name) => el('option', { value: name, selected: name === said.type }, name))), el('button', {}, t('officeSearch')));
    const columns = [
      { key: 'id', label: t('dDevice'), value: (/** @type {Device} */ row) => row.id, cell: (/** @type {Device} */ row) => el('button', { class: 'mono', title: t('dHistory'), data: { history: row.id }, onclick: () => { void history(row.id); } }, say(row.id)) },
      { key: 'state', label: t('dState'), value: (/** @type {Device} */ row) => Object.keys(TONES).indexOf(row.state), cell: (/** @type {Device} */ row) => el('span', { class: 'tag', data: { tone: TONES[row.state] } }, t(`d_${row.state}`)) },
      { key: 'type', label: t('dType'), value: (/** @type {Device} */ row) => row.type }, { key: 'district', label: t('dDistrict'), value: (/** @type {Device} */ row) => row.district },
      { key: 'last', label: t('dLast'), value: (/** @type {Device} */ row) => row.last_at, cell: (/** @type {Device} */ row) => when(row.last_at, true) },
      { key: 'every', label: t('dEvery'), number: true, value: (/** @type {Device} */ row) => row.reports_every_s, cell: (/** @type {Device} */ row) => (row.reports_every_s ? span(row.reports_every_s) : null) },
      { key: 'learning', label: t('dLearns'), sorts: false, value: (/** @type {Device} */ row) => row.learning.length, cell: (/** @type {Device} */ row) => (row.learning.length ? el('span', {}, ...row.learning.map((one) => el('span', { class: 'line' }, kindName(one.kind), ' ', t('dUntil'), ' ', when(one.until), ' '))) : null) },
      { key: 'why', label: t('dWhy'), sorts: false, value: () => null, cell: (/** @type {Device} */ row) => (row.troubles.length + row.conditions.length ? why(row) : null) },
      { key: 'owner', label: t('dOwner'), value: (/** @type {Device} */ row) => row.owner }, { key: 'site', label: t('dSite'), value: (/** @type {Device} */ row) => row.site },
    ];
    return [tiles, el('section', { class: 'panel' }, el('div', { class: 'head' }, el('h2', {}, t('adDevices'), ' ', el('small', {}, String(found.total))), form),
      el('p', { class: 'soft' }, t('dLearnText')), table({ columns, rows: found.items, caption: t('adDevices'), sort: said.sort, onsort: (sort) => change({ sort }), id: (row) => row.id }),
      el('div', { class: 'pager' }, `${found.items.length} / ${found.total}`, said.after ? el('button', { onclick: () => change({ after: '' }) }, t('dFirst')) : null, found.next ? el('button', { id: 'next', onclick: () => change({ after: found.next ?? '' }) }, t('dNext')) : null))];
  };
}
