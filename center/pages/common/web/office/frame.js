// @ts-check
// The frame of the office pages: header, menu, language, theme; what the city calls things.

import { get, hasToken, setToken } from '../api.js';
import { language, setLanguage, t } from '../i18n.js';
import { el, icon, say } from '../text.js';
import './words.js';

/**
 * @typedef {{id: string, timezone: string, kinds: Record<string, {zh: string, en: string}>, utilities: Record<string, {name: string, phone: string}>, workers: Record<string, {name: string, role: string}>, owners?: Record<string, string>}} City
 * @typedef {{path: string, zh: string, en: string}} MenuEntry
 */

/** @type {City} */
export const NO_CITY = { id: '', timezone: 'Asia/Shanghai', kinds: {}, utilities: {}, workers: {} };
/** @typedef {{name: string, account: string | null, accounts?: boolean, display_zh?: string, display_en?: string}} Me */
/** @type {{city: City, me: Me | null}} */
export const known = { city: NO_CITY, me: null };

/** @param {string} kind */
export const kindName = (kind) => {
  const names = known.city.kinds[kind];
  return names ? (language() === 'zh' ? names.zh : names.en) : kind;
};
/** Whoever owns things, as people call them. @param {string | null} owner */
export const ownerName = (owner) => (owner ? known.city.owners?.[owner] ?? owner : '');
/** @param {string} message the center's words, in both languages where it has them */
export function mine(message) {
  const parts = String(message ?? '').split(' / ');
  return parts.length === 2 && /[\u4e00-\u9fff]/.test(parts[1]) ? parts[language() === 'zh' ? 1 : 0] : String(message ?? '');
}

/** @param {string} selector @returns {HTMLElement} */
export const $ = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector));

/** A moment in the city's time. @param {string | number | null | undefined} moment @param {boolean} [seconds] */
export function when(moment, seconds = false) {
  if (!moment) return '';
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return '';
  const same = date.getFullYear() === new Date().getFullYear();
  return new Intl.DateTimeFormat(language() === 'zh' ? 'zh-CN' : 'en-GB', {
    timeZone: known.city.timezone, ...(same ? {} : { year: 'numeric' }), month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit',
    ...(seconds ? { second: '2-digit' } : {}), hourCycle: 'h23',
  }).format(date);
}

/** A length of time in words. @param {number | null | undefined} seconds */
export function span(seconds) {
  if (seconds === null || seconds === undefined) return '–';
  const zh = language() === 'zh', s = Math.round(seconds);
  if (s < 90) return zh ? `${s} 秒` : `${s} s`;
  if (s < 5400) return zh ? `${Math.round(s / 60)} 分` : `${Math.round(s / 60)} min`;
  if (s < 172_800) return zh ? `${(s / 3600).toFixed(1)} 小时` : `${(s / 3600).toFixed(1)} h`;
  return zh ? `${(s / 86400).toFixed(1)} 天` : `${(s / 86400).toFixed(1)} d`;
}

/** @param {() => void} changed language or theme did */
function tools(changed) {
  const lang = el('button', { class: 'tool text', id: 'lang', onclick: () => { setLanguage(language() === 'zh' ? 'en' : 'zh'); relabel(); changed(); } });
  const theme = el('button', { class: 'tool', id: 'theme', onclick: () => {
    const dark = getComputedStyle(document.documentElement).getPropertyValue('--mode').trim() === 'dark';
    document.documentElement.dataset.theme = dark ? 'light' : 'dark';
    try { localStorage.setItem('theme', dark ? 'light' : 'dark'); } catch { /* for this page only */ }
    changed();
  } }, icon('theme'));
  function relabel() {
    lang.textContent = language() === 'zh' ? 'EN' : '中';
    lang.setAttribute('aria-label', language() === 'zh' ? 'EN English' : '中文');
    theme.setAttribute('aria-label', t('officeTheme')); theme.setAttribute('title', t('officeTheme'));
    drawMenu();
    for (const node of document.querySelectorAll('[data-t]')) node.textContent = t(/** @type {HTMLElement} */ (node).dataset.t ?? '');
  }
  return { nodes: [theme, lang], relabel };
}

/** @type {MenuEntry[]} */
let menu = [];
function drawMenu() {
  const nav = document.querySelector('#menu');
  if (!nav) return;
  nav.setAttribute('aria-label', t('officeMenu'));
  nav.replaceChildren(...menu.map((entry) => el('a', { href: entry.path, 'aria-current': entry.path === location.pathname ? 'page' : null }, say(language() === 'zh' ? entry.zh : entry.en))));
  const here = /** @type {HTMLElement | null} */ (nav.querySelector('[aria-current]'));
  if (here) nav.scrollLeft = here.offsetLeft - nav.clientWidth / 3;
}

/**
 * Build the frame around `main`, then say what the page shows.
 * @param {{title: string, draw: () => void, load: () => Promise<void>}} page `title` is a key of the words
 */
export async function frame({ title, draw, load }) {
  try { const theme = localStorage.getItem('theme'); if (theme) document.documentElement.dataset.theme = theme; } catch { /* the system's */ }
  const changed = () => { document.title = `${t(title)} · Gridsentry`; draw(); };
  const kit = tools(changed);
  document.body.prepend(
    el('a', { class: 'skip', href: '#main', data: { t: 'officeSkip' } }, t('officeSkip')),
    el('header', { class: 'bar' },
      el('a', { class: 'brand', href: '/', 'aria-label': 'Gridsentry' }, el('img', { src: '/static/common/icon.svg', alt: '', width: '26', height: '26' }), el('span', {}, 'Gridsentry')),
      el('nav', { id: 'menu' }), el('div', { class: 'tools' }, el('a', { id: 'me', class: 'button', href: '/account', hidden: true }), ...kit.nodes)),
  );
  kit.relabel(); changed();
  const asked = get('/api/v1/me').then((me) => {
    known.me = me;
    const link = $('#me');
    link.hidden = !me.account;
    link.replaceChildren(say((language() === 'zh' ? me.display_zh : me.display_en) || me.name));
  }, () => { /* who may not ask is asked to log in below */ });
  get('/api/v1/pages').then((entries) => { menu = entries; drawMenu(); }, () => { /* without the menu the page still works */ });
  try {
    known.city = await get('/api/v1/city');
    await asked;
    await load();
  } catch (error) { complain(error, () => location.reload()); }
}

/** Say what went wrong where the page would be; ask for a token where one is missing.
 * @param {any} error @param {() => void} again */
export function complain(error, again) {
  const box = $('#said');
  if (error?.status === 401 && known.me?.accounts && !hasToken()) { location.replace(`/login?ended=1&next=${encodeURIComponent(location.pathname + location.search + location.hash)}`); return; }
  if (error?.status === 401) {
    const input = /** @type {HTMLInputElement} */ (el('input', { type: 'password', autocomplete: 'off', spellcheck: 'false', 'aria-label': t('officeTokenName') }));
    box.replaceChildren(el('form', { class: 'ask', onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); setToken(input.value); location.reload(); } },
      el('p', {}, t('officeToken')), input, el('button', { class: 'primary' }, t('officeTokenSet'))));
    return;
  }
  box.replaceChildren(el('p', { class: 'bad' }, say(mine(error?.message ?? String(error))), ' ', el('button', { onclick: () => { box.replaceChildren(); again(); } }, t('officeRetry'))));
}

/** A short word at the foot of the page. @param {string} text @param {boolean} [bad] */
export function toast(text, bad = false) {
  const box = $('#toasts');
  const node = el('p', { class: bad ? 'toast bad' : 'toast' }, say(text));
  box.append(node);
  setTimeout(() => node.remove(), bad ? 9000 : 4500);
}

/** What the center answered to a request: a toast, and whether it was done.
 * @param {{status: number, answer: any}} told */
export function tell({ status, answer }) {
  if (status === 202) { toast(t('officeWaiting')); return true; }
  if (status >= 400) { toast(`${t('officeRefused')}: ${mine(answer.reason ?? status)}`, true); return false; }
  return true;
}

/** The name under which somebody acts at a shared desk, remembered; an account's own. */
export function myName() { if (known.me?.account) return known.me.name; try { return localStorage.getItem('by') ?? ''; } catch { return ''; } }
/** @param {string} name */
export function rememberName(name) { try { localStorage.setItem('by', name); } catch { /* asked for again */ } }

/** A dialog that is gone when it closes. @param {string} title @param {...any} children */
export function dialog(title, ...children) {
  const box = /** @type {HTMLDialogElement} */ (el('dialog', { class: 'sheet', 'aria-label': title },
    el('div', { class: 'sheet-head' }, el('h2', {}, say(title)), el('button', { class: 'tool', 'aria-label': t('officeClose'), onclick: () => box.close() }, icon('shut'))), ...children));
  box.addEventListener('close', () => box.remove());
  document.body.append(box);
  box.showModal();
  return box;
}
