// @ts-check
// Hot spots: the same window, the same drain, the same span.

import { get } from '/static/common/api.js';
import { kindName, when } from '/static/common/office/frame.js';
import { table } from '/static/common/office/table.js';
import { language, severityName, t } from '/static/common/i18n.js';
import { el, icon, say } from '/static/common/text.js';

/** @typedef {{kind: string, spot: string, zh: string, en: string, grid: string | null, grid_name: string, incidents: number, first_at: string, last_at: string, severity: number, lon: number, lat: number, tickets: string[]}} Spot */

/** @param {import('./figures.js').Asked} asked */
export async function show({ said: { kind: only }, query, change }) {
  const kind = only ? `&kind=${encodeURIComponent(only)}` : '';
  /** @type {{items: Spot[]}} */
  const { items } = await get(`/api/v1/analysis/spots?${query}${kind}`);
  /** @type {{items: {id: string}[]}} */
  const kinds = await get(`/api/v1/figures?by=kind&${query}`);
  return (/** @type {Record<string, string>} */ said) => {
    const pick = el('select', { 'aria-label': t('officeKind'), onchange: (/** @type {any} */ event) => change({ kind: event.target.value }) },
      el('option', { value: '' }, t('officeAll')), ...[...new Set([...kinds.items.map((one) => one.id), ...(said.kind ? [said.kind] : [])])].map((id) => el('option', { value: id, selected: id === said.kind }, kindName(id))));
    const columns = [
      { key: 'spot', label: t('spWhere'), value: (/** @type {Spot} */ row) => (language() === 'zh' ? row.zh : row.en), cell: (/** @type {Spot} */ row) => el('span', { class: 'row' }, icon(row.kind), say(language() === 'zh' ? row.zh : row.en)) },
      { key: 'kind', label: t('officeKind'), value: (/** @type {Spot} */ row) => kindName(row.kind) },
      { key: 'grid', label: t('officeGrid'), value: (/** @type {Spot} */ row) => row.grid_name },
      { key: 'incidents', label: t('spTimes'), number: true, value: (/** @type {Spot} */ row) => row.incidents, cell: (/** @type {Spot} */ row) => el('b', {}, String(row.incidents)) },
      { key: 'severity', label: t('severity'), value: (/** @type {Spot} */ row) => row.severity, cell: (/** @type {Spot} */ row) => el('span', { class: 'sev', data: { severity: String(row.severity) } }, severityName(row.severity)) },
      { key: 'first', label: t('spFirst'), value: (/** @type {Spot} */ row) => row.first_at, cell: (/** @type {Spot} */ row) => when(row.first_at) },
      { key: 'last', label: t('spLast'), value: (/** @type {Spot} */ row) => row.last_at, cell: (/** @type {Spot} */ row) => when(row.last_at) },
      { key: 'tickets', label: t('spTicketsCol'), sorts: false, value: (/** @type {Spot} */ row) => row.tickets.length, cell: (/** @type {Spot} */ row) => el('span', { class: 'row' }, ...row.tickets.slice(0, 5).map((id, i) => el('a', { class: 'numbered', href: `/?scope=all#${encodeURIComponent(id)}`, 'aria-label': `${t('spTicketsCol')} ${i + 1}: ${id}` }, `${i + 1}`)), row.tickets.length > 5 ? el('span', { class: 'soft' }, `+${row.incidents - 5}`) : null) },
    ];
    return [el('section', { class: 'panel' },
      el('div', { class: 'head' }, el('h2', {}, t('anSpots')), pick, el('a', { class: 'button noprint', href: `/api/v1/analysis/spots.csv?${query}${kind}`, download: '' }, t('officeCsv'))),
      el('p', { class: 'soft' }, t('spText')),
      items.length ? table({ columns, rows: items, caption: t('anSpots'), sort: said.sort || '-incidents', onsort: (sort) => change({ sort }), id: (row) => row.spot }) : el('p', { class: 'empty' }, t('spNone')))];
  };
}
