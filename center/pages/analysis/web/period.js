// @ts-check
// The period that is looked at, in days of the city.

import { known } from '/static/common/office/frame.js';
import { segmented } from '/static/common/office/table.js';
import { t } from '/static/common/i18n.js';
import { el } from '/static/common/text.js';

/** Today's date in the city. */
export function today() {
  return new Intl.DateTimeFormat('en-CA', { timeZone: known.city.timezone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(new Date());
}
/** @param {string} date YYYY-MM-DD @param {number} days */
export function dayAfter(date, days) {
  const moment = new Date(`${date}T00:00:00Z`);
  moment.setUTCDate(moment.getUTCDate() + days);
  return moment.toISOString().slice(0, 10);
}
/** When that day begins in the city. @param {string} date @returns {Date} */
export function begins(date) {
  const zero = new Date(`${date}T00:00:00Z`).getTime();
  let moment = zero;
  for (let i = 0; i < 2; i += 1) moment = zero - ahead(moment); // twice: the clock may change between
  return new Date(moment);
}
/** How far the city's clock is ahead of UTC then, ms. @param {number} moment */
function ahead(moment) {
  const parts = new Intl.DateTimeFormat('en-CA', { timeZone: known.city.timezone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' }).formatToParts(moment);
  const of = (/** @type {string} */ name) => Number(parts.find((part) => part.type === name)?.value);
  return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second')) - moment;
}

/** What the center is asked for. @param {Record<string, string>} said `period`, `from`, `to` @returns {{since: string, until: string | null, query: string}} */
export function periodOf({ period, from, to }) {
  const now = today();
  let first = now, last = now;
  if (period === '7' || period === '30') first = dayAfter(now, 1 - Number(period));
  if (period === 'custom') { first = from || now; last = to || now; if (last < first) [first, last] = [last, first]; }
  const since = begins(first).toISOString();
  const until = period === 'custom' && last < now ? begins(dayAfter(last, 1)).toISOString() : null;
  return { since, until, query: `since=${since}${until ? `&until=${until}` : ''}` };
}

/** The chooser. @param {Record<string, string>} said @param {(changes: Record<string, string>) => void} change */
export function chooser(said, change) {
  const now = today();
  /** @param {string} name @param {string} label @param {string} value */
  const date = (name, label, value) => el('label', { class: 'row' }, label, el('input', { type: 'date', max: now, value, onchange: (/** @type {any} */ event) => { if (event.target.value) change({ [name]: event.target.value }); } }));
  return [
    segmented(t('anPeriod'), [['today', t('anToday')], ['7', t('an7')], ['30', t('an30')], ['custom', t('anCustom')]], said.period, (period) =>
      change(period === 'custom' ? { period, from: said.from || dayAfter(now, -6), to: said.to || now } : { period, from: '', to: '' })),
    ...(said.period === 'custom' ? [date('from', t('anFrom'), said.from || now), date('to', t('anTo'), said.to || now)] : []),
  ];
}
