// @ts-check
// What a device measured, over any period: one chart for each metric, drawn by uPlot. The center
// chooses the grain so that a chart has about as many points as pixels; a closer look asks anew.

import uPlot from './uplot.js';
import { both, t } from '../i18n.js';
import { clean, el, say } from '../text.js';
import './words.js';

/** @typedef {{device: string, metric: string, unit: string | null, t: number[], value: (number | null)[], low?: (number | null)[], high?: (number | null)[]}} Series
 * @typedef {{resolution: string, series: Series[]}} Answer
 * @typedef {import('/static/vendor/uplot/uPlot')} Plot
 * @typedef {{get: (path: string) => Promise<any>, zone: string, now?: () => number}} On */

const SPANS = { '1h': 3600e3, '6h': 6 * 3600e3, '1d': 86400e3, '7d': 7 * 86400e3, '30d': 30 * 86400e3, '365d': 365 * 86400e3 };
const LEAST_MS = 10_000, MOST_MS = 10 * 365 * 86400e3, MOST_CHARTS = 8, HEIGHT = 150;
/** What a device says of itself comes last. */
const OWN = new Set(['battery', 'rssi', 'snr', 'temperature', 'humidity']);
const STYLES = ['/static/vendor/uplot/uPlot.min.css', '/static/common/history/history.css'];

/** Opens the history of a device, from `at` (epoch ms) minus the hours before to a little after; without
 * `at` of the last day. @param {string} device @param {On} on @param {number} [at] */
export async function openHistory(device, on, at) {
  await Promise.all(STYLES.map(styled));
  document.querySelector('#history')?.remove();
  const now = on.now ?? Date.now;
  let [since, until] = at ? [at - 3 * 3600e3, Math.min(now(), at + 3600e3)] : [now() - 86400e3, now()];
  let turn = 0, preset = at ? '' : '1d';
  /** @type {Plot[]} */
  let drawn = [];
  /** @type {Answer | null} */
  let answer = null;
  const opener = /** @type {HTMLElement | null} */ (document.activeElement);
  const grain = el('span', { class: 'soft', role: 'status' }), bar = el('div', { class: 'his-bar', role: 'group', 'aria-label': t('hisPeriod') });
  const charts = el('div', {}), csv = el('a', { download: '' }, 'CSV');
  const box = el('dialog', { id: 'history', 'aria-labelledby': 'history-name' },
    el('div', { class: 'his-head' }, el('h2', { id: 'history-name' }, say(device)), grain, el('button', { type: 'button', 'aria-label': t('close'), onclick: () => box.close() }, '×')),
    bar, el('p', { class: 'his-hint' }, t('hisHint')), charts);
  box.addEventListener('close', () => { forget(); removeEventListener('resize', resized); box.remove(); opener?.focus(); });

  const look = (/** @type {number} */ from, /** @type {number} */ to, name = '') => {
    const wide = Math.min(MOST_MS, Math.max(LEAST_MS, to - from)), middle = (from + to) / 2;
    const end = Math.min(now(), middle + wide / 2);
    // A drag selects in all charts at once, and each tells of it.
    if (Math.abs(end - until) + Math.abs(end - wide - since) < 2 && name === preset) return;
    until = end; since = end - wide; preset = name;
    load();
  };
  const zoom = (/** @type {number} */ by) => { const middle = (since + until) / 2, half = ((until - since) / 2) * by; look(middle - half, middle + half); };
  const move = (/** @type {number} */ by) => { const step = (until - since) * by; look(since + step, until + step); };

  function buttons() {
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset.do;
    const button = (/** @type {string} */ name, /** @type {string} */ text, /** @type {() => void} */ run) => el('button', { type: 'button', data: { do: name }, 'aria-pressed': name in SPANS ? String(preset === name) : null, onclick: run }, text);
    bar.replaceChildren(...Object.entries(SPANS).map(([name, wide]) => button(name, t(`his_${name}`), () => look(now() - wide, now(), name))),
      button('earlier', `‹ ${t('hisEarlier')}`, () => move(-0.5)), button('later', `${t('hisLater')} ›`, () => move(0.5)), button('in', `+ ${t('hisIn')}`, () => zoom(0.5)), button('out', `− ${t('hisOut')}`, () => zoom(2)), csv);
    if (focused) /** @type {HTMLElement | null} */ (bar.querySelector(`[data-do="${focused}"]`))?.focus();
  }
  function forget() { for (const plot of drawn) plot.destroy(); drawn = []; }

  async function load() {
    const mine = (turn += 1);
    const asked = new URLSearchParams({ device, since: String(Math.round(since)), until: String(Math.round(until)), points: String(Math.max(200, Math.round(box.clientWidth))) });
    csv.href = `/api/v1/history?${asked}&format=csv`;
    buttons();
    box.setAttribute('aria-busy', 'true');
    try {
      const told = await on.get(`/api/v1/history?${asked}`);
      if (mine !== turn) return;
      answer = told;
      draw();
    } catch (error) {
      if (mine !== turn) return;
      forget();
      charts.replaceChildren(el('p', { class: 'his-none', role: 'alert' }, say(both(/** @type {Error} */ (error).message))));
    } finally { if (mine === turn) box.setAttribute('aria-busy', 'false'); }
  }

  function draw() {
    forget();
    if (!answer) return;
    const told = answer.series.filter((one) => one.t.length).sort((a, b) => Number(OWN.has(a.metric)) - Number(OWN.has(b.metric)));
    grain.textContent = told.length ? t(`hisGrain_${answer.resolution}`) : '';
    const ink = getComputedStyle(document.documentElement), colour = (/** @type {string} */ name) => ink.getPropertyValue(name).trim();
    const rest = told.length - MOST_CHARTS;
    charts.replaceChildren(...told.slice(0, MOST_CHARTS).map((one) => part(one, colour)), rest > 0 ? el('p', { class: 'his-hint' }, t('hisMore').replace('{n}', String(rest))) : '', told.length ? '' : el('p', { class: 'his-none' }, t('hisNone')));
    for (const node of /** @type {NodeListOf<any>} */ (charts.querySelectorAll('.his-plot'))) node.draw();
  }

  /** @param {Series} one @param {(name: string) => string} colour */
  function part(one, colour) {
    const unit = one.unit ? ` ${one.unit}` : '', name = t(`m_${one.metric}`) === `m_${one.metric}` ? clean(one.metric).replaceAll('_', ' ') : t(`m_${one.metric}`);
    const all = one.value.filter((value) => value !== null), says = el('output', {});
    const summary = t('hisRange').replace('{low}', round(Math.min(...spread(one.low ?? all)))).replace('{high}', round(Math.max(...spread(one.high ?? all)))).replace('{last}', round(all[all.length - 1] ?? NaN)) + unit;
    says.textContent = summary;
    const node = /** @type {any} */ (el('div', { class: 'his-plot', role: 'img', 'aria-label': `${name}: ${summary}` }));
    const banded = one.low && one.high;
    const line = colour('--pipe'), data = /** @type {import('/static/vendor/uplot/uPlot').AlignedData} */ ([one.t.map((ms) => ms / 1000), one.value, ...(banded ? [one.high, one.low] : [])]);
    const axis = { stroke: colour('--soft'), grid: { stroke: colour('--line'), width: 1 }, ticks: { stroke: colour('--line'), width: 1 }, font: '11px system-ui, sans-serif' };
    node.draw = () => drawn.push(new uPlot({
      width: node.clientWidth, height: HEIGHT, legend: { show: false }, tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), on.zone),
      scales: { x: { time: true, range: () => [since / 1000, until / 1000] } },
      axes: [{ ...axis, values: (_plot, splits) => splits.map((at) => clock(at * 1000)), space: 84 }, { ...axis, size: 58, values: (_plot, splits) => splits.map((value) => (value === null ? '' : round(value))) }],
      series: [{}, { stroke: line, width: 1.6, points: { show: one.t.length < 80 } }, ...(banded ? [{ stroke: 'transparent', points: { show: false } }, { stroke: 'transparent', points: { show: false } }] : [])],
      bands: banded ? [{ series: [2, 3], fill: `${line}33` }] : [],
      cursor: { sync: { key: 'history' }, drag: { x: true, y: false, setScale: false }, y: false, bind: { dblclick: () => () => { zoom(2); return null; } } },
      hooks: {
        setSelect: [(plot) => { if (plot.select.width > 4) look(plot.posToVal(plot.select.left, 'x') * 1000, plot.posToVal(plot.select.left + plot.select.width, 'x') * 1000); }],
        setCursor: [(plot) => {
          const i = plot.cursor.idx, value = i === null || i === undefined ? null : one.value[i];
          says.textContent = i === null || i === undefined || value === null ? summary : `${clock(Number(one.t[i]), true)} · ${round(Number(value))}${unit}${banded ? ` (${round(Number(one.low?.[i]))}–${round(Number(one.high?.[i]))})` : ''}`;
        }],
      },
    }, data, node));
    return el('section', { data: { metric: one.metric } }, el('h3', {}, say(name), says), node);
  }

  /** @param {number} ms @param {boolean} [full] */
  function clock(ms, full = false) {
    const wide = until - since, days = full || wide > 86400e3 * 1.5;
    return new Intl.DateTimeFormat('zh-CN', { timeZone: on.zone, hourCycle: 'h23', ...(days ? { month: '2-digit', day: '2-digit' } : {}), ...(full || wide < 86400e3 * 12 ? { hour: '2-digit', minute: '2-digit' } : {}), ...(full || wide < 600e3 ? { second: '2-digit' } : {}) }).format(ms).replace('/', '-');
  }

  let waiting = 0;
  function resized() { clearTimeout(waiting); waiting = window.setTimeout(draw, 200); }
  addEventListener('resize', resized);
  charts.replaceChildren(el('p', { class: 'his-none' }, t('hisLoading')));
  document.body.append(box);
  box.showModal();
  await load();
}

/** @param {number} value */
const round = (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(4))) : '–');
/** At most so many as a call takes. @param {(number | null)[]} values @returns {number[]} */
const spread = (values) => /** @type {number[]} */ (values.filter((value) => value !== null)).slice(0, 60_000);

/** @param {string} href @returns {Promise<void>} */
function styled(href) {
  if (document.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  return new Promise((done) => document.head.append(el('link', { rel: 'stylesheet', href, onload: done, onerror: done })));
}
