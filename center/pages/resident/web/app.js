// @ts-check
// A resident's page: /r/{code} shows the place and the form, /r/{code}#{link} one report.

import '/static/resident/words.js';
import { apply, both, language, setLanguage, t, timeOf } from '/static/common/i18n.js';
import { el, svg } from '/static/common/text.js';
import { followReport } from '/static/resident/follow.js';
import { Draft, makeForm } from '/static/resident/form.js';
import { ask, passing } from '/static/resident/net.js';
import { flush, onOutcome } from '/static/resident/outbox.js';
import { fill, placeName, showKnown, showMine } from '/static/resident/place.js';

/** @typedef {import('./place.js').Place} Place */

const AGAIN_MS = 20_000;
const code = decodeURIComponent(location.pathname.split('/').filter(Boolean).pop() ?? '');
const main = /** @type {HTMLElement} */ (document.querySelector('#main'));
const net = /** @type {HTMLElement} */ (document.querySelector('#net'));
/** @type {Place | null} */
let place = null;
let heard = 0;
let ahead = 0; // of the center's clock over this telephone's
let draft = new Draft();
let fresh = '';
let away = false; // nothing of the center, though there may be a network
/** @type {() => void} */
let leave = () => {};
const now = () => Date.now() + ahead;

async function look() {
  const answer = await ask(`/api/v1/places/${encodeURIComponent(code)}`);
  if (answer.ok) { place = answer.body; heard = Date.now(); ahead = Date.parse(answer.body.now) - heard; away = false; }
  else if (passing(answer) && answer.status !== 429) away = true;
  if (told !== 'outcome') online();
  return answer;
}

async function open() {
  leave();
  leave = () => {};
  const link = decodeURIComponent(location.hash.slice(1));
  if (link) {
    leave = followReport(main, code, link, { fresh: link === fresh, back: () => { location.hash = ''; }, go: (other) => { fresh = other; location.hash = other; } });
    return;
  }
  const answer = await look();
  if (location.hash.length > 1) return; // they went on while we asked
  if (answer.ok || place) showPlace();
  else if (answer.status === 404) showWrong();
  else main.replaceChildren(el('h1', {}, t('r.failed')), el('p', { role: 'alert' }, both(answer.reason) || t('r.offline')), el('button', { type: 'button', class: 'primary', onclick: open }, t('r.retry')), el('p', { class: 'soft' }, t('r.call')));
}

function showPlace() {
  const shown = /** @type {Place} */ (place);
  const known = el('div', { 'aria-live': 'polite' });
  const mineBox = el('section', { hidden: true }, el('h2', {}, t('r.mine')), el('ul', { class: 'list' }));
  const form = makeForm(shown, draft, {
    now,
    taken: (link) => { draft = new Draft(); fresh = link; location.hash = link; },
    queued: () => { draft = new Draft(); showPlace(); say(t('r.queued'), 'outcome'); scrollTo(0, 0); },
  });
  main.replaceChildren(
    el('div', { class: 'place' }, pin(), el('div', {}, el('p', { class: 'soft' }, t('r.here')), el('h1', {}, placeName(shown, language())))),
    el('section', {}, el('h2', {}, t('r.known')), known), mineBox,
    el('section', { class: 'report' }, el('h2', {}, t('r.report')), form));
  showKnown(shown, known, now());
  showMine(code, mineBox, now());
  const timer = setInterval(async () => {
    if (document.hidden) return;
    const before = JSON.stringify(place?.here);
    if ((await look()).ok && place && JSON.stringify(place.here) !== before) showKnown(place, known, now());
    showMine(code, mineBox, now());
  }, AGAIN_MS);
  leave = () => clearInterval(timer);
}

function showWrong() {
  const input = el('input', { id: 'code', name: 'code', maxlength: 20, autocomplete: 'off', autocapitalize: 'characters', spellcheck: 'false', value: /^[0-9A-Za-z-]{1,20}$/.test(code) ? code : '' });
  main.replaceChildren(el('h1', {}, t('r.wrong')), el('p', {}, t('r.wrongText')),
    el('form', { class: 'code', onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); if (input.value.trim()) location.assign(`/r/${encodeURIComponent(input.value.trim())}`); } },
      el('label', { for: 'code' }, t('r.code')), input, el('button', { type: 'submit', class: 'primary' }, t('r.go'))),
    el('p', { class: 'soft' }, t('r.call')));
}

let told = '';
/** @param {string} text @param {string} [what] `outcome`: of a report; it stays until another is said */
function say(text, what = '') { net.textContent = text; net.hidden = text === ''; told = what; }
function online() {
  if (!navigator.onLine) say(t('r.offline'));
  else if (away && place) say(`${fill('r.stale', { t: timeOf(heard, undefined) })} ${t('r.fillIn')}`);
  else if (told !== 'outcome') say('');
}

onOutcome((report, outcome) => {
  if (outcome.state === 'taken' && report.code === code) { say(''); if (!location.hash) { fresh = outcome.follow; location.hash = outcome.follow; } }
  else if (outcome.state === 'refused') say(both(outcome.reason) || t('r.failed'), 'outcome');
});
addEventListener('online', online);
addEventListener('offline', online);
addEventListener('hashchange', open);
const lang = /** @type {HTMLButtonElement} */ (document.querySelector('#lang'));
function words() {
  apply();
  document.title = t('r.brand');
  lang.textContent = language() === 'zh' ? 'English' : '中文';
  lang.lang = language() === 'zh' ? 'en' : 'zh-CN';
}
lang.addEventListener('click', () => { setLanguage(language() === 'zh' ? 'en' : 'zh'); words(); online(); open(); });
const pin = () => svg('svg', { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' }, svg('path', { d: 'M12 21s7-6.500 7-11.500a7 7 0 0 0-14 0C5 14.500 12 21 12 21zM12 7a2.500 2.500 0 1 0 .01 0' }));

words();
online();
open().then(flush);
