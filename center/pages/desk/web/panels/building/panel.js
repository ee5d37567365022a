// @ts-check
// The building view: from which window it came, and from which it came before.

/** @import {Event, Panel, View} from '../../types.js' */
/** @import {Building} from './facade.js' */

import { get } from '/static/common/api.js';
import { addTexts, t, timeOf } from '/static/common/i18n.js';
import { el, icon, say } from '/static/common/text.js';
import { changed, state } from '../../state.js';
import { whyNone, windowName } from '../evidence/kinds.js';
import { media } from '../evidence/media.js';
import { earlier, facade, onPicture, posterior, titleOf } from './facade.js';

addTexts({
  building: ['楼栋立面', 'Facade'], buildingView: ['楼栋视图', 'Building view'], hotTimes: ['此前 {n} 次', '{n} before'], hotWindows: ['曾抛物的窗户', 'Windows it came from before'],
  noHot: ['此前没有可归于某一窗户的记录', 'Nothing before is put down to one window'], windows: ['可能的窗户', 'Possible windows'], chanceScale: ['颜色越深，可能性越大；圆点为此前次数', 'The deeper the colour, the likelier; dots count earlier falls'],
  thisTime: ['本次', 'this time'], before: ['此前', 'before'], lastTime: ['最近', 'latest'], noBuilding: ['摄像头未标定，没有立面图', 'The camera is not calibrated: there is no facade'],
  clipAndTrack: ['视频与轨迹', 'Clip with the trajectory'], releaseMark: ['✕ 推算抛出点', '✕ estimated point of release'],
});

const KEPT_MS = 60_000;
/** @type {Map<string, {at: number, building: Building | null}>} by camera */
const known = new Map();

/** @type {Panel} */
export const panel = { order: 55, render };

/** @param {View} view */
function render({ dossier, ticket }) {
  const event = (dossier?.events ?? []).find((one) => one.kind === 'high_altitude_throw' && one.device);
  if (ticket.kind !== 'high_altitude_throw' || !event?.device || event.links === null) return null;
  const whole = ask(event.device);
  if (!whole?.zones.length) return null;
  const building = { ...whole, hot: earlier(whole.hot, event.id) };
  const p = posterior(event.origin);
  return el('section', { class: 'building' }, el('h3', {}, t('building'), el('button', { data: { building: event.id, focus: 'building' }, onclick: () => show(event, building) }, icon('building'), t('buildingView'), '…')),
    figure(event, building, p, 440, 360));
}

/** The facade, from the center when it is not known yet. @param {string} camera */
function ask(camera) {
  const before = known.get(camera);
  if (before && performance.now() - before.at < KEPT_MS) return before.building;
  known.set(camera, { at: performance.now(), building: before?.building ?? null });
  get(`/api/v1/buildings/${encodeURIComponent(camera)}`).then((building) => {
    known.set(camera, { at: performance.now(), building });
    const id = state.selected, dossier = id === null ? undefined : state.dossiers.get(id);
    if (id !== null && dossier) state.dossiers.set(id, { ...dossier }); // drawn anew, with the facade
    changed();
  }, (error) => { if (error.status !== 404) console.warn('building:', error.message); });
  return before?.building ?? null;
}

/** @param {Event} event @param {Building} building @param {Map<string, number>} p @param {number} width @param {number} height */
function figure(event, building, p, width, height) {
  return el('figure', {}, facade(building, { p, release: event.evidence?.release_m ?? null, width, height }),
    el('figcaption', {}, event.origin ? '' : `${t(whyNone(event))} · `, t('chanceScale'), event.evidence?.release_m ? ` · ${t('releaseMark')}` : ''));
}

/** All of it side by side. @param {Event} event @param {Building} building */
function show(event, building) {
  document.querySelector('dialog.building')?.remove();
  const p = posterior(event.origin), [clip, ...pictures] = media(event), still = event.links?.still;
  const shut = el('button', { class: 'tool', 'aria-label': t('close'), title: `${t('close')} (Esc)`, autofocus: true, onclick: () => box.close() }, icon('shut'));
  const box = /** @type {HTMLDialogElement} */ (el('dialog', { class: 'building', 'aria-label': t('buildingView') },
    el('header', {}, el('h2', {}, t('buildingView'), ' ', say(building.camera, 'soft')), el('p', { class: 'window' }, event.origin ? say(`${windowName(event.origin)} · ${Math.round(event.origin.p * 100)} %`) : t(whyNone(event))), shut),
    el('div', { class: 'sides' },
      el('section', { class: 'wall-side' }, figure(event, building, p, Math.min(620, window.innerWidth - 60), Math.max(420, window.innerHeight - 240))),
      el('section', {}, el('h3', {}, t('still')),
        still ? el('figure', { class: 'traced' }, el('img', { src: still, alt: t('still') }), onPicture(building, event, p)) : null,
        el('h3', {}, t('clipAndTrack')), clip instanceof HTMLVideoElement ? clip : el('p', { class: 'hint' }, t(event.links === null ? 'withheld' : 'pending'))),
      el('section', { class: 'tables' }, el('h3', {}, t('windows')), windows(building, p), el('h3', {}, t('hotWindows')), hotTable(building))),
  ));
  if (clip instanceof HTMLVideoElement) { delete clip.dataset.keep; clip.play().catch(() => { /* it has its own button */ }); }
  pictures.length = 0;
  box.addEventListener('close', () => box.remove());
  document.body.append(box);
  box.showModal();
}

/** @param {Building} building @param {Map<string, number>} p */
function windows(building, p) {
  const rows = [...p].sort((a, b) => b[1] - a[1]);
  if (!rows.length) return el('p', { class: 'hint' }, t('abstain'));
  const zones = new Map(building.zones.map((zone) => [zone.id, zone]));
  return el('table', { class: 'bars' }, el('tbody', {}, ...rows.map(([id, chance]) => {
    const bar = el('i'), zone = zones.get(id);
    bar.style.width = `${100 * chance}%`;
    return el('tr', {}, el('td', {}, say(zone ? titleOf(zone, 0, undefined) : id)), el('td', {}, el('span', { class: 'bar' }, bar), `${(100 * chance).toFixed(chance < 0.1 ? 1 : 0)} %`));
  })));
}

/** @param {Building} building */
function hotTable(building) {
  const rows = Object.entries(building.hot).sort((a, b) => b[1].count - a[1].count);
  if (!rows.length) return el('p', { class: 'hint' }, t('noHot'));
  return el('table', { class: 'hot-rows' }, el('tbody', {}, ...rows.slice(0, 20).map(([id, hot]) =>
    el('tr', {}, el('td', {}, say(id, 'strong')), el('td', {}, el('i', { class: 'hot-mark' }, String(hot.count))), el('td', { class: 'soft' }, t('lastTime'), ' ', timeOf(hot.last, state.city.timezone))))));
}
