// @ts-check
// Signing in: by name and password, or at the organisation's provider; then on to where one was going.

import { get, post } from '/static/common/api.js';
import { apply, both, has, language, setLanguage, t } from '/static/common/i18n.js';
import { icon } from '/static/common/text.js';
import './words.js';

/** @param {string} selector @returns {any} */
const $ = (selector) => document.querySelector(selector);
const given = new URLSearchParams(location.search);
/** What was said last, so that the other language can say it, too. @type {{reason?: string, key?: string, bad?: boolean}} */
let said = {};
/** @type {any} */
let me = null;
let home = '/', password = '', until = 0;

/** A path of this center and nothing else. @param {string | null} text */
export function ownPath(text) {
  if (!text || !text.startsWith('/') || text.startsWith('//') || text.includes('\\')) return null;
  try {
    const url = new URL(text, location.origin);
    const inside = url.origin === location.origin && !url.pathname.startsWith('//') && url.pathname !== '/login';
    return inside ? url.pathname + url.search + url.hash : null;
  } catch { return null; }
}
const on = () => location.replace(ownPath(given.get('next')) ?? home);

function draw() {
  apply();
  document.title = `${t('loginTitle')} · Gridsentry`;
  $('#lang').textContent = language() === 'zh' ? 'EN' : '中';
  $('#lang').setAttribute('aria-label', language() === 'zh' ? 'EN English' : '中文');
  $('#theme').setAttribute('aria-label', t('loginTheme'));
  for (const button of document.querySelectorAll('.peek')) {
    const open = button.getAttribute('aria-pressed') === 'true';
    button.textContent = t(open ? 'loginHide' : 'loginShow');
    button.setAttribute('aria-label', t('loginShowLong'));
  }
  $('#rule').textContent = t('loginRule').replace('{n}', String(me?.password_least ?? 10));
  if (me?.provider) $('#oidc').textContent = both({ zh: me.provider.label_zh, en: me.provider.label_en });
  const failed = given.get('failed'), key = failed ? (has(`failed_${failed}`) ? `failed_${failed}` : 'failed_oidc_refused') : given.has('ended') ? 'loginEnded' : '';
  $('#notice').hidden = !key;
  $('#notice').className = failed ? 'notice bad' : 'notice';
  $('#notice').textContent = key ? t(key) : '';
  const text = said.key ? t(said.key) : said.reason ? both(said.reason) ?? '' : '';
  const box = $('#change').hidden ? $('#wrong') : $('#bad');
  if (box.textContent !== text && Date.now() >= until) box.textContent = text;
  box.textContent ||= text;
}

/** @param {{status: number, answer: any}} told */
function refuse({ status, answer }) {
  said = { reason: answer.reason ?? String(status) };
  if (answer.wait_s) wait(answer.wait_s);
  draw();
}
/** @param {number} seconds until the next try */
function wait(seconds) {
  until = Date.now() + seconds * 1000;
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    $('#go').disabled = left > 0;
    $('#go').textContent = left > 0 ? t('loginWait').replace('{n}', String(left)) : t('loginGo');
    if (left > 0) setTimeout(tick, 500);
  };
  tick();
}

async function enter() {
  said = {}; $('#wrong').textContent = '';
  const go = $('#go');
  go.disabled = true; go.textContent = t('loginBusy');
  password = $('#password').value;
  try {
    const told = await post('/api/v1/login', { name: $('#name').value, password });
    if (told.status === 200) {
      home = told.answer.home;
      if (told.answer.must_change) first(); else on();
      return;
    }
    $('#password').value = ''; $('#password').focus();
    $('#password').setAttribute('aria-invalid', 'true');
    refuse(told);
  } catch { said = { key: 'loginOffline' }; draw(); } finally {
    if (Date.now() >= until) { go.disabled = false; go.textContent = t('loginGo'); }
  }
}

/** The password was set by somebody else. */
function first() {
  $('#who').value = $('#name').value || me?.name || '';
  $('#form').hidden = true; $('#provider').hidden = true; $('#change').hidden = false;
  said = {}; draw();
  $('#fresh').focus();
}
async function choose() {
  said = {}; $('#bad').textContent = '';
  if ($('#fresh').value !== $('#again').value) { said = { key: 'loginDiffer' }; draw(); $('#again').focus(); return; }
  try {
    const told = await post('/api/v1/me/password', { before: password, password: $('#fresh').value });
    if (told.status === 200) { home = told.answer.home; on(); return; }
    refuse(told);
    $('#fresh').focus();
  } catch { said = { key: 'loginOffline' }; draw(); }
}

async function begin() {
  try { const theme = localStorage.getItem('theme'); if (theme) document.documentElement.dataset.theme = theme; } catch { /* the system's */ }
  $('#theme').append(icon('theme'));
  draw();
  try { me = await get('/api/v1/me'); } catch { said = { key: 'loginOffline' }; me = { accounts: true, passwords: true }; }
  if (me.account && !me.must_change && !given.has('failed')) { home = me.home; on(); return; }
  const next = ownPath(given.get('next'));
  $('#form').hidden = !(me.passwords || !me.provider) || (!me.accounts && !me.passwords);
  $('#provider').hidden = !me.provider;
  $('#or').hidden = !me.passwords;
  $('#none').hidden = me.accounts;
  if (me.provider) $('#oidc').href = `/login/oidc${next ? `?next=${encodeURIComponent(next)}` : ''}`;
  draw();
  if (!$('#form').hidden) $('#name').focus();
}

$('#form').addEventListener('submit', (/** @type {Event} */ event) => { event.preventDefault(); enter(); });
$('#change').addEventListener('submit', (/** @type {Event} */ event) => { event.preventDefault(); choose(); });
$('#password').addEventListener('input', () => $('#password').removeAttribute('aria-invalid'));
$('#lang').addEventListener('click', () => { setLanguage(language() === 'zh' ? 'en' : 'zh'); draw(); });
$('#theme').addEventListener('click', () => {
  const dark = getComputedStyle(document.documentElement).getPropertyValue('--mode').trim() === 'dark';
  document.documentElement.dataset.theme = dark ? 'light' : 'dark';
  try { localStorage.setItem('theme', dark ? 'light' : 'dark'); } catch { /* for this page only */ }
});
for (const button of document.querySelectorAll('.peek')) {
  button.addEventListener('click', () => {
    const field = $(`#${/** @type {HTMLElement} */ (button).dataset.for}`), open = field.type === 'password';
    field.type = open ? 'text' : 'password';
    button.setAttribute('aria-pressed', String(open));
    draw();
  });
}
begin();
