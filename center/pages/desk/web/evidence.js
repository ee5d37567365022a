// What proves an event, by kind: a function from the event to nodes. A new kind is a new entry.

import { open } from '../common/api.js';
import { chartOf } from './chart.js';
import { both, language, t, timeOf } from '../common/i18n.js';
import { state } from './state.js';
import { clean, el, say } from '../common/text.js';

const fact = (name, value) => (value === null || value === undefined || value === '' ? null : el('div', { class: 'fact' }, el('dt', {}, name), el('dd', {}, value instanceof Node ? value : say(value))));
const facts = (...rows) => el('dl', { class: 'facts' }, ...rows);
const percent = (p) => `${Math.round(Number(p) * 100)} %`;

function media(event) {
  const { still, clip, photo } = event.links ?? {};
  const nodes = [];
  if (clip) nodes.push(el('video', { src: clip, poster: still, controls: true, muted: true, loop: true, playsinline: true, preload: 'metadata', 'aria-label': t('clip') }));
  if (still) nodes.push(el('figure', {}, el('a', { href: still, target: '_blank', rel: 'noopener' }, el('img', { class: 'still', src: still, alt: t('still') })), el('figcaption', {}, t('still'), ' · ', timeOf(event.at, state.city.timezone, true))));
  if (photo) nodes.push(el('figure', {}, el('img', { class: 'still', src: photo, alt: t('photo') })));
  return nodes;
}

/** Opens what is blurred: a reason first, then the file itself. Nothing of it is kept here. */
function original(event) {
  if (!event.chain || !event.links?.still) return null;
  const reason = el('input', { type: 'text', required: true, minlength: 4, maxlength: 500, 'aria-label': t('originalReason'), placeholder: t('originalReason'), autocomplete: 'off', data: { focus: `why-${event.id}` } });
  const shown = el('div', { class: 'original' });
  const opened = (what) => async (click) => {
    click.preventDefault();
    if (!reason.reportValidity()) return;
    click.currentTarget.disabled = true;
    const button = click.currentTarget;
    try {
      const { url, answer } = await open(`/api/v1/events/${encodeURIComponent(event.id)}/original`, { what, reason: reason.value });
      if (url) shown.replaceChildren(what === 'clip' ? el('video', { src: url, controls: true, muted: true, playsinline: true, 'aria-label': t('originalClip') }) : el('img', { class: 'still', src: url, alt: t('originalStill') }));
      else shown.replaceChildren(el('p', { class: 'hint refused', role: 'alert' }, say(both(answer.reason) ?? t('failed'))));
    } catch (error) { shown.replaceChildren(el('p', { class: 'hint refused', role: 'alert' }, t('failed'))); } finally { button.disabled = false; }
  };
  return el('details', { class: 'originals', data: { event: event.id } }, el('summary', {}, t('original')), el('p', {}, t('originalWhy')),
    el('form', {}, reason, el('button', { type: 'submit', onclick: opened('still') }, t('originalStill')), el('button', { type: 'button', onclick: opened('clip') }, t('originalClip'))), shown);
}

/** What vouches for the evidence, for whoever wants to check it. */
function seal(event) {
  const { chain, links } = event;
  if (!chain) return null;
  return facts(fact(t('sealed'), el('span', { title: chain.hash }, t('sealedText').replace('{n}', chain.number), ' · ', el('code', {}, `${chain.hash.slice(0, 16)}…`))),
    links?.track_file ? fact(t('trackFile'), el('a', { href: links.track_file, target: '_blank', rel: 'noopener' }, 'JSON')) : null);
}

function bars(rows, label) {
  return el('table', { class: 'bars' }, el('thead', {}, el('tr', {}, el('th', {}, label), el('th', {}, t('probability')))),
    el('tbody', {}, ...rows.map(([id, p]) => {
      const bar = el('i');
      bar.style.width = `${100 * Math.min(1, Math.max(0, Number(p) || 0))}%`;
      return el('tr', {}, el('td', {}, say(id)), el('td', {}, el('span', { class: 'bar' }, bar), percent(p)));
    })));
}

function windowName(origin) {
  if (!origin) return t('abstain');
  const where = language() === 'zh' ? [origin.floor != null ? `${origin.floor} 层` : '', origin.bay != null ? `${origin.bay} 列` : ''] : [origin.floor != null ? `floor ${origin.floor}` : '', origin.bay != null ? `bay ${origin.bay}` : ''];
  return `${origin.zone} ${where.filter(Boolean).join(' ')}`.trim();
}

/** The fewest neighbouring floors that hold nine tenths of the probability. */
function floorsOf([low, high, p]) {
  return `${low}–${high}${language() === 'zh' ? ' 层' : ''} ${percent(p)}`;
}

/** Why no window is named: what a person can mend is told apart from what the fall left open. */
function whyNone(event) {
  const why = (event.evidence?.why ?? []).join('; ');
  if (why.includes('camera is not calibrated')) return 'uncalibrated';
  return /no window is named: the (camera|picture)/.test(why) ? 'viewOff' : 'abstain';
}

const KINDS = {
  high_altitude_throw(event) {
    const shown = media(event);
    // Absent by privacy and absent by not being cut yet are different things to tell.
    const withheld = event.links === null;
    return [
      withheld ? null : facts(
        fact(t('window'), event.origin ? el('span', { class: 'window' }, say(windowName(event.origin)), ' ', el('b', {}, percent(event.origin.p))) : t(whyNone(event))),
        event.origin?.floors && event.origin.floors[0] !== event.origin.floors[1] ? fact(t('floors'), floorsOf(event.origin.floors)) : null,
        event.origin?.others?.length ? fact(t('others'), event.origin.others.map(([zone, p]) => `${zone} ${percent(p)}`).join('、')) : null,
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
        fact(t('now'), `${event.value} m${t(event.stage) ? ` · ${t(event.stage)}` : ''}`),
        event.rate ? fact(t('rate'), `${(event.rate * 3600 * 100).toFixed(1)} cm/h`) : null,
        over?.at ? fact(t('overflowAt'), `${timeOf(over.at, zone)}（${timeOf(over.low ?? over.at, zone)}–${timeOf(over.high ?? over.at, zone)}）`) : null),
    ];
  },
  severed_cable(event) {
    return [
      chartOf(event),
      facts(fact(t('line'), `${t(event.what ?? 'severed')} · ${t(event.state ?? 'suspected')}`), event.error_m != null ? fact(t('error'), `± ${event.error_m} m`) : null,
        event.owners?.length ? fact(t('owners'), event.owners.join('、')) : null, ...held({ ...event.evidence, ...event })),
      event.spans?.length ? bars(event.spans.slice(0, 8), t('span')) : null,
      reasons(event.evidence ?? {}),
    ];
  },
  fibre_break(event) {
    return [
      chartOf(event),
      facts(fact(t('distance'), `${event.distance_m} m ± ${event.error_m} m`), event.loss_db != null ? fact(t('loss'), `${event.loss_db} dB`) : null, ...held({ ...event.evidence, ...event })),
      reasons(event.evidence ?? {}),
    ];
  },
  manhole_cover_displaced(event) {
    const all = event.evidence ?? {};
    return [
      chartOf(event),
      facts(fact(t('now'), `${all.value}°${all.state ? ` · ${t(all.state)}` : ''}`), fact(t('atRest'), `${all.rest}°`), fact(t('since'), timeOf(all.since, state.city.timezone))),
      reasons(all),
    ];
  },
  hydrant_no_pressure(event) {
    const all = event.evidence ?? {};
    return [
      chartOf(event),
      facts(fact(t('now'), `${all.value} kPa${all.state ? ` · ${t(all.state)}` : ''}`), all.usual != null ? fact(t('usual'), `${all.usual} kPa`) : null,
        all.zone?.length ? fact(t('hydrants'), all.zone.join('、')) : null, fact(t('since'), timeOf(all.since, state.city.timezone))),
      reasons(all),
    ];
  },
  pole_tilt(event) {
    const all = event.evidence ?? {};
    return [
      chartOf(event),
      facts(fact(t('now'), all.value != null ? `${all.value}°${all.state ? ` · ${t(all.state)}` : ''}` : null), fact(t('atRest'), all.rest != null ? `${all.rest}°` : null), fact(t('since'), all.since ? timeOf(all.since, state.city.timezone) : null),
        ...held(all)),
      reasons(all),
    ];
  },
  street_light_out(event) {
    const all = event.evidence ?? {};
    return [
      chartOf(event),
      facts(fact(t('now'), all.value != null ? `${all.value} ${all.units?.value ?? 'A'}${all.state ? ` · ${t(all.state)}` : ''}` : null), all.usual != null ? fact(t('usual'), `${all.usual} ${all.units?.value ?? 'A'}`) : null, fact(t('since'), all.since ? timeOf(all.since, state.city.timezone) : null),
        ...held(all)),
      reasons(all),
    ];
  },
  drain_blocked(event) {
    return [chartOf(event), facts(fact(t('since'), timeOf(event.since, state.city.timezone))), event.pipes?.length ? bars(event.pipes.slice(0, 8), t('pipes')) : null];
  },
};
// A detector's own reasons, in the reader's language.
function reasons(all) {
  const lines = (language() === 'zh' ? all.why_zh : all.why) ?? all.why ?? [];
  return lines.length ? el('ul', { class: 'reasons' }, ...lines.map((line) => el('li', {}, say(line)))) : null;
}
// What it was held against: what it may still be, and what is ruled out.
function held(all) {
  const out = [all.ruled_out ?? []].flat(), gone = new Set(out.map((one) => one?.what));
  const open = [all.alternatives ?? all.not_ruled_out ?? []].flat().filter((one) => one?.what && one.p >= 0.05 && !gone.has(one.what));
  return [open.length ? fact(t('others'), open.map(ruledOut).join('、')) : null, out.length ? fact(t('ruledOut'), out.map(ruledOut).join('、')) : null];
}
// What a detector ruled out: {what, p} in words, with what chance was left to it.
const ruledOut = (one) => (typeof one === 'object' ? `${t(one.what)}（${chance(one.p)}）` : t(one));
const chance = (p) => (p < 0.001 ? '< 0.1 %' : `${(100 * p).toFixed(1)} %`);

function plain(event) {
  const rows = Object.entries(event.evidence ?? {}).filter(([, v]) => ['string', 'number', 'boolean'].includes(typeof v) && String(v).length < 400).slice(0, 14);
  return [...media(event), event.evidence?.curve && event.evidence?.metric ? chartOf(event) : null, facts(...rows.map(([key, value]) => fact(clean(key).replaceAll('_', ' '), typeof value === 'number' ? String(Math.round(value * 1000) / 1000) : value)))];
}

/** The evidence of one event. */
export function evidenceOf(event) {
  const zone = state.city.timezone;
  return el('article', { class: 'event', data: { kind: event.kind } },
    el('h4', {}, say(state.city.kinds[event.kind]?.[language()] ?? event.kind), el('small', {}, say(event.device ?? event.site), ' · ', timeOf(event.at, zone, true))),
    ...(KINDS[event.kind] ?? plain)(event).filter(Boolean));
}
