// @ts-check
// Grid worker's page: wires phone, center and views together.
import { apply, language, setLanguage } from '/static/common/i18n.js';
import './words.js';
import * as boxes from './boxes.js';
import * as consent from './consent.js';
import * as list from './list.js';
import { actAs } from './net.js';
import { at, el, glyph, nextStep, tick, w } from './parts.js';
import * as place from './place.js';
import * as queue from './queue.js';
import { changed, onChange, refused, shown, state, ticketOf, toSend } from './state.js';
import * as sync from './sync.js';
import * as ticket from './ticket.js';

/** @param {string} id @returns {HTMLElement} */
const $ = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const main = $('main');
const DIRECT = new Set(['accept', 'arrive', 'accept_help', 'acknowledge', 'verify']);

const current = () => { const found = /^#\/t\/([^/]+)$/.exec(location.hash); return found ? decodeURIComponent(found[1]) : null; };

// --- drawing -----------------------------------------------------------------------------------

function draw() {
  const id = current();
  const focus = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.key;
  const opened = new Set([...main.querySelectorAll('details[open]')].map((node) => node.className));
  if (id === null || state.link === 'choose' || state.link === 'stranger') list.draw(main);
  else ticket.draw(main, id);
  for (const node of main.querySelectorAll('details')) if (opened.has(node.className)) node.open = true;
  if (focus) /** @type {HTMLElement | null} */ (document.querySelector(`[data-key="${CSS.escape(focus)}"]`))?.focus({ preventScroll: true });
  top();
  bottom(id);
  const count = shown().asked.length;
  const title = w('wTitle');
  document.title = count ? `(${count}) ${title}` : title;
  if ('setAppBadge' in navigator) void (count ? navigator.setAppBadge(count) : navigator.clearAppBadge()).catch(() => {});
}

function top() {
  const back = $('back');
  back.hidden = current() === null;
  back.setAttribute('aria-label', w('wBack'));
  if (!back.firstChild) back.append(glyph('back'));
  $('title').textContent = w(current() === null ? 'wTitle' : 'wOne');
  $('lang').textContent = language() === 'zh' ? 'EN' : '中';
  $('lang').setAttribute('aria-label', language() === 'zh' ? 'EN · English' : '中 · 中文');
  $('lang').lang = language() === 'zh' ? 'en' : 'zh-CN';
  const sharing = $('sharing');
  sharing.dataset.state = state.sharing.state;
  sharing.hidden = !state.me;
  sharing.setAttribute('aria-label', consent.spoken());
  if (sharing.textContent !== consent.label()) sharing.replaceChildren(el('i'), el('span', {}, consent.label()));
  line();
}

/** What stands between me and the center, in one line; nothing when nothing does. */
function line() {
  const n = toSend().length;
  const gone = refused().length;
  const others = state.deeds.filter((deed) => deed.state === 'waiting' && state.me && deed.worker !== state.me.id);
  const parts = [];
  if (state.newVersion) parts.push(el('span', {}, w('wUpdate'), ' ', el('button', { type: 'button', onclick: () => location.reload() }, w('wUpdateGo'))));
  if (state.link === 'lost') parts.push(el('span', {}, w('wOfflineText')));
  if (state.link === 'lost' && state.asOf) parts.push(el('span', {}, `${w('wAsOf')} ${at(state.asOf)}`));
  if (state.link === 'login' && state.list) parts.push(el('span', {}, w('wLogin')));
  if (n) parts.push(el('span', { data: { waiting: n } }, w('wToSend', { n })));
  if (gone && current() !== null) parts.push(el('span', {}, w('wRefusedN', { n: gone }), ' ', el('a', { href: '#/' }, w('wLookNow'))));
  if (others.length) parts.push(el('span', {}, w('wOther', { name: others[0].worker, n: others.length })));
  const node = $('state');
  node.hidden = !parts.length;
  node.dataset.link = state.link;
  const text = parts.map((part) => part.textContent).join(' · ');
  if (node.dataset.text !== text) { node.dataset.text = text; node.replaceChildren(...parts.flatMap((part, i) => (i ? [' · ', part] : [part]))); }
}

/** The big button: the next step of the ticket that is open, or the way to the one that is next. */
function bottom(/** @type {string | null} */ id) {
  const bar = $('bar');
  const card = id === null ? null : ticketOf(id);
  const step = card && nextStep(card);
  /** @type {HTMLElement[]} */
  const inside = [];
  if (card && step) {
    const second = card.asked === 'confirm' ? ['deny', 'wNo'] : card.asked === 'help' ? ['refuse_help', 'wNotHelp'] : card.asked === 'verify' ? ['rework', 'wNotGood'] : null;
    if (second && card.actions.some((/** @type {any} */ a) => a.action === second[0])) inside.push(el('button', { type: 'button', class: 'second', data: { box: second[0], ticket: card.id, key: 'second' } }, w(second[1])));
    inside.push(el('button', { type: 'button', class: 'primary huge', data: { step: step.action, ticket: card.id, key: 'next' } }, w(step.word)));
  }
  bar.hidden = !inside.length;
  document.body.dataset.bar = String(inside.length > 0);
  bar.replaceChildren(...inside);
}

// --- doing -------------------------------------------------------------------------------------

/** @param {string} id @param {string} action */
function step(id, action) {
  const card = ticketOf(id);
  if (!card) return;
  state.fresh.delete(id);
  if (!DIRECT.has(action)) { boxes.open(card, action); return; }
  const next = nextStep(card);
  const label = w(next && next.action === action ? next.word : `wNext_${action}`);
  void queue.doNow({ ticket: id, action, label });
  buzz(30);
  if (current() !== id && action === 'accept') location.hash = `#/t/${encodeURIComponent(id)}`;
}

document.addEventListener('click', (event) => {
  const button = /** @type {HTMLElement | null} */ (event.target instanceof Element ? event.target.closest('[data-step],[data-box],[data-dismiss],[data-switch]') : null);
  if (!button || button.closest('dialog')) return;
  const { step: action, box, dismiss, ticket: id } = button.dataset;
  if (action && id) step(id, action);
  else if (box === 'more') main.querySelector('.rest')?.scrollIntoView({ block: 'center' });
  else if (box && id) { const card = ticketOf(id); if (card) boxes.open(card, box); }
  else if (dismiss) { const deed = state.deeds.find((one) => one.n === Number(dismiss)); if (deed) void queue.dismiss(deed); }
  else if (button.dataset.switch) { actAs(''); location.reload(); }
});
$('back').addEventListener('click', () => { location.hash = '#/'; });
$('lang').addEventListener('click', () => {
  setLanguage(language() === 'zh' ? 'en' : 'zh');
  changed();
  const id = current();
  if (id && state.link === 'ok') void sync.sheet(id).catch(() => {}); // its chart has words, too
});
$('sharing').addEventListener('click', () => consent.open());
addEventListener('hashchange', () => { boxes.close(); ticket.letGo(); const id = current(); if (id) state.fresh.delete(id); draw(); scrollTo(0, 0); main.focus({ preventScroll: true }); });

// --- being heard -------------------------------------------------------------------------------

/** @type {AudioContext | null} */
let audio = null;
addEventListener('pointerdown', () => { audio ??= new AudioContext(); void audio.resume(); }, { passive: true });

/** @param {number | number[]} pattern */
function buzz(pattern) { if ('vibrate' in navigator && navigator.userActivation?.hasBeenActive !== false) navigator.vibrate(pattern); }

function ring() {
  buzz([250, 120, 250, 120, 400]);
  if (!audio || audio.state !== 'running') return;
  [0, 0.28, 0.56].forEach((after, i) => {
    const tone = /** @type {AudioContext} */ (audio).createOscillator();
    const loud = /** @type {AudioContext} */ (audio).createGain();
    const from = /** @type {AudioContext} */ (audio).currentTime + after;
    tone.frequency.value = [740, 740, 988][i];
    loud.gain.setValueAtTime(0.0001, from);
    loud.gain.exponentialRampToValueAtTime(0.35, from + 0.02);
    loud.gain.exponentialRampToValueAtTime(0.0001, from + 0.22);
    tone.connect(loud).connect(/** @type {AudioContext} */ (audio).destination);
    tone.start(from);
    tone.stop(from + 0.24);
  });
}

let quiet = 0;
/** @param {string} text @param {boolean} [bad] */
function say(text, bad = false) {
  const node = $('said');
  node.textContent = text;
  node.dataset.bad = String(bad);
  node.hidden = false;
  clearTimeout(quiet);
  quiet = window.setTimeout(() => { node.hidden = true; }, 4500);
}

// --- starting ----------------------------------------------------------------------------------

async function shell() {
  if (!('serviceWorker' in navigator) || !window.isSecureContext) return;
  let kept = Boolean(navigator.serviceWorker.controller);
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (kept) { state.newVersion = true; changed(); }
    kept = true; // the first one only takes the page up
  });
  try { await navigator.serviceWorker.register('/w/sw.js', { scope: '/w' }); } catch (error) { console.warn('service worker:', error); }
}

async function begin() {
  apply();
  onChange(draw);
  onChange(() => place.attend());
  try {
    await Promise.all([sync.remember(), queue.reload(), place.remember()]);
  } catch (error) {
    console.warn('no store:', error);
    main.replaceChildren(el('p', { class: 'empty', role: 'alert' }, w('wNoStore')));
    return;
  }
  void navigator.storage?.persist?.().catch(() => false); // what is to be sent is not to be cleared away
  draw();
  queue.start({
    taken: (body) => void sync.take(body),
    sent: (deed, ok) => { say(ok ? w('wSentDone', { what: deed.label }) : `${deed.label}：${w('wNotApplied')}`, !ok); if (!ok) void sync.load(); },
    full: () => say(w('wNotKept'), true),
  });
  void shell();
  await sync.load();
  void queue.pump();
  void place.tell();
  sync.follow((told) => {
    if (!told.new || !told.mine) return;
    state.fresh.add(told.id);
    say(w('wNew'));
    ring();
  });
  setInterval(tick, 1000);
  setInterval(place.refresh, 30_000);
  addEventListener('offline', () => { state.link = 'lost'; changed(); });
  addEventListener('online', () => { void sync.load(); void place.tell(); });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) void sync.load(); });
}

void begin();
