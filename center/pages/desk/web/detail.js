// @ts-check
// One ticket in full, made of the panels below panels/: each folder is one, found by being there.

/** @import {On, Panel, View} from './types.js' */

import { get } from '/static/common/api.js';
import { language, t } from '/static/common/i18n.js';
import { el } from '/static/common/text.js';
import { changed, state } from './state.js';
import { complain } from './toasts.js';
import { kindName } from './words.js';

const panel = /** @type {HTMLElement} */ (document.querySelector('#detail'));
/** @type {Panel[]} */
let panels = [];
/** @type {unknown[] | null} */
let shown = null;
/** @type {{ticket: string, action: string, tries: number} | null} a form that is to open once its actions are known */
let wanted = null;

/** @param {On} _on */
export async function initDetail(_on) {
  try {
    /** @type {{name: string, script: string, style: string | null}[]} */
    const rows = await get('/api/v1/desk/panels');
    for (const { style } of rows) if (style) document.head.append(el('link', { rel: 'stylesheet', href: style }));
    const found = await Promise.allSettled(rows.map(({ script }) => import(script)));
    // A panel that cannot be loaded is said and leaves the others alone.
    for (const one of found) if (one.status === 'rejected') complain(one.reason);
    panels = found.filter((one) => one.status === 'fulfilled').map((one) => one.value.panel).sort((a, b) => a.order - b.order);
    shown = null;
    changed();
  } catch (error) { complain(error); }
}

/** @param {On} on */
export function renderDetail(on) {
  const ticket = state.selected ? state.tickets.get(state.selected) : undefined;
  panel.hidden = !ticket;
  document.body.dataset.detail = String(Boolean(ticket));
  if (!ticket) { shown = null; panel.replaceChildren(); return; }
  const dossier = state.dossiers.get(ticket.id);
  const key = [ticket.id, ticket, dossier, language(), state.city, state.gridNames.size, panels];
  if (shown && key.every((part, i) => shown?.[i] === part)) return;
  const other = !shown || shown[0] !== ticket.id, before = other ? null : keep();
  shown = key;
  panel.setAttribute('aria-label', kindName(ticket.kind));
  panel.dataset.severity = String(ticket.severity);
  /** @type {View} */
  const view = { ticket, dossier, on, kept: before?.kept ?? new Map() };
  panel.replaceChildren(...panels.map((one) => drawn(one, view)).filter((node) => node !== null));
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (panel.querySelectorAll('[data-keep]'))) {
    const old = view.kept.get(String(node.dataset.keep));
    if (old && old !== node && !panel.contains(old)) node.replaceWith(old);
  }
  panel.scrollTop = before ? before.scroll : 0;
  if (before?.field && panel.contains(before.field)) before.field.focus({ preventScroll: true });
  else if (before?.focus) /** @type {HTMLElement | null} */ (panel.querySelector(`[data-focus="${CSS.escape(before.focus)}"]`))?.focus({ preventScroll: true });
  if (wanted?.ticket === ticket.id) openTicketForm(wanted.action);
}

/** A panel that fails must not take the others with it. @param {Panel} one @param {View} view */
function drawn(one, view) {
  try { return one.render(view); } catch (error) {
    console.error('panel:', error);
    return el('section', {}, el('p', { class: 'hint', role: 'alert' }, t('failed')));
  }
}

/** What must survive a redraw: a playing video, an original that was opened, a form that is being filled in, the scroll position, the focus. */
function keep() {
  /** @type {Map<string, HTMLElement>} */
  const kept = new Map();
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (panel.querySelectorAll('[data-keep]'))) {
    if (!(node instanceof HTMLDetailsElement) || node.open) kept.set(String(node.dataset.keep), node);
  }
  const at = /** @type {HTMLElement | null} */ (document.activeElement), inside = at !== null && panel.contains(at);
  return { kept, field: inside && at.closest('[data-keep]') ? at : null, scroll: panel.scrollTop, focus: inside ? at.dataset.focus ?? null : null };
}

/** Press the button of an action of the ticket that is open; when its actions are not known yet, once they are. @param {string} action */
export function openTicketForm(action) {
  const ticket = String(state.selected), button = /** @type {HTMLButtonElement | null} */ (panel.querySelector(`.do [data-action="${action}"]`));
  const tries = wanted?.ticket === ticket ? wanted.tries : 0;
  wanted = null;
  if (button) button.click();
  else if (tries < 3) wanted = { ticket, action, tries: tries + 1 };
}

/** While a merge is being filled in, a click on a card or a pin says into which ticket. @param {string} id */
export function chosenForMerge(id) {
  const box = /** @type {HTMLSelectElement | null} */ (panel.querySelector('form.ask[data-action=merge] select[name=into]'));
  const other = state.tickets.get(id);
  if (!box || !other || id === state.selected) return false;
  if (![...box.options].some((option) => option.value === id)) box.append(el('option', { value: id }, `${kindName(other.kind)} · ${id}`));
  box.value = id;
  box.focus();
  return true;
}
