// @ts-check
// One ticket: where, what was seen, by when; the next step is the big button at the thumb.
import { language, laneName, stageName } from '/static/common/i18n.js';
import { askedFor, at, cap, clock, distance, el, glyph, headline, inOurs, kindName, say, w, where } from './parts.js';
import { half } from './list.js';
import { state, ticketOf, waiting } from './state.js';

/** Object URLs of pictures that are on screen. @type {Map<Blob, string>} */
const urls = new Map();

/** @param {HTMLElement} main @param {string} id */
export function draw(main, id) {
  const card = ticketOf(id);
  if (!card) {
    main.replaceChildren(el('p', { class: 'empty' }, w(state.list ? 'wGone' : 'wFirst')));
    return;
  }
  main.replaceChildren(...[head(card), queued(card), questions(card), quick(card), saw(card), rounds(card), place(card), photographs(card), together(card), more(card), past(card)].filter((node) => node !== null));
}

/** @param {any} card */
function head(card) {
  return el('section', { class: 'sheet lead', data: { severity: card.severity } },
    headline(card),
    el('h2', { class: 'where' }, say(where(card))),
    el('p', { class: 'facts' }, distance(card) ? el('span', { class: 'far' }, glyph('place'), distance(card)) : null, clock(card)),
    card.reason ? el('p', {}, say(half(card.reason))) : null,
    card.asked && card.asked !== 'accept' ? el('p', { class: 'asked' }, askedFor(card)) : null);
}

/** My deeds that are still on the phone. @param {any} card */
function queued(card) {
  const deeds = waiting(card.id);
  if (!deeds.length) return null;
  return el('section', { class: 'sheet queued' }, el('ul', {}, ...deeds.map((deed) => el('li', {}, el('time', {}, at(deed.done_at)), ' ', deed.label, deed.photos.length ? ` · ${w('wPhotos')} ${deed.photos.length}` : '', ' ', el('span', { class: 'waits' }, w('wWaits'))))));
}

/** @param {any} card */
function questions(card) {
  const asked = (card.questions ?? []).map(inOurs).filter(Boolean);
  return asked.length ? el('section', { class: 'sheet question' }, ...asked.map((/** @type {string} */ text) => el('p', {}, say(text)))) : null;
}

/** Four big ones: the way, a photograph, a call, I cannot. @param {any} card */
function quick(card) {
  const can = new Set(card.actions.map((/** @type {any} */ a) => a.action));
  const tool = (/** @type {string} */ act, /** @type {string} */ sign, /** @type {string} */ word) => el('button', { type: 'button', class: 'tool-big', data: { box: act, ticket: card.id, key: `tool-${act}` } }, glyph(sign), el('span', {}, w(word)));
  return el('nav', { class: 'quick', 'aria-label': kindName(card) },
    tool('go', 'go', 'wGo'),
    can.has('note') ? tool('photo', 'photo', 'wPhoto') : null,
    tool('call', 'call', 'wCall'),
    can.has('return') || can.has('refuse_help') ? tool(can.has('return') ? 'return' : 'refuse_help', 'refuse', 'wRefuse') : tool('more', 'more', 'wMore'));
}

/** @param {any} card */
function saw(card) {
  if (!card.saw) return null;
  const words = inOurs(card.saw);
  const media = card.saw.media ?? [];
  const chart = card.pictures?.[`plot-${language()}`] ?? card.pictures?.['plot-zh'] ?? card.pictures?.['plot-en'];
  if (!words && !media.length && !chart) return null;
  return el('section', { class: 'sheet' }, el('h3', {}, w('wSaw')), words ? el('p', { class: 'words' }, say(words)) : null,
    ...media.filter((/** @type {any} */ m) => m.still).map((/** @type {any} */ m) => el('figure', {}, picture(card, m.still, `${w('wStillOf')} · ${kindName(card)}`), el('figcaption', { class: 'soft' }, `${at(m.at)} · ${w('wBlurred')}`), m.clip && state.link === 'ok' ? el('a', { class: 'button', href: m.clip, target: '_blank', rel: 'noopener', data: { key: 'clip' } }, w('wClip')) : null)),
    chart ? el('figure', { class: 'chart' }, el('img', { src: urlOf(chart), alt: `${w('wChart')} · ${kindName(card)}` })) : null);
}

/** @param {any} card @param {string} link @param {string} words */
function picture(card, link, words) {
  const blob = card.pictures?.[link.split('?')[0]];
  return blob ? el('img', { src: urlOf(blob), alt: words }) : el('p', { class: 'soft nopicture' }, w('wNoPicture'));
}

/** @param {Blob} blob */
function urlOf(blob) {
  let url = urls.get(blob);
  if (!url) { url = URL.createObjectURL(blob); urls.set(blob, url); }
  return url;
}
/** Pictures that are no longer looked at are let go. */
export function letGo() {
  for (const url of urls.values()) URL.revokeObjectURL(url);
  urls.clear();
}

/** @param {any} card */
function place(card) {
  const { lon, lat } = card.place ?? {};
  return el('section', { class: 'sheet' }, el('h3', {}, w('wWhere')),
    el('p', {}, say(card.place?.address ?? '—')),
    el('p', { class: 'soft' }, say(card.grid_name ?? ''), Number.isFinite(lat) ? ` · ${lat.toFixed(5)}, ${lon.toFixed(5)}` : ''),
    inOurs(card.why) ? el('p', { class: 'why' }, el('span', { class: 'soft' }, `${w('wWhy')}：`), say(inOurs(card.why))) : null);
}

/** What a round is to look at. @param {any} card */
function rounds(card) {
  const round = card.round;
  if (!round) return null;
  const items = [...(round.checklist ?? []), ...(round.assets ?? [])];
  return el('section', { class: 'sheet' }, el('h3', {}, say((language() === 'zh' ? round.name_zh : round.name_en) || w('wRoundOf'))),
    items.length ? el('ul', { class: 'items' }, ...items.map((/** @type {string} */ item) => el('li', {}, say(half(item))))) : null);
}

/** @param {any} card */
function photographs(card) {
  const taken = card.photographs ?? [];
  if (!taken.length) return null;
  return el('section', { class: 'sheet' }, el('h3', {}, w('wPhotos')), el('div', { class: 'grid' },
    ...taken.map((/** @type {any} */ one) => el('figure', {}, picture(card, one.photo, w(`photo_${one.name}`)), el('figcaption', { class: 'soft' }, `${w(`photo_${one.name}`)} · ${at(one.at)}`)))));
}

/** Who else is on it. @param {any} card */
function together(card) {
  const hands = (card.helpers ?? []).filter((/** @type {any} */ h) => ['requested', 'accepted'].includes(h.state) && h.worker !== state.me?.id);
  const near = (card.resources ?? []).slice(0, 4);
  const lead = card.worker && !card.as.includes('worker') ? card.worker : null;
  if (!hands.length && !card.utility && !near.length && !lead) return null;
  return el('section', { class: 'sheet' }, el('h3', {}, w('wWith')),
    lead ? el('p', {}, say(lead)) : null,
    ...hands.map((/** @type {any} */ h) => el('p', {}, say(h.name ?? h.worker), el('span', { class: 'soft' }, ` ${w(h.state === 'accepted' ? 'wHand_accepted' : 'wHand_requested')}`))),
    card.utility ? el('p', {}, el('span', { class: 'soft' }, `${w('wUtility')}：`), say(card.utility.name), card.lane ? el('span', { class: 'soft' }, ` · ${laneName(card.lane)}`) : null) : null,
    ...near.map((/** @type {any} */ r) => el('p', { class: 'soft' }, say(r.name), ` · ${Math.round(r.distance_m)} ${w('m')}`)));
}

/** Everything else that may be done. @param {any} card */
function more(card) {
  const shown = card.actions.filter((/** @type {any} */ a) => !['accept', 'arrive', 'dispose', 'return', 'refuse_help'].includes(a.action));
  if (!shown.length) return null;
  return el('section', { class: 'sheet rest' }, el('h3', {}, w('wMore')), el('div', { class: 'buttons' },
    ...shown.map((/** @type {any} */ a) => el('button', { type: 'button', data: { box: a.action, ticket: card.id, key: `more-${a.action}` } }, cap(inOurs(a)) || w(`wNext_${a.action}`)))));
}

/** @param {any} card */
function past(card) {
  const steps = card.timeline ?? [];
  if (!steps.length) return null;
  return el('details', { class: 'sheet past' }, el('summary', {}, el('h3', {}, w('wSoFar'))),
    el('ol', {}, ...[...steps].reverse().map((/** @type {any} */ step) => el('li', {}, el('time', {}, at(step.at)), el('span', {}, stageName(step.change)), step.note ? el('p', { class: 'soft' }, say(half(step.note))) : null))));
}
