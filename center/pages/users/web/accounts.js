// @ts-check
// The list of accounts, and the sheet in which one is made or changed.

import { get, post } from '/static/common/api.js';
import { language, t } from '/static/common/i18n.js';
import { dialog, known, mine, tell, toast, when } from '/static/common/office/frame.js';
import { table } from '/static/common/office/table.js';
import { el, say } from '/static/common/text.js';
import { browser } from './browser.js';

export const ROLES = ['viewer', 'reporter', 'resident', 'worker', 'utility', 'operator', 'head', 'admin'];
/** @typedef {{id: string, name: string}} Area */

/** @param {any} row */
const called = (row) => (language() === 'zh' ? row.display_zh || row.display_en : row.display_en || row.display_zh);
/** @param {any} row */
const state = (row) => (row.disabled ? t('usDisabled') : row.must_change ? t('usMust') : row.oidc ? t('usOidc') : t('usActive'));

/** A line in which words are looked for. @param {string} label @param {string} value @param {(words: string) => void} find */
export function search(label, value, find) {
  const input = /** @type {HTMLInputElement} */ (el('input', { type: 'search', value, 'aria-label': label, placeholder: label, size: '34' }));
  return el('form', { class: 'row', role: 'search', onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); find(input.value.trim()); } }, input, el('button', {}, t('usFind')));
}

/** @param {any} asked */
export async function accounts(asked) {
  const { said, change, again } = asked;
  const path = (/** @type {string} */ after) => `/api/v1/accounts?limit=100${said.q ? `&q=${encodeURIComponent(said.q)}` : ''}${after ? `&after=${encodeURIComponent(after)}` : ''}`;
  const page = await get(path(''));
  let { items, next } = page;
  return () => [
    el('section', { class: 'panel' },
      el('div', { class: 'head' }, search(t('usSearch'), said.q, (q) => change({ q })), el('span', { class: 'grow' }), el('button', { class: 'primary', id: 'new', onclick: () => sheet(null, again) }, t('usNew'))),
      table({ caption: t('usAccounts'), rows: items, id: (row) => row.id, columns: [
        { key: 'name', label: t('usName'), value: (row) => row.name },
        { key: 'called', label: t('usCalled'), value: called },
        { key: 'role', label: t('usRole'), value: (row) => t(`role_${row.role}`) },
        { key: 'area', label: t('usArea'), value: (row) => (row.areas.length ? row.areas.map((/** @type {Area} */ area) => area.name).join('、') : t('usEverywhere')) },
        { key: 'of', label: t('usOf'), value: (row) => row.worker_name ?? row.utility_name ?? row.worker ?? row.utility },
        { key: 'state', label: t('usState'), value: state, cell: (row) => el('span', { class: 'tag', data: row.disabled ? { tone: 'bad' } : row.must_change ? { tone: 'warn' } : {} }, state(row)) },
        { key: 'seen', label: t('usSeen'), value: (row) => (row.seen_at ? when(row.seen_at) : t('usNever')) },
        { key: 'edit', label: t('usEdit'), value: () => '', cell: (row) => el('button', { 'aria-label': `${t('usEdit')}: ${row.name}`, onclick: async () => sheet(await get(`/api/v1/accounts/${row.id}`), again) }, t('usEdit')) },
      ] }),
      next ? el('p', { class: 'row' }, el('button', { onclick: async () => { const more = await get(path(next)); items = [...items, ...more.items]; next = more.next; change({}); } }, t('usMore'))) : ''),
  ];
}

/** @param {any} account null: a new one @param {() => void} again */
function sheet(account, again) {
  /** @type {Area[]} */
  let areas = account ? [...account.areas] : [];
  const wrong = el('p', { class: 'wrong', role: 'alert' });
  const input = (/** @type {string} */ value, /** @type {any} */ more = {}) => /** @type {HTMLInputElement} */ (el('input', { value: value ?? '', maxlength: '64', ...more }));
  const name = input('', { required: true, autocapitalize: 'none', spellcheck: 'false', autocomplete: 'off' });
  const zh = input(account?.display_zh), en = input(account?.display_en);
  const role = /** @type {HTMLSelectElement} */ (el('select', { id: 'role' }, ...ROLES.map((one) => el('option', { value: one, selected: one === (account?.role ?? 'operator') }, `${t(`role_${one}`)} – ${t(`roleHint_${one}`)}`))));
  const worker = input(account?.worker, { list: 'workers' }), utility = /** @type {HTMLSelectElement} */ (el('select', {}, el('option', { value: '' }, '–'), ...Object.entries(known.city.utilities).map(([id, one]) => el('option', { value: id, selected: id === account?.utility }, one.name))));
  const originals = /** @type {HTMLInputElement} */ (el('input', { type: 'checkbox', checked: Boolean(account?.originals) }));
  const chosen = el('div', { class: 'areas' }), found = el('div', { class: 'found', 'aria-live': 'polite' });
  const find = input('', { type: 'search', 'aria-label': t('usAddArea'), placeholder: t('usAddArea') });
  const workerLine = el('label', {}, t('usWorkerId'), worker), utilityLine = el('label', {}, t('usUtilityId'), utility), originalsLine = el('label', { class: 'check whole' }, originals, t('usOriginals'));

  function fit() {
    workerLine.hidden = role.value !== 'worker'; utilityLine.hidden = role.value !== 'utility';
    originalsLine.hidden = !['operator', 'head', 'admin'].includes(role.value);
    chosen.replaceChildren(...(areas.length ? areas.map((area) => el('button', { type: 'button', 'aria-label': `${t('usRemove')}: ${area.name}`, onclick: () => { areas = areas.filter((one) => one.id !== area.id); fit(); } }, say(area.name), ' ×')) : [el('span', {}, t('usEverywhere'))]));
  }
  let turn = 0;
  find.addEventListener('input', async () => {
    const asked = (turn += 1), words = find.value.trim();
    const rows = words ? await get(`/api/v1/grid-names?q=${encodeURIComponent(words)}`) : [];
    if (asked !== turn) return;
    found.replaceChildren(...rows.filter((/** @type {Area} */ row) => !areas.some((area) => area.id === row.id)).map((/** @type {any} */ row) => el('button', { type: 'button', onclick: () => { areas.push(row); find.value = ''; found.replaceChildren(); fit(); find.focus(); } }, '+ ', say(row.name), el('small', {}, ` ${row.id}`))));
  });
  find.addEventListener('keydown', (event) => { if (event.key === 'Enter') { event.preventDefault(); /** @type {HTMLElement | null} */ (found.querySelector('button'))?.click(); } });
  role.addEventListener('change', fit);
  fit();

  async function save(/** @type {Event} */ event) {
    event.preventDefault();
    wrong.textContent = '';
    const mayOriginals = ['operator', 'head', 'admin'].includes(role.value);
    const body = { role: role.value, display_zh: zh.value.trim(), display_en: en.value.trim(), grids: areas.map((area) => area.id), worker: role.value === 'worker' ? worker.value.trim() || null : null, utility: role.value === 'utility' ? utility.value || null : null, originals: mayOriginals && originals.checked };
    const { status, answer } = account ? await post(`/api/v1/accounts/${account.id}`, body, 'PATCH') : await post('/api/v1/accounts', { name: name.value.trim(), ...body });
    if (status >= 400) { wrong.replaceChildren(say(mine(answer.reason ?? status))); return; }
    box.close(); again();
    if (answer.password) secret(answer.name, answer.password); else toast(t('usSaved'));
  }
  const form = el('form', { onsubmit: save }, el('div', { class: 'form' },
    account ? '' : el('label', {}, t('usName'), name), el('label', {}, t('usRole'), role), el('label', {}, t('usZh'), zh), el('label', {}, t('usEn'), en), workerLine, utilityLine,
    el('div', { class: 'whole' }, el('label', {}, t('usArea')), chosen, find, found, el('p', { class: 'soft' }, t('usAreaHint'))), originalsLine),
  wrong,
  el('div', { class: 'end' }, ...(account ? deeds(account, () => { box.close(); again(); }) : []), el('button', { type: 'button', onclick: () => box.close() }, t('officeCancel')), el('button', { class: 'primary' }, t(account ? 'usSave' : 'usCreate'))));
  const box = dialog(account ? `${t('usEdit')}: ${account.name}` : t('usNew'), form, ...(account?.sessions.length ? [sessions(account, () => { box.close(); again(); })] : []));
  (account ? role : name).focus();
}

/** @param {any} account @param {() => void} done */
function deeds(account, done) {
  const turn = async (/** @type {boolean} */ disabled) => {
    if (disabled && !confirm(t('usSure').replace('{n}', account.name))) return;
    if (tell(await post(`/api/v1/accounts/${account.id}`, { disabled }, 'PATCH'))) { toast(t('usSaved')); done(); }
  };
  const reset = async () => {
    if (!confirm(t('usSureReset').replace('{n}', account.name))) return;
    const told = await post(`/api/v1/accounts/${account.id}/reset`, {});
    if (tell(told)) { done(); secret(account.name, told.answer.password); }
  };
  return [
    el('button', { type: 'button', class: 'left', id: 'able', onclick: () => turn(!account.disabled) }, t(account.disabled ? 'usEnable' : 'usDisable')),
    account.oidc ? '' : el('button', { type: 'button', id: 'reset', onclick: reset }, t('usReset')),
  ];
}

/** @param {any} account @param {() => void} done */
function sessions(account, done) {
  const end = async (/** @type {string} */ only) => { if (tell(await post(`/api/v1/accounts/${account.id}/sessions${only ? `?only=${encodeURIComponent(only)}` : ''}`, {}, 'DELETE'))) { toast(t('accEnded')); done(); } };
  return el('section', {}, el('div', { class: 'row' }, el('h3', {}, t('accSessions')), el('span', { class: 'grow' }), el('button', { onclick: () => end('') }, t('usEndAll'))),
    table({ caption: t('accSessions'), rows: account.sessions, columns: [
      { key: 'agent', label: t('accDevice'), value: (row) => browser(row.agent) }, { key: 'address', label: t('accAddress'), value: (row) => row.address },
      { key: 'seen', label: t('accSeen'), value: (row) => when(row.seen_at) },
      { key: 'end', label: t('accEnd'), value: () => '', cell: (row) => el('button', { onclick: () => end(row.id) }, t('accEnd')) },
    ] }));
}

/** @param {string} name @param {string} password */
function secret(name, password) {
  const copy = el('button', { onclick: async () => { await navigator.clipboard?.writeText(password); copy.textContent = t('usCopied'); } }, t('usCopy'));
  const box = dialog(`${t('usSecret')}: ${name}`, el('p', { class: 'secret-shown', id: 'secret' }, password), el('p', { class: 'soft' }, t('usSecretText')),
    el('div', { class: 'end' }, copy, el('button', { class: 'primary', onclick: () => box.close() }, t('usDone'))));
}
