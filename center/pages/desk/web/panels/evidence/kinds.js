// @ts-check
// What proves an event, by kind: a function from the event to nodes. A new kind is a new entry.

/** @import {Event} from '../../types.js' */

import { language, t, timeOf } from '/static/common/i18n.js';
import { clean, el, say } from '/static/common/text.js';
import { state } from '../../state.js';
import { history, kindName } from '../../words.js';
import { chartOf } from './chart.js';
import { bars, fact, facts, heldAgainst, percent, reasons, told } from './facts.js';
import { media, original, seal } from './media.js';

/** @param {any} origin */
export function windowName(origin) {
  if (!origin) return t('abstain');
  const where = language() === 'zh' ? [origin.floor != null ? `${origin.floor} 层` : '', origin.bay != null ? `${origin.bay} 列` : ''] : [origin.floor != null ? `floor ${origin.floor}` : '', origin.bay != null ? `bay ${origin.bay}` : ''];
  return `${origin.zone} ${where.filter(Boolean).join(' ')}`.trim();
}

/** The fewest neighbouring floors that hold nine tenths of the probability. @param {[number, number, number]} floors */
function floorsOf([low, high, p]) {
  return `${low}–${high}${language() === 'zh' ? ' 层' : ''} ${percent(p)}`;
}

/** Why no window is named: what a person can mend is told apart from what the fall left open. @param {Event} event */
export function whyNone(event) {
  const why = (event.evidence?.why ?? []).join('; ');
  if (why.includes('camera is not calibrated')) return 'uncalibrated';
  return /no window is named: the (camera|picture)/.test(why) ? 'viewOff' : 'abstain';
}

/** Kinds whose device measures nothing. */
const PICTURES = new Set(['high_altitude_throw', 'fibre_break', 'citizen_report']);

/** @type {Record<string, (event: Event) => (Node | null)[]>} */
const KINDS = {
  high_altitude_throw(event) {
    const shown = media(event);
    // Absent by privacy and absent by not being cut yet are different things to tell.
    const withheld = event.links === null;
    return [
      withheld ? null : facts(
        fact(t('window'), event.origin ? el('span', { class: 'window' }, say(windowName(event.origin)), ' ', el('b', {}, percent(event.origin.p))) : t(whyNone(event))),
        event.origin?.floors && event.origin.floors[0] !== event.origin.floors[1] ? fact(t('floors'), floorsOf(event.origin.floors)) : null,
        event.origin?.others?.length ? fact(t('others'), event.origin.others.map((/** @type {[string, number]} */ [zone, p]) => `${zone} ${percent(p)}`).join('、')) : null,
        event.speed ? fact(t('speed'), `${event.speed} m/s`) : null),
      ...shown, withheld ? null : seal(event), withheld ? null : original(event),
      shown.length ? null : el('p', { class: 'hint' }, t(withheld ? 'withheld' : 'pending')),
    ];
  },
  flooding(event) {
    const over = event.overflow_at;
    const zone = state.city.timezone;
    return [
      chartOf(event),
      facts(
        fact(t('now'), told(event.value, ' m', event.stage)),
        event.rate ? fact(t('rate'), `${(event.rate * 3600 * 100).toFixed(1)} cm/h`) : null,
        over?.at ? fact(t('overflowAt'), `${timeOf(over.at, zone)}（${timeOf(over.low ?? over.at, zone)}–${timeOf(over.high ?? over.at, zone)}）`) : null),
      reasons(event.evidence ?? {}),
    ];
  },
  severed_cable(event) {
    return [
      chartOf(event),
      facts(fact(t('line'), `${t(event.what ?? 'severed')} · ${t(event.state ?? 'suspected')}`), event.error_m != null ? fact(t('error'), `± ${event.error_m} m`) : null,
        event.owners?.length ? fact(t('owners'), event.owners.map((/** @type {string} */ owner) => state.city.owners?.[owner] ?? owner).join('、')) : null, ...heldAgainst({ ...event.evidence, ...event })),
      event.spans?.length ? bars(event.spans.slice(0, 8), t('span')) : null,
      reasons(event.evidence ?? {}),
    ];
  },
  fibre_break(event) {
    return [
      chartOf(event),
      facts(fact(t('distance'), event.distance_m == null ? null : `${event.distance_m} m${event.error_m == null ? '' : ` ± ${event.error_m} m`}`), fact(t('loss'), told(event.loss_db, ' dB')), ...heldAgainst({ ...event.evidence, ...event })),
      reasons(event.evidence ?? {}),
    ];
  },
  manhole_cover_displaced(event) {
    const all = event.evidence ?? {};
    return [
      chartOf(event),
      facts(fact(t('now'), told(all.value, '°', all.state)), fact(t('atRest'), told(all.rest, '°')), fact(t('since'), timeOf(all.since, state.city.timezone))),
      reasons(all),
    ];
  },
  hydrant_no_pressure(event) {
    const all = event.evidence ?? {};
    return [
      chartOf(event),
      facts(fact(t('now'), told(all.value, ' kPa', all.state)), fact(t('usual'), told(all.usual, ' kPa')),
        all.zone?.length ? fact(t('hydrants'), all.zone.join('、')) : null, fact(t('since'), timeOf(all.since, state.city.timezone))),
      reasons(all),
    ];
  },
  pole_tilt(event) {
    const all = event.evidence ?? {};
    return [
      chartOf(event),
      facts(fact(t('now'), told(all.value, '°', all.state)), fact(t('atRest'), told(all.rest, '°')), fact(t('since'), all.since ? timeOf(all.since, state.city.timezone) : null),
        ...heldAgainst(all)),
      reasons(all),
    ];
  },
  street_light_out(event) {
    const all = event.evidence ?? {};
    return [
      chartOf(event),
      facts(fact(t('now'), all.value != null ? `${all.value} ${all.units?.value ?? 'A'}${all.state ? ` · ${t(all.state)}` : ''}` : null), all.usual != null ? fact(t('usual'), `${all.usual} ${all.units?.value ?? 'A'}`) : null, fact(t('since'), all.since ? timeOf(all.since, state.city.timezone) : null),
        ...heldAgainst(all)),
      reasons(all),
    ];
  },
  drain_blocked(event) {
    return [chartOf(event), facts(fact(t('since'), timeOf(event.since, state.city.timezone))), event.pipes?.length ? bars(event.pipes.slice(0, 8), t('pipes')) : null, reasons(event.evidence ?? {})];
  },
  sensor_silent(event) {
    const all = event.evidence ?? {}, zone = state.city.timezone;
    return [
      facts(fact(t('lastHeard'), all.last_heard ? timeOf(all.last_heard, zone, true) : null), fact(t('reportsEvery'), seconds(all.reports_every_s)),
        fact(t('backAt'), all.back_at ? timeOf(all.back_at, zone, true) : null)),
      reasons(all),
    ];
  },
  loud_sound(event) {
    const all = event.evidence ?? {};
    const level = all.unit === 'dB(A)' ? ' dB(A)' : ' dBFS(A)';
    return [
      ...media(event),
      facts(fact(t('loudness'), told(all.level, level)), fact(t('background'), told(all.median, level)), fact(t('louderBy'), told(all.over_db, ' dB')),
        fact(t('lasting'), seconds(all.duration_s)), fact(t('soundOnset'), all.onset ? timeOf(all.onset, state.city.timezone, true) : null)),
    ];
  },
  citizen_report(event) {
    const all = event.evidence ?? {};
    return [
      all.text ? el('blockquote', { class: 'quoted' }, say(all.text)) : event.links === null ? el('p', { class: 'hint' }, t('withheld')) : null,
      facts(fact(t('saidKind'), all.kind ? kindName(all.kind) : all.kind_as_said), fact(t('reporter'), all.reporter)),
      ...media(event),
    ];
  },
};

/** @param {unknown} s */
const seconds = (s) => (typeof s === 'number' ? (s < 90 ? `${Math.round(s * 10) / 10} s` : `${Math.round(s / 6) / 10} ${t('min')}`) : null);

/** A kind without an entry of its own: its pictures, its curve, its reasons; without reasons, its facts.
 * @param {Event} event @returns {(Node | null)[]} */
function plain(event) {
  const all = event.evidence ?? {}, why = reasons(all);
  const rows = Object.entries(all).filter(([, v]) => ['string', 'number', 'boolean'].includes(typeof v) && String(v).length < 400).slice(0, 14);
  const table = why ? null : facts(...rows.map(([key, value]) => fact(clean(key).replaceAll('_', ' '), typeof value === 'number' ? String(Math.round(value * 1000) / 1000) : value)));
  return [...media(event), all.curve && all.metric ? chartOf(event) : null, why, table];
}

/** What saw it; a device's name opens what it measured around that moment. @param {Event} event */
function source(event) {
  const { device } = event;
  if (!device || PICTURES.has(event.kind)) return say(device ?? event.site);
  return el('button', { class: 'device', title: t('deviceHistory'), data: { history: device, focus: `history-${event.id}` }, onclick: () => { void history(device, Date.parse(event.at)); } }, say(device));
}

/** The evidence of one event. @param {Event} event */
export function evidenceOf(event) {
  const zone = state.city.timezone;
  return el('article', { class: 'event', data: { kind: event.kind } },
    el('h4', {}, say(state.city.kinds[event.kind]?.[language()] ?? event.kind), el('small', {}, source(event), ' · ', timeOf(event.at, zone, true))),
    ...(KINDS[event.kind] ?? plain)(event).filter((node) => node !== null));
}
