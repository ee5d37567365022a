// @ts-check
// The report: a kind, words, a photograph; one thumb, no account.

import { both, t } from '/static/common/i18n.js';
import { small } from '/static/common/photo.js';
import { el, icon, svg } from '/static/common/text.js';
import { newKey } from '/static/resident/kept.js';
import { send } from '/static/resident/outbox.js';
import { base64 } from '/static/resident/photo.js';
import { fill } from '/static/resident/place.js';

/** @typedef {import('./place.js').Place} Place */
/** @typedef {import('./kept.js').Report} Report */

/** What has been filled in; it outlives a change of language. */
export class Draft {
  constructor() {
    this.key = newKey();
    /** @type {string | null} */ this.kind = null;
    this.chosen = false;
    this.text = '';
    this.contact = '';
    this.homepage = '';
    /** @type {Blob | null} */ this.photo = null;
    /** @type {{lon: number, lat: number, m: number} | null} */ this.where = null;
  }
  get empty() { return this.kind === null && this.text.trim() === '' && this.photo === null; }
}

/**
 * @param {Place} place @param {Draft} draft
 * @param {{now: () => number, taken: (follow: string) => void, queued: (report: Report) => void}} on
 */
export function makeForm(place, draft, on) {
  const said = el('p', { class: 'said', role: 'alert' });
  const text = el('textarea', { id: 'text', rows: 3, maxlength: 400, placeholder: t('r.textHint'), oninput: () => { draft.text = text.value; } });
  text.value = draft.text;
  const phone = el('input', { id: 'phone', type: 'tel', inputmode: 'tel', maxlength: 25, autocomplete: 'tel', oninput: () => { draft.contact = phone.value; } });
  phone.value = draft.contact;
  // People never see this one; it is off the page, and no browser fills it in.
  const trap = el('input', { name: 'homepage', tabindex: -1, autocomplete: 'off', 'aria-hidden': 'true', class: 'trap', oninput: () => { draft.homepage = trap.value; } });
  const button = el('button', { type: 'submit', class: 'primary' }, t('r.send'));
  const form = el('form', { novalidate: true, onsubmit: submit },
    kinds(place, draft),
    el('label', { for: 'text' }, t('r.text')), text,
    photoField(draft, said),
    place.positioned ? whereField(draft) : null,
    el('details', { open: draft.contact !== '' }, el('summary', {}, t('r.contact')), el('label', { for: 'phone' }, t('r.phone')), phone, el('p', { class: 'soft' }, t('r.contactNote'))),
    trap, said, button);

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    if (button.disabled) return;
    if (draft.empty && !draft.chosen) { said.textContent = t('r.needs'); form.querySelector('input')?.focus(); return; }
    if (draft.empty) { said.textContent = t('r.needs'); text.focus(); return; }
    said.textContent = '';
    button.disabled = true;
    button.textContent = t('r.sending');
    const report = await made();
    let outcome = await send(report);
    if (outcome.state === 'refused' && outcome.code === 'bad_time') {
      outcome = await send({ ...report, ts: on.now() }); // the telephone's clock was set meanwhile
    }
    button.disabled = false;
    button.textContent = t('r.send');
    if (outcome.state === 'taken') on.taken(outcome.follow);
    else if (outcome.state === 'waiting' && outcome.kept) on.queued(report);
    else if (outcome.state === 'waiting') said.textContent = t('r.queuedOpen');
    else { draft.key = newKey(); said.textContent = both(outcome.reason) ?? t('r.failed'); }
  }

  /** @returns {Promise<Report>} */
  async function made() {
    /** @type {Report} */
    const report = { code: place.code, key: draft.key, ts: Math.round(on.now()), kind: draft.kind, text: draft.text.trim() };
    if (draft.photo) report.photo = await base64(draft.photo);
    if (draft.contact.trim()) report.contact = draft.contact.trim();
    if (draft.homepage) report.homepage = draft.homepage;
    if (draft.where) { report.lon = draft.where.lon; report.lat = draft.where.lat; }
    return report;
  }
  return form;
}

/** @param {Place} place @param {Draft} draft */
function kinds(place, draft) {
  const choices = [...place.kinds, 'other'].map((kind) => {
    const value = kind === 'other' ? null : kind;
    const radio = el('input', { type: 'radio', name: 'kind', value: kind, onchange: () => { draft.kind = value; draft.chosen = true; } });
    radio.checked = draft.chosen && draft.kind === value;
    return el('label', { class: 'kind' }, radio, el('span', {}, icon(kind === 'other' ? 'citizen_report' : kind), el('span', {}, t(`k.${kind}`))));
  });
  return el('fieldset', {}, el('legend', {}, t('r.kind')), el('div', { class: 'kinds' }, ...choices));
}

/** @param {Draft} draft @param {HTMLElement} said */
function photoField(draft, said) {
  const input = el('input', { type: 'file', id: 'photo', accept: 'image/*', class: 'unseen', onchange: chosen });
  const words = el('span', {});
  const label = el('label', { for: 'photo', class: 'camera' }, camera(), words);
  const shown = el('div', { class: 'shown' });
  const box = el('div', { class: 'photo' }, input, label, shown, el('p', { class: 'soft' }, t('r.photoNote')));
  let url = '';
  function show() {
    if (url) URL.revokeObjectURL(url);
    url = draft.photo ? URL.createObjectURL(draft.photo) : '';
    words.textContent = t(draft.photo ? 'r.photoOther' : 'r.photo');
    shown.replaceChildren(...(draft.photo ? [
      el('img', { src: url, alt: t('r.photoAlt') }),
      el('button', { type: 'button', onclick: () => { draft.photo = null; input.value = ''; show(); input.focus(); } }, t('r.photoGone')),
    ] : []));
  }
  async function chosen() {
    const file = input.files?.[0];
    if (!file) return;
    said.textContent = '';
    try { draft.photo = await small(file); } catch { said.textContent = t('r.photoBad'); }
    show();
  }
  show();
  return box;
}

/** @param {Draft} draft */
function whereField(draft) {
  const words = el('p', { class: 'soft', role: 'status' });
  const button = el('button', { type: 'button', onclick: find }, pin(), t('r.where'));
  function show() { if (draft.where) words.textContent = fill('r.whereOn', { m: Math.round(draft.where.m) }); }
  function find() {
    words.textContent = t('r.whereBusy');
    if (!navigator.geolocation) { words.textContent = t('r.whereNot'); return; }
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => { draft.where = { lon: coords.longitude, lat: coords.latitude, m: coords.accuracy }; show(); },
      () => { words.textContent = t('r.whereNot'); },
      { enableHighAccuracy: true, timeout: 15_000, maximumAge: 30_000 },
    );
  }
  show();
  return el('div', { class: 'where' }, button, words);
}

const camera = () => svg('svg', { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' }, svg('path', { d: 'M4 8h3l2-3h6l2 3h3v11H4zM12 10a3.500 3.500 0 1 0 .01 0' }));
const pin = () => svg('svg', { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' }, svg('path', { d: 'M12 21s7-6.500 7-11.500a7 7 0 0 0-14 0C5 14.500 12 21 12 21zM12 7a2.500 2.500 0 1 0 .01 0' }));
