// @ts-check
// What is known at this place, and what this telephone reported here.

import { t } from '/static/common/i18n.js';
import { el, icon, say, svg } from '/static/common/text.js';
import { mine, waiting } from '/static/resident/kept.js';

/** @typedef {{kind: string, state: string, since: string, metres: number | null}} Known */
/** @typedef {{code: string, zh: string, en: string, what: string, now: string, kinds: string[], positioned: boolean, here: Known[]}} Place */

const NEAR_M = 20;

/** @param {string} key @param {Record<string, string | number>} values */
export function fill(key, values) {
  return Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, String(value)), t(key));
}

/** How long ago, in words. @param {string} since @param {number} now epoch ms by the center's clock */
export function ago(since, now) {
  const minutes = Math.floor((now - Date.parse(since)) / 60_000);
  if (minutes < 1) return t('r.justNow');
  if (minutes < 60) return fill('r.ago', { n: minutes });
  return minutes < 2880 ? fill('r.agoH', { n: Math.floor(minutes / 60) }) : fill('r.agoD', { n: Math.floor(minutes / 1440) });
}

/** @param {Place} place @param {HTMLElement} box @param {number} now */
export function showKnown(place, box, now) {
  const items = place.here.map((one) => el('li', { class: 'known', data: { state: one.state } },
    el('span', { class: 'badge' }, icon(one.kind)),
    el('span', { class: 'what' },
      el('b', {}, t(`k.${one.kind}`)),
      el('span', { class: 'soft' }, [ago(one.since, now), one.metres === null ? null : one.metres <= NEAR_M ? t('r.rightHere') : fill('r.metres', { n: one.metres })].filter(Boolean).join(' · '))),
    el('span', { class: 'state' }, t(`s.${one.state}`))));
  box.replaceChildren(...(items.length
    ? [el('ul', { class: 'list' }, ...items), el('p', { class: 'soft hint' }, t('r.knownHint'))]
    : [el('p', { class: 'nothing' }, tick(), t('r.nothing'))]));
}

/** @param {string} code @param {HTMLElement} box @param {number} now */
export function showMine(code, box, now) {
  const queued = waiting().filter((one) => one.code === code);
  const taken = mine(code);
  box.hidden = queued.length + taken.length === 0;
  box.querySelector('ul')?.replaceChildren(
    ...queued.map((one) => el('li', { class: 'mine' }, el('span', { class: 'what' }, el('b', {}, t(`k.${one.kind ?? 'other'}`)), el('span', { class: 'soft' }, t('r.waitingOne'))))),
    ...taken.map((one) => el('li', { class: 'mine' }, el('a', { href: `#${one.follow}`, class: 'what' }, el('b', {}, t(`k.${one.kind ?? 'other'}`)), el('span', { class: 'soft' }, ago(new Date(one.at).toISOString(), now))), chevron())));
}

/** @param {Place} place @param {string} language */
export const placeName = (place, language) => say(language === 'zh' ? place.zh : place.en);

const tick = () => svg('svg', { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' }, svg('path', { d: 'M5 13l5 5L20 7' }));
const chevron = () => svg('svg', { viewBox: '0 0 24 24', class: 'icon chevron', 'aria-hidden': 'true' }, svg('path', { d: 'M9 5l7 7-7 7' }));
