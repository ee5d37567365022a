// @ts-check
// The queue: only the cards that can be seen are there, however many tickets are open.

/** @import {On, Ticket} from '../types.js' */

import { both, language, t, timeOf } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';
import { countSet } from '../filters.js';
import { changed, gridName, now, state, visibleTickets, whereText } from '../state.js';
import { acknowledged, calls, overdue } from '../urgency.js';
import { kindName } from '../words.js';
import { renderBars } from './bars.js';
import { card } from './card.js';

const SPARE = 4; // cards above and below what is seen
const MOST_HELD = 200;
const scroller = /** @type {HTMLElement} */ (document.querySelector('#scroller'));
const list = /** @type {HTMLElement} */ (document.querySelector('#cards'));
/** @type {Map<string, {node: HTMLElement, key: unknown[]}>} */
const cards = new Map();
/** @type {On} */
let handlers;
let pitch = 0;
/** @type {{id: string, top: number} | null} the first card that is seen, and where it stands */
let anchor = null;

/** @param {On} on */
export function initList(on) {
  handlers = on;
  scroller.addEventListener('scroll', () => { remember(); place(); }, { passive: true });
  new ResizeObserver(() => { pitch = 0; place(); }).observe(scroller);
  list.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || /** @type {Element} */ (event.target).closest('button.step, button.ack')) return;
    if (move(step)) event.preventDefault();
  });
}

function pitchOf() {
  if (!pitch) pitch = parseFloat(getComputedStyle(scroller).getPropertyValue('--pitch')) || 160;
  return pitch;
}

/** The ticket that the keyboard stands on: of the focused card, else the selected one. */
export function current() {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement?.closest?.('.card') ?? null);
  return focused?.dataset.id ?? state.selected;
}

/** Go to the next card (or that many further); false at the end. @param {number} step */
export function move(step) {
  const shown = visibleTickets(), at = shown.findIndex((ticket) => ticket.id === current());
  const next = shown[at < 0 ? (step > 0 ? 0 : shown.length - 1) : at + step];
  if (!next) return false;
  focusCard(next.id);
  return true;
}

/** Bring a card into view and onto it. @param {string} id */
export function focusCard(id) {
  const index = visibleTickets().findIndex((ticket) => ticket.id === id);
  if (index < 0) return;
  reveal(index);
  place();
  /** @type {HTMLElement | null} */ (cards.get(id)?.node.querySelector('.open') ?? null)?.focus({ preventScroll: true });
}
/** @param {number} index */
function reveal(index) {
  const top = index * pitchOf(), bottom = top + pitchOf();
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  else if (bottom > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = bottom - scroller.clientHeight;
}

function remember() {
  const index = Math.floor(scroller.scrollTop / pitchOf());
  const ticket = scroller.scrollTop > 0 ? visibleTickets()[index] : null;
  anchor = ticket ? { id: ticket.id, top: scroller.scrollTop - index * pitchOf() } : null;
}

/** Put the cards that can be seen where they belong. */
function place() {
  const shown = visibleTickets(), height = pitchOf();
  list.style.height = `${shown.length * height}px`;
  const first = Math.max(0, Math.floor(scroller.scrollTop / height) - SPARE);
  const last = Math.min(shown.length, Math.ceil((scroller.scrollTop + scroller.clientHeight) / height) + SPARE);
  const focused = document.activeElement?.closest?.('.card');
  const held = focused instanceof HTMLElement && list.contains(focused) ? focused.dataset.id : null;
  const wanted = new Set();
  /** @type {HTMLElement[]} */
  const nodes = [];
  shown.forEach((ticket, index) => {
    if ((index < first || index >= last) && ticket.id !== held) return;
    const node = cardOf(ticket, index, shown.length);
    node.style.transform = `translateY(${index * height}px)`;
    wanted.add(ticket.id);
    nodes.push(node);
  });
  for (const [id, { node }] of cards) if (!wanted.has(id)) { node.remove(); cards.delete(id); }
  nodes.forEach((node, i) => { if (list.children[i] !== node) keepFocus(() => list.insertBefore(node, list.children[i] ?? null)); });
}

/** @param {Ticket} ticket @param {number} index @param {number} size */
function cardOf(ticket, index, size) {
  const moment = now(), known = cards.get(ticket.id);
  const key = [ticket, state.dossiers.get(ticket.id), ticket.id === state.selected, state.fresh.has(ticket.id), state.picked.has(ticket.id),
    calls(ticket, moment), acknowledged(ticket, moment)?.until, overdue(ticket, moment), language(), state.city, state.gridNames.size];
  if (known && known.key.every((part, i) => part === key[i])) return known.node;
  const node = card(ticket, handlers, index, size);
  if (known) {
    node.style.transform = known.node.style.transform;
    const focused = known.node.contains(document.activeElement) ? document.activeElement?.className.split(' ')[0] : null;
    known.node.replaceWith(node);
    if (focused !== null) /** @type {HTMLElement} */ (node.querySelector(`.${focused || 'open'}`) ?? node.querySelector('.open')).focus({ preventScroll: true });
  }
  cards.set(ticket.id, { node, key });
  return node;
}

/** Moving a node takes its focus away. @param {() => void} move_ */
function keepFocus(move_) {
  const focused = document.activeElement;
  move_();
  if (focused instanceof HTMLElement && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}

export function renderList() {
  const shown = visibleTickets();
  if (anchor) { // what is being looked at stays where it is, whatever came above it
    const { id, top } = anchor, index = shown.findIndex((ticket) => ticket.id === id);
    if (index >= 0) scroller.scrollTop = index * pitchOf() + top;
  }
  place();
  const empty = /** @type {HTMLElement} */ (document.querySelector('#empty'));
  empty.hidden = shown.length > 0;
  const filtered = countSet(state.filters) > 0 || (state.tickets.size > 0 && state.filters.scope === 'open');
  empty.textContent = t(!state.loaded ? 'reading' : filtered ? 'emptyFilter' : 'empty');
  renderHeld();
  renderBars(handlers);
}

/** Incidents for which nobody is sent at the moment, and why. */
function renderHeld() {
  const box = /** @type {HTMLElement} */ (document.querySelector('#held'));
  const held = [...state.held.values()].filter((incident) => !state.filters.kind || incident.kind === state.filters.kind);
  box.hidden = held.length === 0;
  const next = [el('summary', {}, t('held'), ' ', el('b', {}, String(held.length))), el('ul', {}, ...held.slice(0, MOST_HELD).map((incident) => el('li', {},
    el('b', {}, say(kindName(incident.kind))), ' ', say(whereText(gridName(incident.place?.grid), incident.place?.address)),
    el('p', { class: 'soft' }, t('heldUntil'), ' ', timeOf(incident.held.until, state.city.timezone), ' · ', say(both(incident.held) ?? t(incident.held.by === 'work' ? 'byWork' : 'bySilence'))))))];
  const look = next.map((node) => node.outerHTML).join('');
  if (box.dataset.shown === look) return;
  box.dataset.shown = look;
  box.replaceChildren(...next);
}

/** Choose a card, or let it go. @param {string} id */
export function pick(id) {
  if (!state.picked.delete(id)) state.picked.add(id);
  changed();
}
