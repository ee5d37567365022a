// @ts-check
// Rows, bars and words that the evidence of many kinds is told with.

import { both, language, t, timeOf } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';
import { state } from '../../state.js';

/** A row of a fact; none where there is nothing to say. @param {string} name @param {any} value */
export const fact = (name, value) => (value === null || value === undefined || value === '' ? null : el('div', { class: 'fact' }, el('dt', {}, name), el('dd', {}, value instanceof Node ? value : say(value))));
/** @param {(HTMLElement | null)[]} rows */
export const facts = (...rows) => el('dl', { class: 'facts' }, ...rows);
/** A value with its unit and state; nothing where there is no value. @param {unknown} value @param {string} unit @param {string} [how] */
export const told = (value, unit, how) => (value === null || value === undefined ? null : `${value}${unit}${how ? ` · ${t(how)}` : ''}`);
/** @param {unknown} p */
export const percent = (p) => `${Math.round(Number(p) * 100)} %`;

/** Probabilities as bars. @param {[string, number][]} rows @param {string} label */
export function bars(rows, label) {
  return el('table', { class: 'bars' }, el('thead', {}, el('tr', {}, el('th', {}, label), el('th', {}, t('probability')))),
    el('tbody', {}, ...rows.map(([id, p]) => {
      const bar = el('i');
      bar.style.width = `${100 * Math.min(1, Math.max(0, Number(p) || 0))}%`;
      return el('tr', {}, el('td', {}, say(id)), el('td', {}, el('span', { class: 'bar' }, bar), percent(p)));
    })));
}
/** A detector's own reasons, in the reader's language. @param {Record<string, any>} all */
export function reasons(all) {
  /** @type {string[]} */
  const lines = (language() === 'zh' ? all.why_zh : all.why) ?? all.why ?? [];
  return lines.length ? el('ul', { class: 'reasons' }, ...lines.map((line) => el('li', {}, say(onOurClock(both(line) ?? ''))))) : null;
}
/** Moments in a detector's words, on the city's clock. @param {string} words */
const onOurClock = (words) => words.replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (moment) => timeOf(moment, state.city.timezone, true));
/** What it was held against: what it may still be, and what is ruled out. @param {Record<string, any>} all */
export function heldAgainst(all) {
  const out = [all.ruled_out ?? []].flat(), gone = new Set(out.map((one) => one?.what));
  const open = [all.alternatives ?? all.not_ruled_out ?? []].flat().filter((one) => one?.what && one.p >= 0.05 && !gone.has(one.what));
  return [open.length ? fact(t('others'), open.map(ruledOut).join('、')) : null, out.length ? fact(t('ruledOut'), out.map(ruledOut).join('、')) : null];
}
/** What a detector ruled out: {what, p} in words, with what chance was left to it. @param {any} one */
const ruledOut = (one) => (typeof one === 'object' ? `${t(one.what)}（${chance(one.p)}）` : t(one));
/** @param {number} p */
const chance = (p) => (p < 0.001 ? '< 0.1 %' : `${(100 * p).toFixed(1)} %`);
