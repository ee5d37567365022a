// @ts-check
// What grids think of the departments' work.

import { get } from '/static/common/api.js';
import { dialog } from '/static/common/office/frame.js';
import { bar, table } from '/static/common/office/table.js';
import { t } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';

/** @typedef {{utility: string, utility_name: string, grid: string | null, grid_name: string, n: number, score: number, satisfaction: number | null, satisfied: number}} Rating */
/** @typedef {{utility: string, name: string, n: number, score: number, satisfied: number, satisfaction: number | null, grids: Rating[]}} Department */

/** @param {Rating[]} items @returns {Department[]} */
function departments(items) {
  /** @type {Map<string, Rating[]>} */
  const groups = new Map();
  for (const item of items) groups.set(item.utility, [...(groups.get(item.utility) ?? []), item]);
  return [...groups].map(([utility, grids]) => {
    const n = grids.reduce((sum, one) => sum + one.n, 0), rated = grids.filter((one) => one.satisfaction !== null);
    return {
      utility, grids, n, name: grids[0].utility_name, score: grids.reduce((sum, one) => sum + one.score * one.n, 0) / n, satisfied: grids.reduce((sum, one) => sum + one.satisfied, 0),
      satisfaction: rated.length ? rated.reduce((sum, one) => sum + (one.satisfaction ?? 0) * one.n, 0) / rated.reduce((sum, one) => sum + one.n, 0) : null,
    };
  });
}

/** @param {Department} department */
function open(department) {
  const columns = [
    { key: 'grid', label: t('officeGrid'), value: (/** @type {Rating} */ row) => row.grid_name || row.grid },
    { key: 'n', label: t('raN'), number: true, value: (/** @type {Rating} */ row) => row.n },
    { key: 'score', label: t('raMean'), number: true, value: (/** @type {Rating} */ row) => row.score, cell: (/** @type {Rating} */ row) => bar(row.score / 5, row.score.toFixed(2)) },
    { key: 'satisfaction', label: t('raResidents'), number: true, value: (/** @type {Rating} */ row) => row.satisfaction, cell: (/** @type {Rating} */ row) => row.satisfaction?.toFixed(2) },
  ];
  dialog(`${department.name} · ${t('raByGrid')}`, table({ columns, rows: department.grids, caption: t('raByGrid'), sort: '-score' }));
}

/** @param {import('./figures.js').Asked} asked */
export async function show({ query, change }) {
  /** @type {{items: Rating[]}} */
  const { items } = await get(`/api/v1/analysis/ratings?${query}`);
  return (/** @type {Record<string, string>} */ said) => {
    const rows = departments(items);
    /** @param {Department} row @param {number} i */
    const end = (row, i) => { const one = [...row.grids].sort((a, b) => b.score - a.score).at(i); return row.grids.length > 1 && one ? `${one.grid_name || one.grid} ${one.score.toFixed(1)}` : null; };
    const columns = [
      { key: 'name', label: t('raDept'), value: (/** @type {Department} */ row) => row.name, cell: (/** @type {Department} */ row) => el('button', { onclick: () => open(row) }, say(row.name)) },
      { key: 'n', label: t('raN'), number: true, value: (/** @type {Department} */ row) => row.n },
      { key: 'score', label: t('raMean'), number: true, value: (/** @type {Department} */ row) => row.score, cell: (/** @type {Department} */ row) => bar(row.score / 5, row.score.toFixed(2)) },
      { key: 'satisfied', label: t('raSatisfied'), number: true, value: (/** @type {Department} */ row) => row.satisfied / row.n, cell: (/** @type {Department} */ row) => bar(row.satisfied / row.n) },
      { key: 'satisfaction', label: t('raResidents'), number: true, value: (/** @type {Department} */ row) => row.satisfaction, cell: (/** @type {Department} */ row) => row.satisfaction?.toFixed(2) },
      { key: 'best', label: t('raBest'), sorts: false, value: (/** @type {Department} */ row) => end(row, 0) },
      { key: 'worst', label: t('raWorst'), sorts: false, value: (/** @type {Department} */ row) => end(row, -1) },
    ];
    return [el('section', { class: 'panel' },
      el('div', { class: 'head' }, el('h2', {}, t('anRatings')), el('a', { class: 'button noprint', href: `/api/v1/analysis/ratings.csv?${query}`, download: '' }, t('officeCsv'))),
      el('p', { class: 'soft' }, t('raText')), table({ columns, rows, caption: t('anRatings'), sort: said.sort || '-score', onsort: (sort) => change({ sort }) }))];
  };
}
