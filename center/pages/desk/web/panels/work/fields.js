// @ts-check
// The fields of the forms, by what must be said.

/** @import {Dossier, More, Offer, Ticket, Candidate} from '../../types.js' */

import { upload } from '/static/common/api.js';
import { both, stageName, t } from '/static/common/i18n.js';
import { small } from '/static/common/photo.js';
import { el, say } from '/static/common/text.js';
import { gridName, placeOf, state, utilityName, workerName } from '../../state.js';
import { OPEN } from '../../urgency.js';
import { kindName } from '../../words.js';

/** @typedef {More & {data: Record<string, any>}} Body
 * @typedef {{node: HTMLElement, read(body: Body): string | null}} Field `read` answers what is missing
 * @typedef {{ticket: Ticket, dossier: Dossier | undefined, offer: Offer, must: boolean}} Asked */

const MOST = 100; // tickets to merge into, the nearest first

/** @param {string} id @returns {string} */
export const workerOrUtility = (id) => (state.city.utilities[id] ? utilityName(id) : workerName(id)) ?? id;
/** @param {string} key @param {boolean} must @param {HTMLElement} node */
const named = (key, must, node) => el('label', {}, el('span', {}, t(key), must ? '' : ` (${t('optional')})`), node);

/** @param {'reason' | 'note'} key @param {boolean} must @returns {Field} */
export function words(key, must) {
  const box = /** @type {HTMLTextAreaElement} */ (el('textarea', { name: key, rows: '2', maxlength: '2000' }));
  return { node: named(key, must, box), read(body) { const text = box.value.trim(); if (must && !text) return t(key); if (text) body[key] = text; return null; } };
}
/** A choice from `[id, text]` pairs; `put` writes what was chosen into the body.
 * @param {string} key @param {string} name @param {[string, string][]} pairs @param {boolean} must @param {(body: Body, id: string) => void} put @param {string} [none] @returns {Field} */
export function pickOne(key, name, pairs, must, put, none = t('choose')) {
  const box = /** @type {HTMLSelectElement} */ (el('select', { name }, pairs.length === 1 && must ? null : el('option', { value: '' }, none), ...pairs.map(([id, text]) => el('option', { value: id }, say(text)))));
  return { node: named(key, must, box), read(body) { if (must && !box.value) return t(key); if (box.value) put(body, box.value); return null; } };
}
/** @param {Offer} offer @param {string} name @returns {[string, string][]} */
const choices = (offer, name) => (offer.choices?.[name] ?? []).map((choice) => [choice.id, name === 'worker' ? `${workerName(choice.id)} · ${both(choice)}` : String(both(choice))]);
/** @param {Candidate} one @returns {[string, string]} */
const candidate = (one) => [one.worker, `${one.name ?? one.worker} · ${Math.round(one.distance_m)} ${t('m')} · ${Math.max(1, Math.round(one.travel_s / 60))} ${t('min')}`];
/** @returns {[string, string][]} */
const utilities = () => Object.entries(state.city.utilities).map(([id, one]) => [id, one.name]);

/** @param {Ticket} ticket */
function nearestTickets(ticket) {
  const [x, y] = placeOf(ticket) ?? [0, 0];
  const far = (/** @type {Ticket} */ other) => { const [a, b] = placeOf(other) ?? [180, 90]; return (a - x) ** 2 + (b - y) ** 2; };
  return [...state.tickets.values()].filter((other) => OPEN.has(other.stage) && !other.parent && other.incident !== ticket.incident).sort((a, b) => far(a) - far(b)).slice(0, MOST);
}

/** A picture that goes with the action: kept first, then named in it. @param {string} usual */
export function photoField(usual) {
  const file = /** @type {HTMLInputElement} */ (el('input', { type: 'file', name: 'photo', accept: 'image/*' }));
  const shows = /** @type {HTMLSelectElement} */ (el('select', { name: 'shows' }, ...['near', 'far', 'reference', 'before', 'after'].map((name) => el('option', { value: name, selected: name === usual }, t(`photo_${name}`)))));
  return {
    node: el('div', { class: 'pair' }, named('photo', false, file), el('label', {}, el('span', {}, t('shows')), shows)),
    /** @param {Ticket} ticket @param {Body} body @returns {Promise<string | null>} */
    async send(ticket, body) {
      const [picture] = file.files ?? [];
      if (!picture) return null;
      const { status, answer } = await upload(`/api/v1/tickets/${encodeURIComponent(ticket.id)}/photos?name=${shows.value}`, await small(picture).catch(() => picture)); // what we cannot read the center may
      if (status !== 201) return both(answer.reason) ?? t('failed');
      body.data.photos = [{ name: shows.value, ref: answer.ref }];
      return null;
    },
  };
}

/** @type {Record<string, (asked: Asked) => Field>} */
export const FIELDS = {
  reason: ({ must }) => words('reason', must),
  note: ({ must }) => words('note', must),
  until({ must }) {
    const box = /** @type {HTMLInputElement} */ (el('input', { type: 'datetime-local', name: 'until' }));
    return { node: named('until', must, box), read(body) { if (must && !box.value) return t('until'); if (box.value) body.data.until = new Date(box.value).toISOString(); return null; } };
  },
  score({ must }) {
    const box = el('fieldset', { class: 'score' }, el('legend', {}, t('score')), ...[1, 2, 3, 4, 5].map((n) => el('label', {}, el('input', { type: 'radio', name: 'score', value: String(n) }), String(n))));
    return { node: box, read(body) { const chosen = /** @type {HTMLInputElement | null} */ (box.querySelector(':checked')); if (must && !chosen) return t('score'); if (chosen) body.data.score = Number(chosen.value); return null; } };
  },
  whom({ ticket }) {
    const list = /** @type {HTMLSelectElement} */ (el('select', { name: 'whom' }, el('option', { value: '' }, t('choose')),
      el('optgroup', { label: t('worker') }, ...(ticket.runners_up ?? []).map(candidate).map(([id, text]) => el('option', { value: `worker:${id}` }, say(text)))),
      el('optgroup', { label: t('utility') }, ...utilities().filter(([id]) => id !== ticket.utility).map(([id, text]) => el('option', { value: `utility:${id}` }, say(text))))));
    const other = /** @type {HTMLInputElement} */ (el('input', { name: 'worker', maxlength: '64', autocomplete: 'off' }));
    return { node: el('div', { class: 'pair' }, named('whom', true, list), named('workerId', false, other)), read(body) {
      const [kind = '', id = ''] = other.value.trim() ? ['worker', other.value.trim()] : list.value.split(/:(.*)/);
      if (!id) return t('whom');
      body.data[kind] = id;
      return null;
    } };
  },
  utility: ({ ticket, must }) => pickOne('utility', 'utility', utilities().filter(([id]) => id !== ticket.utility), must, (body, id) => { body.data.utility = id; }),
  into: ({ ticket, must }) => pickOne('into', 'into', nearestTickets(ticket).map((other) => [other.id, `${kindName(other.kind)} · ${gridName(other.grid)} · ${stageName(other.stage)} · ${other.id}`]), must, (body, id) => { body.data.into = id; }),
  events({ dossier }) {
    const box = el('fieldset', {}, el('legend', {}, t('splitEvents')), ...(dossier?.events ?? []).map((event) => el('label', {}, el('input', { type: 'checkbox', value: event.id }), say(`${kindName(event.kind)} · ${event.device ?? event.site ?? ''}`), ' ', say(event.id, 'soft'))));
    return { node: box, read(body) {
      const chosen = [.../** @type {NodeListOf<HTMLInputElement>} */ (box.querySelectorAll(':checked'))].map((node) => node.value);
      if (!chosen.length) return t('splitEvents');
      body.data.events = chosen;
      return null;
    } };
  },
  worker({ ticket, offer, must }) {
    const known = choices(offer, 'worker');
    return pickOne('helper', 'worker', known.length ? known : (ticket.runners_up ?? []).map(candidate), must, (body, id) => { body.data.worker = id; delete body.data.count; }, must ? t('choose') : t('nearest'));
  },
  count({ must }) {
    const box = /** @type {HTMLInputElement} */ (el('input', { type: 'number', name: 'count', min: '1', max: '10', value: '1' }));
    return { node: named('count', must, box), read(body) { if (!body.data.worker && box.value) body.data.count = Number(box.value); return null; } };
  },
  resource: ({ offer, must }) => pickOne('resource', 'resource', choices(offer, 'resource'), must, (body, id) => { body.data.resource = id; }),
  facts({ offer }) {
    const rows = choices(offer, 'facts').map(([id, text]) => ({ id, text, box: /** @type {HTMLSelectElement} */ (el('select', { name: id }, el('option', { value: '' }, t('notSaid')), el('option', { value: 'yes' }, t('isSo')), el('option', { value: 'no' }, t('isNotSo')))) }));
    return { node: el('div', {}, ...rows.map(({ text, box }) => el('label', {}, say(text), box))), read(body) {
      for (const { id, box } of rows) if (box.value) body.data[id] = box.value === 'yes';
      return Object.keys(body.data).length ? null : t('facts');
    } };
  },
};
