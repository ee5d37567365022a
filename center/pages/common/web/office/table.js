// @ts-check
// Tables that sort, with figures that line up.

import { t } from '../i18n.js';
import { el, say } from '../text.js';

/**
 * @template T
 * @typedef {{
 *   key: string, label: string, value: (row: T) => any, cell?: (row: T) => any, number?: boolean,
 *   sorts?: boolean, hint?: string
 * }} Column
 * `value` is sorted by and, without a `cell`, shown.
 */

/**
 * @template T
 * @param {{columns: Column<T>[], rows: T[], caption: string, sort?: string, onsort?: (key: string) => void, foot?: T | null,
 *   id?: (row: T) => string, wide?: boolean}} given `sort` is `key` or `-key` (largest first)
 */
export function table({ columns, rows, caption, sort = '', onsort, foot = null, id, wide = false }) {
  const by = columns.find((column) => column.key === sort.replace(/^-/, ''));
  const shown = by ? sorted(rows, by.value, sort.startsWith('-')) : rows;
  /** @param {Column<T>} column */
  const head = (column) => {
    const direction = column !== by ? 'none' : sort.startsWith('-') ? 'descending' : 'ascending';
    const sorts = onsort && column.sorts !== false;
    return el('th', { scope: 'col', class: column.number ? 'number' : null, 'aria-sort': sorts ? direction : null, title: column.hint ?? null },
      sorts ? el('button', { class: 'sorter', data: { direction, key: column.key }, onclick: () => onsort(next(column, sort)) }, column.label) : column.label);
  };
  /** @param {T} row @param {boolean} [last] */
  const line = (row, last = false) => el('tr', { data: id && !last ? { id: id(row) } : {} }, ...columns.map((column, i) => {
    const given = column.cell ? column.cell(row) : column.value(row);
    const shownAs = given === null || given === undefined || given === '' ? '–' : given;
    return el(i === 0 ? 'th' : 'td', { scope: i === 0 ? 'row' : null, class: column.number ? 'number' : null }, typeof shownAs === 'object' ? shownAs : say(shownAs));
  }));
  return el('div', { class: wide ? 'scroll wide' : 'scroll', tabindex: '0', role: 'region', 'aria-label': caption },
    el('table', {}, el('caption', { class: 'unseen' }, caption),
      el('thead', {}, el('tr', {}, ...columns.map(head))),
      el('tbody', {}, ...(shown.length ? shown.map((row) => line(row)) : [el('tr', {}, el('td', { colspan: String(columns.length), class: 'none' }, t('officeNone')))])),
      foot ? el('tfoot', {}, line(foot, true)) : null));
}

/** @param {Column<any>} column @param {string} sort */
function next(column, sort) {
  const first = column.number ? `-${column.key}` : column.key;
  if (sort.replace(/^-/, '') !== column.key) return first;
  return sort.startsWith('-') ? column.key : `-${column.key}`;
}

/** @template T @param {T[]} rows @param {(row: T) => any} value @param {boolean} down */
export function sorted(rows, value, down) {
  /** @param {any} v */
  const empty = (v) => v === null || v === undefined || v === '';
  return [...rows].sort((one, other) => {
    const a = value(one), b = value(other);
    if (empty(a) || empty(b)) return Number(empty(a)) - Number(empty(b)); // what is not known stands last
    const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'zh-Hans-CN', { numeric: true });
    return down ? -order : order;
  });
}

/** A share as a bar with its figure. @param {number | null} share 0 to 1 @param {string} [text] */
export function bar(share, text) {
  if (share === null || share === undefined) return '–';
  const fill = el('i');
  fill.style.width = `${Math.round(share * 1000) / 10}%`;
  return el('span', { class: 'share' }, el('span', { class: 'track', 'aria-hidden': 'true' }, fill), el('span', { class: 'figure' }, text ?? percent(share)));
}
/** @param {number | null | undefined} share */
export const percent = (share) => (share === null || share === undefined ? '–' : `${(share * 100).toFixed(share > 0.9995 || share < 0.0005 ? 0 : 1)}%`);

/** Buttons of which one is pressed. @param {string} label @param {[string, any][]} choices @param {string} chosen @param {(value: string) => void} choose */
export function segmented(label, choices, chosen, choose) {
  return el('div', { class: 'segmented', role: 'group', 'aria-label': label }, ...choices.map(([value, text]) =>
    el('button', { type: 'button', 'aria-pressed': String(value === chosen), data: { value }, onclick: () => choose(value) }, text)));
}
