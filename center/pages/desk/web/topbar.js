// @ts-check
// The bar above everything: the link to the center, the clock, language, theme, the other pages, and
// who is signed in; and the banner that says since when nothing new has come.

import { get, hasToken, post, setToken } from '/static/common/api.js';
import { addTexts, apply, language, setLanguage, t, timeOf } from '/static/common/i18n.js';
import { clean, el, icon, say } from '/static/common/text.js';
import { changed, now, onChange, state } from './state.js';
import { bind } from './keys.js';
import { lasted } from './words.js';

addTexts({
  away: ['与中心的连接已中断，列表停留在', 'The connection to the center is lost. The list stands as of'], awaySince: ['已 {n}', '{n} ago'], retryNow: ['立即重连', 'Connect now'],
  menuPages: ['页面', 'Pages'], account: ['账号', 'Account'], signOut: ['退出登录', 'Sign out'], myAccount: ['我的账号', 'My account'], noAccount: ['未启用账号：本机直接使用', 'No accounts: open on this machine'],
  keyPage: ['打开第 {n} 个页面', 'Open page {n}'], roleOf: ['角色', 'Role'],
  role_viewer: ['查看', 'viewer'], role_operator: ['值班员', 'operator'], role_head: ['负责人', 'head'], role_admin: ['管理员', 'admin'], role_worker: ['网格员', 'worker'], role_utility: ['责任单位', 'utility'],
});

/** @param {string} selector */
const $ = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector));
let link = 'connecting', lostAt = 0;
/** @type {() => void} */
let relabelled = () => {};

/** @param {{retry(): void, relabelled(): void, themed(): void}} on */
export function initTopbar(on) {
  relabelled = on.relabelled;
  try { const theme = localStorage.getItem('theme'); if (theme) document.documentElement.dataset.theme = theme; } catch { /* the system's theme */ }
  $('#lang').addEventListener('click', switchLanguage);
  $('#theme').addEventListener('click', () => {
    const dark = getComputedStyle(document.documentElement).getPropertyValue('--mode').trim() === 'dark';
    document.documentElement.dataset.theme = dark ? 'light' : 'dark';
    try { localStorage.setItem('theme', document.documentElement.dataset.theme); } catch { /* for this page only */ }
    on.themed();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', on.themed);
  $('#token').hidden = !hasToken();
  $('#token').addEventListener('click', askToken);
  const box = /** @type {HTMLDialogElement} */ ($('#token-box'));
  box.addEventListener('close', () => {
    if (box.returnValue === 'ok') { setToken(/** @type {HTMLInputElement} */ (box.querySelector('input')).value); location.reload(); }
  });
  $('#away button').addEventListener('click', on.retry);
  for (const menu of document.querySelectorAll('header details')) {
    menu.addEventListener('focusout', (event) => { if (!menu.contains(/** @type {Node | null} */ (/** @type {FocusEvent} */ (event).relatedTarget))) menu.removeAttribute('open'); });
    menu.addEventListener('keydown', (event) => { if (/** @type {KeyboardEvent} */ (event).key === 'Escape' && menu.hasAttribute('open')) { menu.removeAttribute('open'); event.stopPropagation(); menu.querySelector('summary')?.focus(); } });
  }
  onChange(renderAccount);
  get('/api/v1/pages').then(renderPages, () => { $('#pages').hidden = true; });
}

export function switchLanguage() {
  setLanguage(language() === 'zh' ? 'en' : 'zh');
  relabel();
}

/** Every word of the frame in the language chosen. */
export function relabel() {
  apply();
  $('#lang').textContent = language() === 'zh' ? 'EN' : '中文';
  $('#lang').setAttribute('aria-label', language() === 'zh' ? 'EN · Switch to English' : '中文 · 切换为中文');
  for (const id of ['theme', 'token']) {
    $(`#${id}`).replaceChildren(icon(id));
    $(`#${id}`).title = t(id);
    $(`#${id}`).setAttribute('aria-label', t(id));
  }
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-hint]'))) {
    node.setAttribute('aria-label', t(String(node.dataset.hint)));
    if ('placeholder' in node) node.placeholder = t(String(node.dataset.hint)); else node.title = t(String(node.dataset.hint));
  }
  $('#pages').querySelector('summary')?.setAttribute('aria-label', t('menuPages'));
  $('#account').querySelector('summary')?.setAttribute('aria-label', t('account'));
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('#pages a'))) node.textContent = (language() === 'zh' ? node.dataset.zh : node.dataset.en) ?? '';
  setLink(link);
  relabelled();
  changed();
}

/** How the connection stands. @param {string} name */
export function setLink(name) {
  if (name === 'lost' && link !== 'lost') lostAt = now();
  link = name;
  if (name === 'denied') askToken();
  $('#link').dataset.state = name;
  const text = t(name), box = /** @type {HTMLElement} */ ($('#link span'));
  if (box.textContent !== text) box.textContent = text;
  tickBar();
}

/** The clock, and how long nothing has come. */
export function tickBar() {
  const zone = state.city.timezone, moment = now();
  const clock = /** @type {HTMLTimeElement} */ ($('#clock')), text = timeOf(moment, zone, true);
  if (clock.textContent !== text) clock.textContent = text;
  const away = $('#away');
  away.hidden = link !== 'lost';
  if (away.hidden) return;
  const said = `${t('away')} ${timeOf(lostAt, zone, true)}`;
  if ($('#away span').textContent !== said) $('#away span').textContent = said;
  $('#away time').textContent = t('awaySince').replace('{n}', lasted(Math.max(0, Math.round((moment - lostAt) / 1000))));
}

/** Ask who they are: at the login where people have accounts, else for a token. */
export function askToken() {
  if (state.me?.accounts && !hasToken()) { location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search + location.hash)}`); return; }
  const box = /** @type {HTMLDialogElement} */ ($('#token-box'));
  $('#token').hidden = false;
  if (!box.open) box.showModal();
}

/** @param {{path: string, zh: string, en: string}[]} rows */
function renderPages(rows) {
  $('#pages').hidden = rows.length < 2;
  $('#pages ul').replaceChildren(...rows.map((row) => el('li', {}, el('a', { href: row.path, data: { zh: row.zh, en: row.en }, 'aria-current': row.path === location.pathname ? 'page' : null }, clean(language() === 'zh' ? row.zh : row.en)))));
  rows.slice(0, 9).forEach((row, i) => {
    addTexts({ [`page_${i}`]: [row.zh, row.en] });
    bind([{ keys: [`g ${i + 1}`], text: `page_${i}`, group: 'keysGo', run: () => { location.assign(row.path); } }]);
  });
}

async function signOut() {
  const { status, answer } = await post('/api/v1/logout', {});
  if (status === 200) location.assign(answer.end ?? '/login');
}
let account = '';
function renderAccount() {
  const { me } = state, key = JSON.stringify([me, language()]);
  if (key === account) return;
  account = key;
  const box = $('#account');
  box.hidden = !me;
  if (!me) return;
  const name = (language() === 'zh' ? me.display_zh : me.display_en) || me.name;
  /** @type {HTMLElement} */ (box.querySelector('summary')).replaceChildren(say(me.account ? name : t('account')));
  /** @type {HTMLElement} */ (box.querySelector('div')).replaceChildren(
    el('p', {}, say(me.account ? name : me.name === 'local' ? t('noAccount') : me.name, 'strong')), me.role ? el('p', { class: 'soft' }, t('roleOf'), '：', t(`role_${me.role}`)) : '',
    me.areas?.length ? el('p', { class: 'soft' }, say(me.areas.map((area) => area.name).join('、'))) : '',
    me.account ? el('a', { class: 'button', href: '/account' }, t('myAccount')) : '', me.account ? el('button', { onclick: signOut }, t('signOut')) : '');
}
