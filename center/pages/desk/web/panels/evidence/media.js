// @ts-check
// Pictures and clips, what vouches for them, and the original behind a reason.

/** @import {Event} from '../../types.js' */

import { open } from '/static/common/api.js';
import { both, t, timeOf } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';
import { state } from '../../state.js';
import { fact, facts } from './facts.js';

/** @param {Event} event @returns {HTMLElement[]} */
export function media(event) {
  const { still, clip, photo } = event.links ?? {};
  const nodes = [];
  if (clip) nodes.push(el('video', { src: clip, poster: still, controls: true, muted: true, loop: true, playsinline: true, preload: 'metadata', 'aria-label': t('clip'), data: { keep: `video:${new URL(clip, location.href).pathname}` } }));
  if (still) nodes.push(el('figure', {}, el('a', { href: still, target: '_blank', rel: 'noopener' }, el('img', { class: 'still', src: still, alt: t('still') })), el('figcaption', {}, t('still'), ' · ', timeOf(event.at, state.city.timezone, true))));
  if (photo) nodes.push(el('figure', {}, el('img', { class: 'still', src: photo, alt: t('photo') })));
  (event.evidence?.beside ?? []).forEach((/** @type {any} */ one, /** @type {number} */ n) => {
    const src = event.links?.[`beside_${n}`];
    if (src) nodes.push(el('figure', {}, el('a', { href: src, target: '_blank', rel: 'noopener' }, el('img', { class: 'still', src, alt: t('besideStill') })), el('figcaption', {}, t('besideStill'), ' · ', one.device, ' · ', one.label, ' · ', timeOf(one.picture_at, state.city.timezone, true))));
  });
  return nodes;
}

/** Opens what is blurred: a reason first, then the file itself. Nothing of it is kept here. @param {Event} event */
export function original(event) {
  if (!event.chain || !event.links?.still) return null;
  const reason = /** @type {HTMLInputElement} */ (el('input', { type: 'text', required: true, minlength: 4, maxlength: 500, 'aria-label': t('originalReason'), placeholder: t('originalReason'), autocomplete: 'off', data: { focus: `why-${event.id}` } }));
  const shown = el('div', { class: 'original' });
  const refused = (/** @type {string} */ text) => shown.replaceChildren(el('p', { class: 'hint refused', role: 'alert' }, say(text)));
  const opened = (/** @type {'still' | 'clip'} */ what) => async (/** @type {any} */ click) => {
    click.preventDefault();
    if (!reason.reportValidity()) return;
    const button = click.currentTarget;
    button.disabled = true;
    try {
      const { url, answer } = await open(`/api/v1/events/${encodeURIComponent(event.id)}/original`, { what, reason: reason.value });
      if (url) shown.replaceChildren(what === 'clip' ? el('video', { src: url, controls: true, muted: true, playsinline: true, 'aria-label': t('originalClip') }) : el('img', { class: 'still', src: url, alt: t('originalStill') }));
      else refused(both(answer.reason) ?? t('failed'));
    } catch { refused(t('failed')); } finally { button.disabled = false; }
  };
  return el('details', { class: 'originals', data: { event: event.id, keep: `original:${event.id}` } }, el('summary', {}, t('original')), el('p', {}, t('originalWhy')),
    el('form', {}, reason, el('button', { type: 'submit', onclick: opened('still') }, t('originalStill')), el('button', { type: 'button', onclick: opened('clip') }, t('originalClip'))), shown);
}

/** What vouches for the evidence, for whoever wants to check it. @param {Event} event */
export function seal(event) {
  const { chain, links } = event;
  if (!chain) return null;
  return facts(fact(t('sealed'), el('span', { title: chain.hash }, t('sealedText').replace('{n}', String(chain.number)), ' · ', el('code', {}, `${chain.hash.slice(0, 16)}…`))),
    links?.track_file ? fact(t('trackFile'), el('a', { href: links.track_file, target: '_blank', rel: 'noopener' }, 'JSON')) : null);
}
