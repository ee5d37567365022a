// @ts-check
// Counters, gauges and the last 24 hours. Each is built anew from a frame: nothing grows in weeks.

import { language, t } from '/static/common/i18n.js';
import { el, svg } from '/static/common/text.js';

/** @typedef {{clock: string, kept: number, missed: number, share: number | null}} Gauge */
/** @typedef {{open: number, overdue: number, waiting: number, onway: number, onsite: number, opened_today: number, closed_today: number, on_time: number | null, gauges: Gauge[], hours: string[], opened: number[], closed: number[]}} Figures */

/** @param {string} key @param {Record<string, string | number>} values */
export const fill = (key, values) => Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, String(value)), t(key));
/** @param {number | null} share */
const percent = (share) => (share === null ? '—' : String(share >= 0.9995 ? 100 : Math.floor(share * 1000) / 10).replace(/(\d{2,})\.\d$/, '$1'));
/** @param {number} n */
const grouped = (n) => new Intl.NumberFormat(language() === 'zh' ? 'zh-CN' : 'en-GB').format(n);
const GOOD = 0.9, FAIR = 0.75; // 按期率 of nine in ten is what published targets ask
/** @param {number | null} share */
const level = (share) => (share === null ? 'none' : share >= GOOD ? 'good' : share >= FAIR ? 'fair' : 'bad');

/** @type {Map<string, string>} */
const last = new Map();

/** @param {HTMLElement} list @param {Figures} now */
export function showCounters(list, now) {
  /** @type {[string, string, string][]} name, number, level */
  const rows = [
    ['open', grouped(now.open), ''], ['overdue', grouped(now.overdue), now.overdue ? 'bad' : 'good'],
    ['waiting', grouped(now.waiting), ''], ['onway', grouped(now.onway), ''],
    ['closed', grouped(now.closed_today), ''], ['rate', percent(now.on_time), level(now.on_time)],
  ];
  list.replaceChildren(...rows.map(([name, number, state]) => {
    const changed = last.has(name) && last.get(name) !== number;
    last.set(name, number);
    const unit = name === 'rate' && number !== '—' ? el('small', {}, '%') : null;
    const sign = name === 'overdue' && state === 'bad' ? el('i', { class: 'sign', 'aria-hidden': 'true' }, '!') : null;
    return el('div', { data: { name, state, changed: String(changed) } }, el('dt', {}, t(`w.${name}`)), el('dd', {}, number, unit, sign));
  }));
}

/** @param {HTMLElement} box @param {Gauge[]} gauges */
export function showGauges(box, gauges) {
  box.replaceChildren(...gauges.map(({ clock, kept, missed, share }) => {
    const arc = 'M10 54A40 40 0 0 1 90 54';
    const picture = svg('svg', { viewBox: '0 0 100 60', 'aria-hidden': 'true' },
      svg('path', { d: arc, class: 'track', pathLength: 100 }),
      ...(share ? [svg('path', { d: arc, class: 'value', pathLength: 100, 'stroke-dasharray': `${Math.max(1, share * 100)} 200` })] : []),
      // The aim, nine in ten: 162 degrees round the arc.
      svg('path', { d: 'M83.300 45.200L93.800 41.800', class: 'aim' }));
    return el('figure', { data: { state: level(share) } }, picture,
      el('figcaption', {}, el('b', { class: share !== null && share >= 0.9995 ? 'whole' : '' }, percent(share), share === null ? null : el('small', {}, '%')), el('span', {}, t(`w.${clock}`)), el('span', { class: 'small' }, kept + missed ? fill('w.of', { k: grouped(kept), n: grouped(kept + missed) }) : t('w.none'))));
  }));
}

/** @param {HTMLElement} box @param {HTMLElement} key @param {Figures} now @param {string} zone */
export function showTrend(box, key, now, zone) {
  const wide = 480, high = 150, foot = 26, most = Math.max(4, ...now.opened, ...now.closed);
  const step = wide / now.hours.length;
  /** @param {number} n */
  const y = (n) => high - (n / most) * (high - 18);
  const hour = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', hourCycle: 'h23' });
  const bars = now.opened.map((n, i) => svg('rect', { x: (i + 0.18) * step, y: y(n), width: step * 0.64, height: high - y(n), rx: 2, class: 'opened' }));
  const points = now.closed.map((n, i) => `${((i + 0.5) * step).toFixed(1)},${y(n).toFixed(1)}`);
  const labels = now.hours.flatMap((text, i) => {
    const h = Number(hour.format(new Date(text)));
    return h % 6 === 0 ? [svg('text', { x: (i + 0.5) * step, y: high + foot - 3, 'text-anchor': i > 21 ? 'end' : i < 2 ? 'start' : 'middle' }, `${String(h).padStart(2, '0')}:00`), svg('path', { d: `M${(i + 0.5) * step} ${high}v5`, class: 'axis' })] : [];
  });
  const sum = (/** @type {number[]} */ list) => list.reduce((a, b) => a + b, 0);
  box.replaceChildren(svg('svg', { viewBox: `0 0 ${wide} ${high + foot}`, role: 'img', 'aria-label': fill('w.chart', { o: sum(now.opened), c: sum(now.closed) }) },
    svg('path', { d: `M0 ${high}H${wide}`, class: 'axis' }), ...bars,
    svg('polyline', { points: points.join(' '), class: 'closed' }),
    ...points.map((p) => svg('circle', { cx: p.split(',')[0], cy: p.split(',')[1], r: 3.2, class: 'dot' })), ...labels));
  key.replaceChildren(el('span', { class: 'opened' }, `${t('w.newOnes')} ${grouped(sum(now.opened))}`), el('span', { class: 'closed' }, `${t('w.doneOnes')} ${grouped(sum(now.closed))}`));
}
