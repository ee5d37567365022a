// @ts-check
// The newest changes: when, what, where, how far.

import { stageName, t } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';
import { shape } from '/static/wall/shape.js';

/** @typedef {{id: string, at: string, kind: string, severity: number, state: string, place: string}} Told */

let newest = '';

/** @param {HTMLElement} list @param {Told[]} told @param {(kind: string) => string} name @param {string} zone */
export function showTicker(list, told, name, zone) {
  const time = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const seen = newest;
  list.replaceChildren(...(told.length ? told.map((one) => el('li', { data: { severity: String(one.severity), fresh: String(seen !== '' && one.at > seen), state: one.state } },
    shape(one.severity), el('time', { datetime: one.at }, time.format(new Date(one.at))),
    say(name(one.kind), 'what'), say(one.place, 'place'), el('span', { class: 'state' }, stageName(one.state)))) : [el('li', { class: 'quiet' }, t('w.quiet'))]));
  newest = told.reduce((most, one) => (one.at > most ? one.at : most), '');
}
