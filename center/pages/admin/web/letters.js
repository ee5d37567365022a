// @ts-check
// Dead letters: why, what was in it, and trying again.

import { get, post } from '/static/common/api.js';
import { dialog, mine, myName, tell, toast, when } from '/static/common/office/frame.js';
import { table } from '/static/common/office/table.js';
import { language, t } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';

/** @typedef {{id: string, topic: string, code: string, reason: string, device: string | null, adapter: string, bytes: number, received_at: string, retry: {can: boolean, state: string, tries: number, again?: string | null, by?: string | null}}} Letter */

/** @type {Record<string, string>} */
const TONES = { new: '', cut: '', waiting: 'warn', failed: 'bad', done: 'good', registered: 'good', unregistered: 'warn' };

/** @param {Letter[]} letters @param {() => void} again */
async function retry(letters, again) {
  const said = await post('/api/v1/admin/dead-letters/retry', { items: letters.map((one) => ({ id: one.id, tries: one.retry.tries })), ...(myName() ? { by: myName() } : {}) });
  if (!tell(said)) return;
  const bad = said.answer.items.filter((/** @type {any} */ one) => !one.ok);
  if (bad.length) toast(mine(bad[0].reason), true); else toast(`${t('lTried')}: ${said.answer.items.length}`);
  setTimeout(again, 900); // by then the intake has usually worked on it
}

/** @param {Letter} letter @param {Record<string, {zh: string, en: string}>} codes @param {() => void} again */
async function open(letter, codes, again) {
  const body = el('div', {}, t('officeLoading'));
  const box = dialog(letter.id, body);
  try {
    const told = await get(`/api/v1/admin/dead-letters/${encodeURIComponent(letter.id)}`);
    const fact = (/** @type {string} */ name, /** @type {any} */ value) => [el('dt', {}, name), el('dd', {}, value)];
    body.replaceChildren(
      el('dl', { class: 'facts tall' }, ...fact(t('lWhat'), el('span', {}, el('b', {}, meaning(letter.code, codes)), el('br'), say(letter.reason))), ...fact(t('lTopic'), el('span', { class: 'mono' }, say(letter.topic))), ...fact(t('officeWhen'), when(letter.received_at, true)), ...fact(t('lSize'), `${told.bytes} ${t('lBytes')}`)),
      el('h3', {}, t(`lForm_${told.form}`), told.cut ? el('small', {}, ' ', t('lCut')) : null), el('pre', { tabindex: '0' }, say(told.text)),
      el('menu', {}, el('a', { class: 'button', href: `/api/v1/admin/dead-letters/${encodeURIComponent(letter.id)}/payload`, download: '' }, t('lDownload')), letter.retry.can ? el('button', { class: 'primary', onclick: () => { box.close(); retry([letter], again); } }, t('lRetry')) : null));
  } catch (error) { body.replaceChildren(el('p', { class: 'said' }, say(/** @type {Error} */ (error).message))); }
}

/** @param {string} code @param {Record<string, {zh: string, en: string}>} codes */
const meaning = (code, codes) => (codes[code] ? codes[code][language()] : code);

/** @param {import('./devices.js').Asked} asked */
export async function show({ said: { code, device, after }, change, again }) {
  const asked = new URLSearchParams(Object.entries({ kind: code, device, after, limit: '100' }).filter(([, value]) => value));
  /** @type {{items: Letter[], next: string | null, codes: Record<string, {zh: string, en: string}>}} */
  const found = await get(`/api/v1/admin/dead-letters?${asked}`);
  /** @type {Set<string>} */
  const chosen = new Set();
  return (/** @type {Record<string, string>} */ said) => {
    const all = /** @type {HTMLButtonElement} */ (el('button', { class: 'primary', id: 'retry-all', onclick: () => retry(found.items.filter((one) => chosen.has(one.id)), again) }, t('lRetryAll')));
    const count = () => { all.disabled = chosen.size === 0; all.textContent = chosen.size ? `${t('lRetryAll')} (${chosen.size})` : t('lRetryAll'); };
    count();
    const pick = el('select', { 'aria-label': t('lWhat'), onchange: (/** @type {any} */ event) => change({ code: event.target.value, after: '' }) }, el('option', { value: '' }, t('lAllCodes')), ...Object.keys(found.codes).map((name) => el('option', { value: name, selected: name === said.code }, meaning(name, found.codes))));
    const search = /** @type {HTMLInputElement} */ (el('input', { type: 'search', value: said.device, placeholder: t('officeDevice'), 'aria-label': t('officeDevice') }));
    const columns = [
      { key: 'pick', label: '', sorts: false, value: () => null, cell: (/** @type {Letter} */ row) => el('input', { type: 'checkbox', 'aria-label': `${t('lRetry')} ${row.id}`, checked: chosen.has(row.id), disabled: !row.retry.can, onchange: (/** @type {any} */ event) => { if (event.target.checked) chosen.add(row.id); else chosen.delete(row.id); count(); } }) },
      { key: 'received_at', label: t('officeWhen'), value: (/** @type {Letter} */ row) => row.received_at, cell: (/** @type {Letter} */ row) => when(row.received_at, true) },
      { key: 'code', label: t('lWhat'), value: (/** @type {Letter} */ row) => row.code, cell: (/** @type {Letter} */ row) => el('div', {}, el('b', {}, meaning(row.code, found.codes)), el('br'), el('small', {}, say(row.reason))) },
      { key: 'device', label: t('officeDevice'), value: (/** @type {Letter} */ row) => row.device, cell: (/** @type {Letter} */ row) => (row.device ? el('span', { class: 'mono' }, say(row.device)) : null) },
      { key: 'topic', label: t('lTopic'), value: (/** @type {Letter} */ row) => row.topic, cell: (/** @type {Letter} */ row) => el('small', { class: 'mono' }, say(row.topic)) },
      { key: 'bytes', label: t('lSize'), number: true, value: (/** @type {Letter} */ row) => row.bytes },
      { key: 'state', label: t('lState'), value: (/** @type {Letter} */ row) => row.retry.state, cell: (/** @type {Letter} */ row) => el('span', { class: 'tag', data: { tone: TONES[row.retry.state] ?? '' } }, t(`l_${row.retry.state}`)) },
      { key: 'do', label: '', sorts: false, value: () => null, cell: (/** @type {Letter} */ row) => el('span', { class: 'row' }, el('button', { onclick: () => open(row, found.codes, again) }, t('lShow')), row.retry.can ? el('button', { onclick: () => retry([row], again) }, t('lRetry')) : null) },
    ];
    return [el('section', { class: 'panel' }, el('div', { class: 'head' }, el('h2', {}, t('adLetters')), el('form', { class: 'row', role: 'search', onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); change({ device: search.value.trim(), after: '' }); } }, pick, search, el('button', {}, t('officeSearch'))), all),
      el('p', { class: 'soft' }, t('lText')), found.items.length ? table({ columns, rows: found.items, caption: t('adLetters'), sort: said.sort || '-received_at', onsort: (sort) => change({ sort }), id: (row) => row.id }) : el('p', { class: 'empty' }, t('lNone')),
      el('div', { class: 'pager' }, said.after ? el('button', { onclick: () => change({ after: '' }) }, t('dFirst')) : null, found.next ? el('button', { onclick: () => change({ after: found.next ?? '' }) }, t('dNext')) : null))];
  };
}
