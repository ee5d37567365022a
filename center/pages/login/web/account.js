// @ts-check
// One's own account: who one is here, the password, and where one is signed in.

import { get, post } from '/static/common/api.js';
import { language, t } from '/static/common/i18n.js';
import { $, frame, tell, toast, when } from '/static/common/office/frame.js';
import { table } from '/static/common/office/table.js';
import { el, say } from '/static/common/text.js';
import { browser } from '/static/users/browser.js';
import './words.js';

/** @type {any} */
let me = null;
/** @type {any[]} */
let sessions = [];

function draw() {
  if (!me) return;
  $('#shown').setAttribute('aria-busy', 'false');
  $('#tools').replaceChildren(me.account ? el('button', { id: 'logout', onclick: leave }, t('accLogout')) : '');
  if (!me.account) { $('#shown').replaceChildren(el('p', { class: 'panel' }, t('accNobody'), ' ', el('a', { href: '/login?next=%2Faccount' }, t('loginTitle')))); return; }
  const shown = (language() === 'zh' ? me.display_zh : me.display_en) || me.display_zh || me.display_en;
  const areas = me.areas.length ? me.areas.map((/** @type {any} */ area) => area.name).join('、') : t('accEverywhere');
  const facts = [['accName', me.name], ['accShown', shown], ['accRole', t(`role_${me.role}`)], ['accArea', areas], ['accOf', me.worker ?? me.utility], ['accHow', t(`how_${me.how}`)]];
  $('#shown').replaceChildren(
    el('div', { class: 'tiles' }, ...facts.filter(([, value]) => value).map(([key, value]) => el('div', { class: 'tile' }, el('span', {}, t(key)), el('strong', {}, say(value))))),
    el('section', { class: 'panel', 'aria-labelledby': 'h-password' }, el('div', { class: 'head' }, el('h2', { id: 'h-password' }, t('accPassword'))), me.how === 'oidc' ? el('p', { class: 'soft' }, t('accByProvider')) : form()),
    el('section', { class: 'panel', 'aria-labelledby': 'h-sessions' },
      el('div', { class: 'head' }, el('h2', { id: 'h-sessions' }, t('accSessions')), sessions.length > 1 ? el('button', { onclick: () => end('others') }, t('accOthers')) : ''),
      table({ caption: t('accSessions'), rows: sessions, columns: [
        { key: 'agent', label: t('accDevice'), value: (row) => row.agent, cell: (row) => browser(row.agent) },
        { key: 'address', label: t('accAddress'), value: (row) => row.address },
        { key: 'made', label: t('accSince'), value: (row) => when(row.made_at) },
        { key: 'seen', label: t('accSeen'), value: (row) => when(row.seen_at) },
        { key: 'ends', label: t('accUntil'), value: (row) => when(row.ends_at) },
        { key: 'end', label: t('accEnd'), value: () => '', cell: (row) => (row.current ? el('span', { class: 'soft' }, t('accHere')) : el('button', { 'aria-label': `${t('accEnd')}: ${row.address}`, onclick: () => end(row.id) }, t('accEnd'))) },
      ] })),
  );
}

function form() {
  const field = (/** @type {string} */ id, /** @type {string} */ key, /** @type {string} */ auto) => el('label', {}, t(key), el('input', { id, type: 'password', autocomplete: auto, required: true, maxlength: '256' }));
  const wrong = el('p', { class: 'bad whole', role: 'alert', id: 'wrong' });
  return el('form', { class: 'form', id: 'password', onsubmit: async (/** @type {Event} */ event) => {
    event.preventDefault();
    const value = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ ($(id)).value;
    wrong.textContent = '';
    if (value('#fresh') !== value('#again')) { wrong.textContent = t('loginDiffer'); return; }
    const { status, answer } = await post('/api/v1/me/password', { before: value('#before'), password: value('#fresh') });
    if (status === 200) { toast(t('accChanged')); await load(); return; }
    wrong.replaceChildren(say(language() === 'zh' ? String(answer.reason).split(' / ')[1] ?? answer.reason : String(answer.reason).split(' / ')[0]));
  } }, el('input', { type: 'text', name: 'username', autocomplete: 'username', value: me.name, hidden: true }),
  field('before', 'accBefore', 'current-password'), field('fresh', 'loginFresh', 'new-password'), field('again', 'loginAgain', 'new-password'),
  el('p', { class: 'soft whole' }, t('loginRule').replace('{n}', String(me.password_least))), wrong, el('div', { class: 'whole' }, el('button', { class: 'primary' }, t('accSave'))));
}

/** @param {string} id */
async function end(id) {
  const told = await post(`/api/v1/me/sessions/${encodeURIComponent(id)}`, {}, 'DELETE');
  if (tell(told)) toast(t('accEnded'));
  await load();
}
async function leave() {
  const { status, answer } = await post('/api/v1/logout', {});
  if (status === 200) location.assign(answer.end ?? '/login');
}
async function load() {
  me = await get('/api/v1/me');
  sessions = me.account ? (await get('/api/v1/me/sessions')).items : [];
  draw();
}
frame({ title: 'accTitle', draw, load });
