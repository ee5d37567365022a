// @ts-check
// Figures: tiles, the trend, and the table by group.

import { get } from '/static/common/api.js';
import { kindName, known, span, when } from '/static/common/office/frame.js';
import { chart } from '/static/common/office/chart.js';
import { bar, percent, segmented, table } from '/static/common/office/table.js';
import { language, t } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';

/** @typedef {Record<string, any>} Figures */
/** @typedef {{id: string, name: string, figures: Figures}} Line */
/** @typedef {{said: Record<string, string>, query: string, change: (changes: Record<string, string>) => void}} Asked */

const GROUPS = ['utility', 'grid', 'kind', 'worker', 'district', 'time'];
/** What the curve may show. @type {Record<string, {label: string, of: (f: Figures) => number | null, text: (v: number) => string, most?: number}>} */
const CURVES = {
  on_time_rate: { label: 'fOnTime', of: (f) => f.on_time_rate, text: (v) => `${Math.round(v * 100)}%`, most: 1 },
  first_response: { label: 'fResponse', of: (f) => f.first_response.mean, text: span },
  rework_rate: { label: 'fRework', of: (f) => f.rework_rate, text: (v) => `${Math.round(v * 100)}%` },
  satisfaction: { label: 'fSatisfaction', of: (f) => f.satisfaction, text: (v) => v.toFixed(1), most: 5 },
};

/** @param {Figures} f */
function tiles(f) {
  const few = (/** @type {any} */ value, digits = 2) => (value === null ? '–' : value.toFixed(digits));
  /** @type {[string, string, string][]} */
  const shown = [
    ['fFiled', String(f.filed), `${t('fReported')} ${f.reported}`],
    ['fClosing', percent(f.closing_rate), `${t('fClosed')} ${f.closed} / ${t('fDue')} ${f.due}`],
    ['fOnTime', percent(f.on_time_rate), `${f.on_time} / ${f.due - f.deferred}`],
    ['fResponse', span(f.first_response.mean), f.first_response.n ? `${t('anNine')} ${span(f.first_response.p90)}` : ''],
    ['fDisposal', span(f.disposal.mean), f.disposal.n ? `${t('anNine')} ${span(f.disposal.p90)}` : ''],
    ['fRework', percent(f.rework_rate), `${t('fReturn')} ${percent(f.return_rate)}`],
    ['fSatisfaction', few(f.satisfaction), f.satisfied_rate === null ? '' : `≥4 ${percent(f.satisfied_rate)}`],
    ['fScore', few(f.score), ''],
  ];
  return el('div', { class: 'tiles' }, ...shown.map(([label, value, more]) => el('div', { class: 'tile' }, el('span', {}, t(label)), el('b', {}, value), el('small', {}, more))));
}

/** @param {{step: string, items: {since: string, until: string, figures: Figures}[]}} series @param {Asked} asked */
function trend(series, { said, change }) {
  const curve = CURVES[said.curve] ?? CURVES.on_time_rate;
  const zone = known.city.timezone, locale = language() === 'zh' ? 'zh-CN' : 'en-GB';
  const short = new Intl.DateTimeFormat(locale, series.step === 'hour' ? { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } : { timeZone: zone, month: 'numeric', day: 'numeric' });
  const points = series.items.map((item) => ({
    label: short.format(new Date(item.since)), long: `${when(item.since)} – ${when(item.until)}`, bar: item.figures.filed, line: curve.of(item.figures),
  }));
  const pick = el('select', { 'aria-label': t('anMeasure'), onchange: (/** @type {any} */ event) => change({ curve: event.target.value }) },
    ...Object.entries(CURVES).map(([name, one]) => el('option', { value: name, selected: name === said.curve }, t(one.label))));
  return el('section', { class: 'panel' },
    el('div', { class: 'head' }, el('h2', {}, t('anTrend'), ' ', el('small', {}, t(`anStep_${series.step}`))), pick),
    chart({ label: `${t('fFiled')}, ${t(curve.label)} ${t(`anStep_${series.step}`)}`, points, bars: t('fFiled'), line: t(curve.label), ofLine: curve.text, lineMost: curve.most }));
}

/** Where the desk shows these tickets. @param {string} by @param {Line} line */
function desk(by, line) {
  const key = by === 'worker' || by === 'district' ? 'q' : by;
  const value = by === 'worker' ? line.name : line.id;
  return el('a', { href: `/?scope=all&${key}=${encodeURIComponent(value)}`, title: t('anTickets') }, say(by === 'kind' ? kindName(line.id) : line.name));
}

/** @param {Asked} asked @param {Line[]} rows @param {Figures | null} total */
function groups({ said, query, change }, rows, total) {
  const by = said.by;
  /** @param {string} key @param {string} label @param {(f: Figures) => any} value @param {(f: Figures) => any} [cell] @param {string} [hint] */
  const figure = (key, label, value, cell, hint) => ({ key, label: t(label), number: true, hint: hint && t(hint), value: (/** @type {Line} */ row) => value(row.figures), cell: cell && ((/** @type {Line} */ row) => cell(row.figures)) });
  /** @param {string} name */
  const time = (name) => [(/** @type {Figures} */ f) => f[name].mean, (/** @type {Figures} */ f) => el('span', { title: f[name].n ? `${t('anHalf')} ${span(f[name].p50)}, ${t('anNine')} ${span(f[name].p90)}, n ${f[name].n}` : null }, span(f[name].mean))];
  const [response, shownResponse] = time('first_response'), [disposal, shownDisposal] = time('disposal');
  const few = (/** @type {number | null} */ value) => (value === null ? null : value.toFixed(2));
  const columns = [
    { key: 'name', label: t(`by_${by}`), value: (/** @type {Line} */ row) => (by === 'time' ? row.id : by === 'kind' ? kindName(row.id) : row.name), cell: (/** @type {Line} */ row) => (row.id === '' ? t('fTotal') : by === 'time' ? row.name : desk(by, row)) },
    figure('filed', 'fFiled', (f) => f.filed), figure('closed', 'fClosed', (f) => f.closed), figure('due', 'fDue', (f) => f.due, undefined, 'hDue'),
    figure('on_time_rate', 'fOnTime', (f) => f.on_time_rate, (f) => bar(f.on_time_rate), 'hOnTime'), figure('first_response', 'fResponse', response, shownResponse, 'hResponse'),
    figure('disposal', 'fDisposal', disposal, shownDisposal), figure('disposed_on_time_rate', 'fDisposed', (f) => f.disposed_on_time_rate, (f) => percent(f.disposed_on_time_rate)),
    figure('rework_rate', 'fRework', (f) => f.rework_rate, (f) => percent(f.rework_rate)), figure('return_rate', 'fReturn', (f) => f.return_rate, (f) => percent(f.return_rate)),
    figure('satisfaction', 'fSatisfaction', (f) => f.satisfaction, (f) => few(f.satisfaction)), figure('score', 'fScore', (f) => f.score, (f) => few(f.score), 'hScore'),
  ];
  const csv = by === 'time' ? `/api/v1/analysis/series.csv?${query}` : `/api/v1/figures.csv?by=${by}&${query}`;
  return el('section', { class: 'panel' },
    el('div', { class: 'head' }, el('h2', {}, t('anBy')),
      segmented(t('anBy'), GROUPS.map((name) => [name, t(`by_${name}`)]), by, (name) => change({ by: name, sort: '' })),
      el('a', { class: 'button noprint', href: csv, download: '' }, t('officeCsv')), el('button', { class: 'noprint', onclick: () => print() }, t('officePrint'))),
    table({ columns, rows, caption: `${t('anFigures')} · ${t(`by_${by}`)}`, sort: said.sort || (by === 'time' ? '-name' : '-filed'), onsort: (sort) => change({ sort }), foot: total && { id: '', name: '', figures: total } }));
}

/** @param {Asked} asked */
export async function show(asked) {
  const { query } = asked;
  const by = GROUPS.includes(asked.said.by) ? asked.said.by : 'utility';
  const [series, lines] = await Promise.all([get(`/api/v1/analysis/series?${query}`), get(`/api/v1/figures?by=${by === 'time' ? 'kind' : by}&${query}`)]);
  return (/** @type {Record<string, string>} */ said) => {
    /** @type {Line[]} */
    const rows = by === 'time' ? series.items.map((/** @type {any} */ item) => ({ id: item.since, name: `${when(item.since)} – ${when(item.until)}`, figures: item.figures })) : lines.items;
    return [tiles(lines.total), trend(series, { ...asked, said }), groups({ ...asked, said: { ...said, by } }, rows, lines.total)];
  };
}
