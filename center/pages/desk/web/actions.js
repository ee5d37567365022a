// What may be done with a ticket now. Which actions, in whose name and what must be said comes with
// the ticket (`actions` of its dossier); here is only how it looks and what fills the forms.

import { upload } from '../common/api.js';
import { both, stageName, t } from '../common/i18n.js';
import { actionLabel, kindName } from './list.js';
import { CLOCKS, NEXT, OPEN, gridName, placeOf, state, utilityName, workerName } from './state.js';
import { el, say } from '../common/text.js';

const ROWS = [
  ['moreWay', ['return', 'rework', 'reassign', 'suspend', 'resume', 'extend', 'reopen', 'void']],
  ['moreHelp', ['acknowledge', 'supervise', 'remind', 'assign', 'request_helper', 'accept_help', 'refuse_help', 'release_helper', 'take_resource', 'return_resource', 'merge', 'split', 'undo']],
  ['moreWords', ['report', 'note', 'rate', 'evaluate', 'appeal']],
];
const PLACED = new Set([...CLOCKS, ...ROWS.flatMap(([, names]) => names)]);
const MOST = 100; // tickets to merge into, the nearest first

/** The actions allowed at the ticket's revision that is shown, by name; null while they are read. */
function offers(ticket, dossier) {
  return dossier?.actions && dossier.rev === ticket.rev ? new Map(dossier.actions.map((offer) => [offer.action, offer])) : null;
}
export const formKept = (panel) => panel.querySelector('form.ask');

export function actionsOf(ticket, dossier, on, kept) {
  const allowed = offers(ticket, dossier);
  const box = el('div', { class: 'do' }, way(ticket, allowed, on));
  const next = allowed?.get(nextOf(ticket, (action) => allowed.has(action)));
  if (next) box.append(el('button', { class: 'with', data: { action: 'with', focus: 'with' }, 'aria-haspopup': 'true', onclick: (event) => openForm(ticket, next, on, event.currentTarget) }, `${actionLabel(next.action)} · ${t('withWords')}…`));
  box.append(...questions(ticket, dossier, allowed, on));
  if (allowed) {
    for (const [title, names] of ROWS) {
      const here = [...names, ...(title === 'moreWords' ? [...allowed.keys()].filter((name) => !PLACED.has(name) && !allowed.get(name).answers) : [])].map((name) => allowed.get(name)).filter(Boolean);
      if (here.length) box.append(el('div', { class: 'more', role: 'group', 'aria-label': t(title) }, el('span', { class: 'soft' }, t(title)), el('div', {}, ...here.map((offer) => button(ticket, offer, on)))));
    }
  }
  if (kept && (!allowed || allowed.has(kept.dataset.action))) box.append(kept);
  return box;
}

const nextOf = (ticket, may) => (may(NEXT[ticket.stage]) ? NEXT[ticket.stage] : CLOCKS.find(may));

/** The five steps of every ticket. */
function way(ticket, allowed, on) {
  const may = (action) => (allowed ? allowed.has(action) : action === NEXT[ticket.stage]);
  const next = nextOf(ticket, may);
  return el('div', { class: 'actions' }, ...CLOCKS.map((action) =>
    el('button', { class: action === next ? 'primary' : '', disabled: !may(action), data: { action, focus: action }, onclick: (event) => once(ticket, allowed?.get(action) ?? { action, says: [], by: ['center'] }, on, event.currentTarget) }, actionLabel(action))));
}

/** Questions that wait for an answer, with the buttons that give it. */
function questions(ticket, dossier, allowed, on) {
  const open = Object.entries(ticket.reason?.questions ?? {}).filter(([, asked]) => asked?.state === 'open');
  return open.map(([name, asked]) => el('div', { class: 'question', role: 'group', 'aria-label': t('question') },
    el('p', {}, say(both(asked) ?? name)), ...[...(allowed?.values() ?? [])].filter((offer) => offer.answers === name).map((offer) => button(ticket, offer, on))));
}

const label = (offer) => { const name = both(offer) ?? offer.action; return name.charAt(0).toUpperCase() + name.slice(1); };
const wants = (offer) => [...new Set([...offer.says, ...(offer.also ?? [])])];

function button(ticket, offer, on) {
  const asks = wants(offer).length > 0 || offer.by[0] !== 'center';
  return el('button', { data: { action: offer.action, focus: offer.action }, 'aria-haspopup': asks ? 'true' : null, onclick: (event) => (asks ? openForm(ticket, offer, on, event.currentTarget) : once(ticket, offer, on, event.currentTarget)) }, say(label(offer)), asks ? '…' : '');
}

/** One click; what is refused for want of words is asked for them. */
async function once(ticket, offer, on, pressed) {
  const { status, stale, reason } = await on.act(ticket.id, offer.action, pressed);
  const again = document.querySelector('#detail .do');
  if (status === 409 && !stale && again) openForm(ticket, { text_zh: actionLabel(offer.action), text_en: actionLabel(offer.action), ...offer, says: [...new Set([...offer.says, 'reason'])] }, on, pressed, reason);
}

/** Buttons beside a candidate: sent instead, or asked to help. */
export function oneClick(ticket, dossier, on, worker) {
  const allowed = offers(ticket, dossier);
  return [['reassign', 'reassignTo'], ['request_helper', 'askHelp']].filter(([action]) => allowed?.has(action)).map(([action, name]) =>
    el('button', { data: { focus: `${action}-${worker}`, [action === 'reassign' ? 'reassign' : 'help']: worker }, 'aria-label': `${t(name)} ${workerName(worker) ?? worker}`, onclick: (event) => on.act(ticket.id, action, event.currentTarget, { data: { worker } }) }, t(name)));
}

// --- forms --------------------------------------------------------------------------------------

function openForm(ticket, offer, on, opener, refused = '') {
  document.querySelector('#detail form.ask')?.remove();
  const dossier = state.dossiers.get(ticket.id);
  const fields = wants(offer).map((name) => FIELDS[name]?.({ ticket, dossier, offer, must: offer.says.includes(name) })).filter(Boolean);
  if (!wants(offer).includes('reason') && !wants(offer).includes('note')) fields.push(words('note', false));
  if (offer.by[0] !== 'center') fields.unshift(pickOne('onBehalf', 'by', offer.by.map((id) => [id, workerOrUtility(id)]), true, (body, id) => { body.by = id; }));
  const photo = photoField(offer.to === 'disposed' || offer.to === 'verified' ? 'after' : 'near');
  const said = el('p', { class: 'refused', role: 'alert' }, say(refused));
  const send = el('button', { class: 'primary' }, t('submit'));
  const shut = () => { form.remove(); document.querySelector(`#detail [data-focus="${offer.action}"]`)?.focus(); };
  const form = el('form', { class: 'ask', data: { action: offer.action }, 'aria-label': label(offer), onsubmit: submit, onkeydown: (event) => { if (event.key === 'Escape') { event.stopPropagation(); shut(); } } },
    el('h4', {}, say(label(offer)), offer.to && offer.to !== ticket.stage ? el('small', {}, ` ${t('toStage')} ${stageName(offer.to)}`) : null),
    ...fields.map((field) => field.node), photo.node, said,
    el('menu', {}, el('button', { type: 'button', onclick: shut }, t('giveUp')), send));
  async function submit(event) {
    event.preventDefault();
    const body = { data: {} };
    for (const field of fields) {
      const missing = field.read(body);
      if (missing) { said.replaceChildren(`${t('sayFirst')}：${missing}`); field.node.querySelector('input, select, textarea')?.focus(); return; }
    }
    send.disabled = true;
    const failed = await photo.send(ticket, body).catch((error) => error.message);
    send.disabled = false;
    if (failed) { said.replaceChildren(say(failed)); return; }
    if (!Object.keys(body.data).length) delete body.data;
    const { status, reason } = await on.act(ticket.id, offer.action, send, body);
    if (status === 200 || status === 202) shut(); else said.replaceChildren(say(reason ?? ''));
  }
  document.querySelector('#detail .do').append(form);
  form.querySelector('input, select, textarea')?.focus();
  form.scrollIntoView({ block: 'nearest' });
}

const workerOrUtility = (id) => (state.city.utilities[id] ? utilityName(id) : workerName(id));
const named = (key, must, node) => el('label', {}, el('span', {}, t(key), must ? '' : ` (${t('optional')})`), node);

function words(key, must) {
  const box = el('textarea', { name: key, rows: '2', maxlength: '2000' });
  return { node: named(key, must, box), read(body) { const text = box.value.trim(); if (must && !text) return t(key); if (text) body[key] = text; return null; } };
}
/** A choice from `[id, text]` pairs; `put` writes what was chosen into the body. */
function pickOne(key, name, pairs, must, put, none = t('choose')) {
  const box = el('select', { name }, pairs.length === 1 && must ? null : el('option', { value: '' }, none), ...pairs.map(([id, text]) => el('option', { value: id }, say(text))));
  return { node: named(key, must, box), read(body) { if (must && !box.value) return t(key); if (box.value) put(body, box.value); return null; } };
}
const choices = (offer, name) => (offer.choices?.[name] ?? []).map((choice) => [choice.id, name === 'worker' ? `${workerName(choice.id)} · ${both(choice)}` : both(choice)]);
const candidate = (c) => [c.worker, `${c.name ?? c.worker} · ${Math.round(c.distance_m)} ${t('m')} · ${Math.max(1, Math.round(c.travel_s / 60))} ${t('min')}`];
const utilities = () => Object.entries(state.city.utilities).map(([id, one]) => [id, one.name]);

function nearestTickets(ticket) {
  const [x, y] = placeOf(ticket) ?? [0, 0];
  const far = (other) => { const [a, b] = placeOf(other) ?? [180, 90]; return (a - x) ** 2 + (b - y) ** 2; };
  return [...state.tickets.values()].filter((other) => OPEN.has(other.stage) && !other.parent && other.incident !== ticket.incident).sort((a, b) => far(a) - far(b)).slice(0, MOST);
}

/** A picture that goes with the action: kept first, then named in it. */
function photoField(usual) {
  const file = el('input', { type: 'file', name: 'photo', accept: 'image/jpeg,image/png' });
  const shows = el('select', { name: 'shows' }, ...['near', 'far', 'reference', 'before', 'after'].map((name) => el('option', { value: name, selected: name === usual }, t(`photo_${name}`))));
  return { node: el('div', { class: 'pair' }, named('photo', false, file), el('label', {}, el('span', {}, t('shows')), shows)), async send(ticket, body) {
    if (!file.files.length) return null;
    const { status, answer } = await upload(`/api/v1/tickets/${encodeURIComponent(ticket.id)}/photos?name=${shows.value}`, file.files[0]);
    if (status !== 201) return both(answer.reason) ?? t('failed');
    body.data.photos = [{ name: shows.value, ref: answer.ref }];
    return null;
  } };
}

const FIELDS = {
  reason: ({ must }) => words('reason', must),
  note: ({ must }) => words('note', must),
  until({ must }) {
    const box = el('input', { type: 'datetime-local', name: 'until' });
    return { node: named('until', must, box), read(body) { if (must && !box.value) return t('until'); if (box.value) body.data.until = new Date(box.value).toISOString(); return null; } };
  },
  score({ must }) {
    const box = el('fieldset', { class: 'score' }, el('legend', {}, t('score')), ...[1, 2, 3, 4, 5].map((n) => el('label', {}, el('input', { type: 'radio', name: 'score', value: String(n) }), String(n))));
    return { node: box, read(body) { const chosen = box.querySelector(':checked'); if (must && !chosen) return t('score'); if (chosen) body.data.score = Number(chosen.value); return null; } };
  },
  whom({ ticket }) {
    const list = el('select', { name: 'whom' }, el('option', { value: '' }, t('choose')),
      el('optgroup', { label: t('worker') }, ...(ticket.runners_up ?? []).map(candidate).map(([id, text]) => el('option', { value: `worker:${id}` }, say(text)))),
      el('optgroup', { label: t('utility') }, ...utilities().filter(([id]) => id !== ticket.utility).map(([id, text]) => el('option', { value: `utility:${id}` }, say(text)))));
    const other = el('input', { name: 'worker', maxlength: '64', autocomplete: 'off' });
    return { node: el('div', { class: 'pair' }, named('whom', true, list), named('workerId', false, other)), read(body) {
      const [kind, id] = other.value.trim() ? ['worker', other.value.trim()] : list.value.split(/:(.*)/);
      if (!id) return t('whom');
      body.data[kind] = id;
      return null;
    } };
  },
  utility: ({ ticket, must }) => pickOne('utility', 'utility', utilities().filter(([id]) => id !== ticket.utility), must, (body, id) => { body.data.utility = id; }),
  into: ({ ticket, must }) => pickOne('into', 'into', nearestTickets(ticket).map((other) => [other.id, `${kindName(other.kind)} · ${gridName(other.grid)} · ${stageName(other.stage)} · ${other.id}`]), must, (body, id) => { body.data.into = id; }),
  events({ dossier }) {
    const box = el('fieldset', {}, el('legend', {}, t('splitEvents')), ...(dossier?.events ?? []).map((event) => el('label', {}, el('input', { type: 'checkbox', value: event.id }), say(`${kindName(event.kind)} · ${event.device ?? event.site ?? ''}`), ' ', say(event.id, 'soft'))));
    return { node: box, read(body) { const chosen = [...box.querySelectorAll(':checked')].map((node) => node.value); if (!chosen.length) return t('splitEvents'); body.data.events = chosen; return null; } };
  },
  worker({ ticket, offer, must }) {
    const known = choices(offer, 'worker');
    return pickOne('helper', 'worker', known.length ? known : (ticket.runners_up ?? []).map(candidate), must, (body, id) => { body.data.worker = id; delete body.data.count; }, must ? t('choose') : t('nearest'));
  },
  count({ must }) {
    const box = el('input', { type: 'number', name: 'count', min: '1', max: '10', value: '1' });
    return { node: named('count', must, box), read(body) { if (!body.data.worker && box.value) body.data.count = Number(box.value); return null; } };
  },
  resource: ({ offer, must }) => pickOne('resource', 'resource', choices(offer, 'resource'), must, (body, id) => { body.data.resource = id; }),
  facts({ offer }) {
    const rows = choices(offer, 'facts').map(([id, text]) => [id, text, el('select', { name: id }, el('option', { value: '' }, t('notSaid')), el('option', { value: 'yes' }, t('isSo')), el('option', { value: 'no' }, t('isNotSo')))]);
    return { node: el('div', {}, ...rows.map(([, text, box]) => el('label', {}, say(text), box))), read(body) {
      for (const [id, , box] of rows) if (box.value) body.data[id] = box.value === 'yes';
      return Object.keys(body.data).length ? null : t('facts');
    } };
  },
};
