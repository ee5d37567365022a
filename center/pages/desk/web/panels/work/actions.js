// @ts-check
// One click on an action, here and beside the candidates.

/** @import {Dossier, Offer, On, Ticket} from '../../types.js' */

import { both, t } from '/static/common/i18n.js';
import { el } from '/static/common/text.js';
import { workerName } from '../../state.js';
import { actionLabel } from '../../words.js';
import { openForm } from './form.js';

/** The actions allowed at the ticket's revision that is shown, by name; null while they are read.
 * @param {Ticket} ticket @param {Dossier | undefined} dossier @returns {Map<string, Offer> | null} */
export function offers(ticket, dossier) {
  return dossier?.actions && dossier.rev === ticket.rev ? new Map(dossier.actions.map((offer) => [offer.action, offer])) : null;
}
/** What an action is called here: who has a utility already is given one more. @param {Offer} offer @param {Ticket} [ticket] */
export const label = (offer, ticket) => { const name = offer.action === 'assign' && ticket?.utility ? t('keyUtility') : String(both(offer) ?? offer.action); return name.charAt(0).toUpperCase() + name.slice(1); };
/** What goes with it. @param {Offer} offer */
export const wants = (offer) => [...new Set([...offer.says, ...(offer.also ?? [])])];

/** One click; what is refused for want of words is asked for them.
 * @param {Ticket} ticket @param {Offer} offer @param {On} on @param {HTMLButtonElement} pressed */
export async function once(ticket, offer, on, pressed) {
  const { status, stale, reason } = await on.act(ticket.id, offer.action, pressed);
  const name = actionLabel(offer.action), words = offer.text_zh ? offer : { ...offer, text_zh: name, text_en: name };
  if (status === 409 && !stale && document.querySelector('#detail .do')) openForm(ticket, { ...words, says: [...new Set([...offer.says, 'reason'])] }, on, pressed, reason ?? '');
}

/** Buttons beside a candidate: sent instead, or asked to help.
 * @param {Ticket} ticket @param {Dossier | undefined} dossier @param {On} on @param {string} worker */
export function oneClick(ticket, dossier, on, worker) {
  const allowed = offers(ticket, dossier);
  return /** @type {[string, string][]} */ ([['reassign', 'reassignTo'], ['request_helper', 'askHelp']]).filter(([action]) => allowed?.has(action)).map(([action, name]) =>
    el('button', { data: { focus: `${action}-${worker}`, [action === 'reassign' ? 'reassign' : 'help']: worker }, 'aria-label': `${t(name)} ${workerName(worker) ?? worker}`, onclick: (/** @type {any} */ event) => on.act(ticket.id, action, event.currentTarget, { data: { worker } }) }, t(name)));
}
