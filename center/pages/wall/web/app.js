// @ts-check
// The big screen: /wall, or /wall#token=… for a screen without a keyboard; ?lang=en, ?lang=zh.

import '/static/wall/words.js';
import { apply, language, severityName, setLanguage, t } from '/static/common/i18n.js';
import { el } from '/static/common/text.js';
import { createMap } from '/static/common/map/map.js';
import { freshStarts, hidePointer, shiftSlowly, stayAwake } from '/static/wall/care.js';
import { fill, showCounters, showGauges, showTrend } from '/static/wall/figures.js';
import { shape } from '/static/wall/shape.js';
import { follow } from '/static/wall/stream.js';
import { showTicker } from '/static/wall/ticker.js';

/** @typedef {[string, string, number, number, number, boolean, string]} Mark id, kind, severity, lon, lat, overdue, opened */

const LATE_MS = 8_000; // without a frame for so long it is said
const FRESH_MS = 90_000;
const given = new URLSearchParams(location.hash.slice(1)).get('token');
/** @type {Record<string, string>} */
const headers = given ? { Authorization: `Bearer ${given}` } : {};
const wanted = new URLSearchParams(location.search).get('lang');
if (wanted === 'zh' || wanted === 'en') setLanguage(wanted);

/** @param {string} selector @returns {HTMLElement} */
const at = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector));
let zone = 'Asia/Shanghai', ahead = 0, heard = 0, state = 'connecting';
/** @type {Record<string, [string, string]>} */
let kinds = {};
/** @type {Map<string, Mark>} */
let marks = new Map();
/** @type {import('/static/common/map/map.js').CityMap | null} */
let map = null;
let mapFailed = false;
const fresh = freshStarts();
/** @param {string} kind */
const name = (kind) => kinds[kind]?.[language() === 'zh' ? 0 : 1] ?? kind;
const now = () => Date.now() + ahead;

/** @param {string} path */
async function get(path) {
  const response = await fetch(path, { headers, signal: AbortSignal.timeout(30_000) });
  if (!response.ok) { mapFailed ||= path === '/api/v1/map'; throw new Error(`HTTP ${response.status}`); }
  return response.json();
}

/** Names on the map as large as the other words here. */
const sizeMap = () => { document.documentElement.style.setProperty('--map-text', String(Math.max(1, (Math.min(innerWidth, innerHeight) * 0.026) / 13))); map?.recolour(); };

function drawMap() {
  if (map !== null && mapFailed) { map.remove(); map = null; at('#map').replaceWith(el('div', { id: 'map' })); }
  if (map === null) {
    mapFailed = false;
    map = createMap(at('#map'), {
      get: (path) => get(path).catch((error) => { if (path === '/api/v1/map') mapFailed = true; throw error; }), still: true, devices: false, legend: false,
    });
  }
  map.tickets([...marks.values()].map(([id, kind, severity, lon, lat, overdue, opened]) => ({
    id, kind, severity, place: /** @type {[number, number]} */ ([lon, lat]), overdue, label: name(kind), fresh: now() - Date.parse(opened) < FRESH_MS,
  })));
}

/** @param {any} told */
function take(told) {
  if (told.whole) {
    zone = told.timezone; kinds = told.kinds;
    at('#city').textContent = told.city;
    marks = new Map();
  }
  for (const mark of told.marks) marks.set(mark[0], mark);
  for (const id of told.gone) marks.delete(id);
  ahead = Date.parse(told.now) - Date.now();
  heard = Date.now();
  state = 'live';
  showCounters(at('#counters dl'), told.figures);
  showGauges(at('#gauges .arcs'), told.figures.gauges);
  showTrend(at('#trend .chart'), at('#trend .key'), told.figures, zone);
  showTicker(at('#ticker ol'), told.ticker, name, zone);
  drawMap();
  tell();
  fresh(told.build, new Date(now()), zone);
}

/** How long, in words. @param {number} ms */
function span(ms) {
  const s = Math.floor(ms / 1000);
  return s < 60 ? fill('w.s', { n: s }) : s < 3600 ? fill('w.min', { n: Math.floor(s / 60) }) : fill('w.h', { n: Math.floor(s / 3600) });
}

/** Say how we stand: large when what is shown is not of now. */
function tell() {
  const late = Date.now() - heard > LATE_MS;
  const shown = state === 'live' && late ? 'lost' : state;
  const away = at('#away');
  document.body.dataset.state = shown;
  at('#link').textContent = shown === 'live' ? t('w.live') : shown === 'connecting' ? t('w.connecting') : t('w.lost');
  const bad = shown !== 'live' && (shown !== 'connecting' || performance.now() > LATE_MS);
  if (bad) {
    const title = { desk: 'w.desk', denied: 'w.denied' }[shown] ?? 'w.lost';
    const time = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    const day = Date.now() - heard > 86_400_000 ? `${new Intl.DateTimeFormat(language() === 'zh' ? 'zh-CN' : 'en-GB', { timeZone: zone, month: 'short', day: 'numeric' }).format(heard + ahead)} ` : '';
    at('#away b').textContent = t(title);
    const lines = shown === 'denied' ? [t('w.deniedText')] : [...(heard ? [fill('w.since', { t: day + time.format(heard + ahead), d: span(Date.now() - heard) })] : []), t('w.never')];
    at('#away span').textContent = lines.join('\n');
  }
  if (away.hidden === bad) away.hidden = !bad;
}

function tick() {
  const date = new Date(now()), lang = language() === 'zh' ? 'zh-CN' : 'en-GB';
  at('#time').textContent = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(date);
  at('#date').textContent = new Intl.DateTimeFormat(lang, { timeZone: zone, month: 'long', day: 'numeric', weekday: 'long' }).format(date);
  tell();
}

apply();
document.title = t('w.title');
at('#legend').replaceChildren(...[5, 4, 3, 2, 1].map((severity) => el('li', { data: { severity: String(severity) } }, shape(severity), severityName(severity))));
sizeMap();
addEventListener('resize', sizeMap);
shiftSlowly(at('#wall'));
stayAwake();
hidePointer();
setInterval(tick, 1000);
tick();
follow('/api/v1/wall/stream', headers, {
  frame({ name: what, data }) { if (what === 'wall') take(data); else if (what === 'away') { state = 'desk'; tell(); } },
  lost(denied) { state = denied ? 'denied' : heard || state === 'lost' ? 'lost' : 'connecting'; tell(); },
});
