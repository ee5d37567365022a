// @ts-check
// The two logs, newest first.

import { get } from '/static/common/api.js';
import { has, t } from '/static/common/i18n.js';
import { when } from '/static/common/office/frame.js';
import { table } from '/static/common/office/table.js';
import { el, say } from '/static/common/text.js';
import { search } from './accounts.js';

const ACTIONS = ['login', 'login_failed', 'logout', 'account_added', 'account_changed', 'account_disabled', 'account_enabled', 'password_changed', 'password_reset', 'sessions_ended', 'filed'];
/** @param {string} action */
const named = (action) => (has(`act_${action}`) ? t(`act_${action}`) : action);

/** @param {string} path @param {any} asked @param {(items: any[]) => Node[]} draw */
async function paged(path, asked, draw) {
  let { items, next } = await get(path);
  return () => [...draw(items), next ? el('p', { class: 'row' }, el('button', { onclick: async () => { const more = await get(`${path}&before=${next}`); items = [...items, ...more.items]; next = more.next; asked.change({}); } }, t('usMore'))) : el('span')];
}

/** What changed, as a person reads it. @param {any} detail */
function told(detail) {
  return Object.entries(detail).filter(([key]) => key !== 'command').map(([key, value]) =>
    `${key}: ${Array.isArray(value) && value.length === 2 && key !== 'grids' ? `${text(value[0])} → ${text(value[1])}` : text(value)}`).join('; ');
}
/** @param {any} value */
const text = (value) => (value === null || value === '' ? '–' : Array.isArray(value) ? value.join(', ') || '–' : String(value));

/** @param {any} asked */
export function audit(asked) {
  const { said, change } = asked;
  const query = new URLSearchParams({ limit: '100', ...(said.action ? { action: said.action } : {}), ...(said.account ? { account: said.account } : {}) });
  return paged(`/api/v1/audit?${query}`, asked, (items) => [el('section', { class: 'panel' },
    el('div', { class: 'head' }, el('label', { class: 'row' }, t('usAction'), el('select', { onchange: (/** @type {any} */ event) => change({ action: event.target.value }) }, el('option', { value: '' }, t('usAll')), ...ACTIONS.map((one) => el('option', { value: one, selected: one === said.action }, named(one)))))),
    table({ caption: t('usAudit'), rows: items, columns: [
      { key: 'at', label: t('usWhen'), value: (row) => when(row.at, true) },
      { key: 'who', label: t('usWho'), value: (row) => row.who },
      { key: 'action', label: t('usAction'), value: (row) => named(row.action), cell: (row) => el('span', { class: 'tag', data: row.action === 'login_failed' ? { tone: 'bad' } : {} }, named(row.action)) },
      { key: 'subject', label: t('usSubject'), value: (row) => row.detail.name ?? row.subject },
      { key: 'detail', label: t('usDetail'), value: (row) => told(row.detail), cell: (row) => el('span', { class: 'detail' }, say(told(row.detail))) },
      { key: 'address', label: t('usAddress'), value: (row) => row.address },
    ] }))]);
}

/** @param {any} asked */
export function views(asked) {
  const { said, change } = asked;
  const query = new URLSearchParams({ limit: '100', ...(said.q ? { q: said.q } : {}), ...(said.account ? { account: said.account } : {}) });
  return paged(`/api/v1/accesses?${query}`, asked, (items) => [el('section', { class: 'panel' },
    el('p', { class: 'soft' }, t('usViewsText')),
    el('div', { class: 'head' }, search(t('usViewsSearch'), said.q, (q) => change({ q }))),
    table({ caption: t('usViews'), rows: items, columns: [
      { key: 'at', label: t('usWhen'), value: (row) => when(row.at, true) },
      { key: 'who', label: t('usWho'), value: (row) => row.who },
      { key: 'what', label: t('usWhat'), value: (row) => row.what, cell: (row) => el('span', { class: 'detail' }, say(row.what)) },
      { key: 'reason', label: t('usReason'), value: (row) => row.reason },
      { key: 'address', label: t('usAddress'), value: (row) => row.address },
    ] }))]);
}
