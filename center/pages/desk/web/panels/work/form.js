// @ts-check
// The form of an action that needs words, a choice or a photograph.

/** @import {Offer, On, More, Ticket} from '../../types.js' */

import { stageName, t } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';
import { state } from '../../state.js';
import { label, wants } from './actions.js';
import { FIELDS, photoField, pickOne, words, workerOrUtility } from './fields.js';

/** @param {Ticket} ticket @param {Offer} offer @param {On} on @param {HTMLElement} _opener @param {string} [refused] */
export function openForm(ticket, offer, on, _opener, refused = '') {
  document.querySelector('#detail form.ask')?.remove();
  const dossier = state.dossiers.get(ticket.id), wanted = wants(offer);
  const fields = wanted.map((name) => FIELDS[name]?.({ ticket, dossier, offer, must: offer.says.includes(name) })).filter((field) => field !== undefined);
  if (!wanted.includes('reason') && !wanted.includes('note')) fields.push(words('note', false));
  if (offer.by[0] !== 'center') fields.unshift(pickOne('onBehalf', 'by', offer.by.map((id) => [id, workerOrUtility(id)]), true, (body, id) => { body.by = id; }));
  const photo = photoField(offer.to === 'disposed' || offer.to === 'verified' ? 'after' : 'near');
  const said = el('p', { class: 'refused', role: 'alert' }, say(refused));
  const send = /** @type {HTMLButtonElement} */ (el('button', { class: 'primary' }, t('submit')));
  const shut = () => { form.remove(); /** @type {HTMLElement | null} */ (document.querySelector(`#detail [data-focus="${offer.action}"]`))?.focus(); };
  const form = el('form', { class: 'ask', data: { action: offer.action, keep: 'form' }, 'aria-label': label(offer, ticket), onsubmit: submit, onkeydown: (/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape') { event.stopPropagation(); shut(); } } },
    el('h4', {}, say(label(offer, ticket)), offer.to && offer.to !== ticket.stage ? el('small', {}, ` ${t('toStage')} ${stageName(offer.to)}`) : null),
    offer.action === 'merge' ? el('p', { class: 'soft' }, t('mergeHint')) : null,
    ...fields.map((field) => field.node), photo.node, said,
    el('menu', {}, el('button', { type: 'button', onclick: shut }, t('giveUp')), send));
  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    /** @type {More & {data: Record<string, any>}} */
    const body = { data: {} };
    for (const field of fields) {
      const missing = field.read(body);
      if (missing) { said.replaceChildren(`${t('sayFirst')}：${missing}`); /** @type {HTMLElement | null} */ (field.node.querySelector('input, select, textarea'))?.focus(); return; }
    }
    send.disabled = true;
    const failed = await photo.send(ticket, body).catch((/** @type {Error} */ error) => error.message);
    send.disabled = false;
    if (failed) { said.replaceChildren(say(failed)); return; }
    const { data, ...rest } = body;
    const { status, reason } = await on.act(ticket.id, offer.action, send, Object.keys(data).length ? body : rest);
    if (status === 200 || status === 202) shut(); else said.replaceChildren(say(reason ?? ''));
  }
  document.querySelector('#detail .do')?.append(form);
  /** @type {HTMLElement | null} */ (form.querySelector('input, select, textarea'))?.focus();
  form.scrollIntoView({ block: 'nearest' });
}
