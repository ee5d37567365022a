// @ts-check
// The steps that a utility may take, with its words and a photograph. What is being written stays
// while the ticket around it changes.

import { both, t } from '/static/common/i18n.js';
import { small } from '/static/common/photo.js';
import { el } from '/static/common/text.js';
import { ask } from '/static/utility/api.js';

const SHOWN = ['near', 'far', 'reference', 'before', 'after'];
const by = el('input', { name: 'by', maxlength: 60, autocomplete: 'name', value: localStorage.getItem('by') ?? '' });
const note = el('textarea', { name: 'note', rows: 2, maxlength: 2000 });
const photo = el('input', { type: 'file', name: 'photo', accept: 'image/*' });
const shows = el('select', { name: 'shows' });
const said = el('p', { class: 'said', role: 'alert' });
let stage = '';

/** Whether a step is on its way. */
export const sending = { now: false };

/** @param {any} shown @param {() => Promise<void>} done reads the ticket anew */
export function form(shown, done) {
  const language = document.documentElement.lang;
  if (shows.dataset.lang !== language) {
    const chosen = shows.value;
    shows.replaceChildren(...SHOWN.map((name) => el('option', { value: name }, t(`photo_${name}`))));
    Object.assign(shows, { value: chosen || 'near' }).dataset.lang = language;
  }
  if (stage !== shown.ticket.stage && !photo.files?.length) shows.value = shown.ticket.stage === 'arrived' || shown.ticket.stage === 'reworked' ? 'after' : 'near';
  stage = shown.ticket.stage;
  const buttons = shown.actions.map((/** @type {string} */ action, /** @type {number} */ i) => el('button', {
    type: 'button', class: i === 0 && action !== 'note' ? 'primary' : '', data: { action }, onclick: () => act(shown, action, done),
  }, t(`u.${action}`)));
  return el('section', {}, el('form', { onsubmit: (/** @type {Event} */ event) => event.preventDefault() }, buttons[0],
    el('label', {}, t('u.by'), by), el('label', {}, t('u.say'), note),
    el('div', { class: 'shot' }, el('label', {}, t('u.photo'), photo), el('label', {}, t('u.shows'), shows)), said, ...buttons.slice(1)));
}

/** @param {any} shown @param {string} action @param {() => Promise<void>} done */
async function act(shown, action, done) {
  const text = note.value.trim();
  said.textContent = '';
  if ((action === 'return' || action === 'note') && !text) { said.textContent = t('u.whyFirst'); note.focus(); return; }
  /** @type {Record<string, any>} */
  const body = { action, rev: shown.ticket.rev };
  if (by.value.trim()) { body.by = by.value.trim(); localStorage.setItem('by', body.by); }
  if (text) body[action === 'return' ? 'reason' : 'note'] = text;
  for (const button of document.querySelectorAll('main button')) /** @type {HTMLButtonElement} */ (button).disabled = true;
  sending.now = true;
  let trouble = '';
  try {
    const file = photo.files?.[0];
    if (file) {
      const picture = await small(file).catch(() => { throw Object.assign(new Error(t('u.photoBad')), { status: 400 }); });
      body.photos = [{ name: shows.value, ref: (await ask(`/photos?name=${shows.value}`, picture)).ref }];
    }
    await ask('/actions', body);
    note.value = photo.value = '';
  } catch (error) {
    const { status, message } = /** @type {any} */ (error);
    trouble = status === 0 ? t('u.notSent') : both(message) ?? '';
  }
  sending.now = false;
  await done();
  said.textContent = trouble;
  for (const button of document.querySelectorAll('main button')) /** @type {HTMLButtonElement} */ (button).disabled = false;
}
