// @ts-check
// A utility's ticket by signed link: look, accept, arrive, restored. No account, no other data.

import '/static/utility/words.js';
import { apply, both, has, language, setLanguage, stageName, t, timeOf } from '/static/common/i18n.js';
import { el, icon, say } from '/static/common/text.js';
import { api, ask, attend } from '/static/utility/api.js';
import { form, sending } from '/static/utility/form.js';

const DRAWN = new Set(['flooding', 'drain_blocked', 'manhole_cover_displaced', 'hydrant_no_pressure', 'severed_cable', 'fibre_break', 'pole_tilt', 'street_light_out']);
/** @type {Record<string, string>} the clock that runs in a stage */
const NEXT = { dispatched: 'accept', returned: 'accept', accepted: 'arrive', arrived: 'dispose', reworked: 'dispose' };
const main = /** @type {HTMLElement} */ (document.querySelector('#ticket'));
const net = /** @type {HTMLElement} */ (document.querySelector('#net'));
/** @type {any} */
let shown = null;
let heard = 0;
const chart = el('img', { loading: 'lazy', onerror: () => chart.closest('section')?.remove() });

/** @param {string} stage */
const stageOf = (stage) => (has(`u.s.${stage}`) ? t(`u.s.${stage}`) : stageName(stage));

/** @param {any} ticket */
function due(ticket) {
  const next = NEXT[ticket.stage], at = next && ticket.deadlines?.[next];
  if (!at) return null;
  const late = Date.parse(at) < Date.now();
  return el('p', { class: 'due', data: { late: String(late) } }, t(`u.due.${next}`).replace('{t}', timeOf(at, shown.timezone)), late ? ` · ${t('u.late')}` : '');
}

/** The way there: a map of China's own by its own coordinates, and whatever map the phone has. @param {any} place @param {any} way */
function where({ lon, lat, address }, way) {
  if (!Number.isFinite(lon) || !Number.isFinite(lat)) return null;
  const name = encodeURIComponent(String(address ?? '').replace(/[,|]/g, ' '));
  return el('div', { class: 'ways' },
    way ? el('a', { href: `https://uri.amap.com/navigation?to=${way.gcj02_lon},${way.gcj02_lat},${name}&mode=car&coordinate=gaode&callnative=1&src=gridsentry`, rel: 'noreferrer' }, t('u.amap')) : null,
    el('a', { href: `geo:${lat},${lon}?q=${lat},${lon}` }, t('u.geo')));
}

function draw() {
  const { ticket } = shown, focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const kind = shown.kind?.[language()] ?? ticket.kind;
  const steps = ticket.timeline.slice(-8).reverse().map((/** @type {any} */ step) => el('li', {}, el('time', { datetime: step.at }, timeOf(step.at, shown.timezone)), step.note ? say(both(step.note)) : stageOf(step.change)));
  const link = `${api}/plot.svg?width=520&lang=${language()}&rev=${ticket.rev}`;
  chart.alt = t('u.chartAlt');
  if (DRAWN.has(ticket.kind) && chart.getAttribute('src') !== link) chart.src = link;
  main.replaceChildren(...[
    el('section', {}, el('p', { class: 'soft' }, say(shown.utility)),
      el('p', { class: 'about' }, icon(ticket.kind), el('b', {}, say(kind)), el('span', { class: 'stage', role: 'status' }, stageOf(ticket.stage))),
      el('h1', {}, say(ticket.place.address || ticket.grid)), el('p', {}, say(both(ticket.incident_detail?.reason) ?? '')), due(ticket)),
    form(shown, look),
    el('section', {}, el('h2', {}, t('u.where')), el('p', {}, say(ticket.place.address || ticket.grid)), where(ticket.place, shown.way),
      shown.contact ? el('p', { class: 'soft' }, say(t('u.contact').replace('{n}', shown.contact))) : null),
    DRAWN.has(ticket.kind) ? el('section', {}, el('h2', {}, t('u.chart')), el('div', { class: 'chart', tabindex: 0, role: 'group', 'aria-label': t('u.chart') }, chart)) : null,
    el('section', {}, el('h2', {}, t('u.soFar')), el('ol', {}, ...steps)),
  ].filter((node) => node !== null));
  if (focused && main.contains(focused)) focused.focus({ preventScroll: true });
}

/** @param {string} text */
function tell(text) { net.textContent = text; net.hidden = text === ''; }

/** Read it, if it is another than what is shown. */
async function look() {
  if (sending.now || (document.hidden && shown)) return;
  try {
    const told = await ask(shown ? `?rev=${shown.ticket.rev}` : '');
    heard = Date.now();
    tell('');
    if (told.ticket && !sending.now) { shown = told; draw(); }
  } catch (error) {
    const { status, message } = /** @type {any} */ (error);
    if (status === 403 || status === 410) { shown = null; main.replaceChildren(el('section', {}, el('p', { class: 'said', role: 'alert' }, say(both(message))))); }
    else if (!shown) main.replaceChildren(el('section', {}, el('p', { class: 'said', role: 'alert' }, say(status === 0 ? t('u.notSent') : both(message)))));
    else if (status === 0) tell(t('u.offline').replace('{t}', timeOf(heard, shown.timezone)));
  }
}

const lang = /** @type {HTMLButtonElement} */ (document.querySelector('#lang'));
function words() {
  apply();
  document.title = t('u.brand');
  lang.textContent = language() === 'zh' ? 'English' : '中文';
  lang.lang = language() === 'zh' ? 'en' : 'zh-CN';
}
lang.addEventListener('click', () => { setLanguage(language() === 'zh' ? 'en' : 'zh'); words(); if (shown) draw(); });
words();
look().then(() => attend(look));
