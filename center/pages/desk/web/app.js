// @ts-check
// The desk: its parts, wired. What is known is in state.js, what comes in live.js, what calls in alarm/.

/** @import {Answered, Filters, More, On, Ticket} from './types.js' */

import './texts.js';
import { post } from '/static/common/api.js';
import { both, t } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';
import { initAlarm, toggleMute } from './alarm/alarm.js';
import { chosenForMerge, initDetail, openTicketForm, renderDetail } from './detail.js';
import { fromAddress, myName, toAddress } from './filters.js';
import { bind, initKeys, showKeys } from './keys.js';
import { bulkOf, initBars } from './list/bars.js';
import { current, focusCard, initList, move, pick, renderList } from './list/list.js';
import { initLive, loadDossier, loadFinished, retry } from './live.js';
import { drawPlaces, initPlaces, relabelPlaces, showPlace, themePlaces } from './places.js';
import { changed, gridName, onChange, placeOf, state, takeTicket } from './state.js';
import { complain, initToasts, toast } from './toasts.js';
import { askToken, initTopbar, relabel, setLink, switchLanguage, tickBar } from './topbar.js';
import { kindName, tickAll } from './words.js';

/** @param {string} selector */
const $ = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector));
const BULK = 200; // tickets in one request

// --- what people do -----------------------------------------------------------------------------

/** Ask for an action; `more` has its `reason`, `note`, `data` and whose word it is (`by`).
 * @param {string} id @param {string} action @param {HTMLButtonElement | null} button @param {More} [more] @returns {Promise<Answered>} */
async function act(id, action, button, more = {}) {
  const ticket = state.tickets.get(id);
  if (!ticket) return { status: 404 };
  if (button) button.disabled = true;
  try {
    const { status, answer } = await post(`/api/v1/tickets/${encodeURIComponent(id)}/actions`, { action, by: myName(), rev: ticket.rev, ...more });
    if (status === 200 && answer.gone) { state.tickets.delete(id); if (state.selected === id) select(id); changed(); } else if (status === 200) takeTicket(answer);
    else if (status === 202) toast(t('waiting'), 'info');
    else if (status === 401 || status === 403) { toast(say(both(answer.reason)), 'bad'); if (!state.me?.account) askToken(); }
    else if (status === 409) toast(el('span', {}, t('refused'), '：', say(both(answer.reason))), 'bad');
    else toast(el('span', {}, t('failed'), '：', say(both(answer.reason) ?? status)), 'bad');
    if (state.selected === id || status === 409) loadDossier(id);
    return { status, reason: both(answer.reason), stale: status === 409 && answer.rev !== ticket.rev };
  } catch (error) { complain(error); return { status: 0, reason: /** @type {Error} */ (error).message }; } finally { if (button) button.disabled = false; }
}

/** Say that these are known at the desk: their alarm is silent until that expires.
 * @param {string[]} ids @param {HTMLButtonElement | null} [button] */
async function acknowledge(ids, button = null) {
  if (button) button.disabled = true;
  let done = 0, waiting = 0;
  /** @type {[string, string][]} */
  const refused = [];
  try {
    for (let at = 0; at < ids.length; at += BULK) {
      const { status, answer } = await post('/api/v1/desk/acknowledge', { tickets: ids.slice(at, at + BULK), by: myName() });
      if (status !== 200) { toast(el('span', {}, t('failed'), '：', say(both(answer.reason) ?? status)), 'bad'); if (status === 401) askToken(); return; }
      done += answer.done.length;
      waiting += answer.waiting.length;
      refused.push(...answer.refused);
    }
    state.picked.clear();
    if (refused.length) toast(el('span', {}, t('refused'), ` ${refused.length}：`, say(both(refused[0]?.[1]))), 'bad');
    if (waiting) toast(t('waiting'), 'info');
    if (done > 1) toast(t('bulkDone').replace('{n}', String(done)), 'info');
    changed();
  } catch (error) { complain(error); } finally { if (button) button.disabled = false; }
}

/** Acknowledge what is chosen, else all that is shown and calls: that is asked once more. */
function bulk() {
  const { ids, picked } = bulkOf();
  if (!ids.length) return;
  if (ids.length === 1) { acknowledge(ids); return; }
  const box = /** @type {HTMLDialogElement} */ ($('#ask-bulk'));
  $('#ask-bulk p').textContent = t(picked ? 'askPicked' : 'askAll').replace('{n}', String(ids.length));
  box.returnValue = '';
  box.onclose = () => { if (box.returnValue === 'ok') acknowledge(ids); };
  box.showModal();
}

/** @type {HTMLElement | null} */
let openedFrom = null;
/** @param {string} id */
function select(id) {
  if (chosenForMerge(id)) return;
  const before = state.selected;
  if (before === null) openedFrom = /** @type {HTMLElement | null} */ (document.activeElement?.closest('.pin') ?? null);
  state.selected = id === before ? null : id;
  const address = toAddress(state.filters, state.selected);
  if (before === null) history.pushState(null, '', address); else history.replaceState(null, '', address);
  shown(id);
}
/** After another ticket was selected, or none. @param {string} last */
function shown(last) {
  if (state.selected) {
    loadDossier(state.selected);
    for (const node of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.toast'))) if (node.dataset.ticket === state.selected) node.remove();
    renderDetail(on);
    $('#detail').focus({ preventScroll: true });
    showPlace(placeOf(state.tickets.get(state.selected)));
  } else {
    renderDetail(on);
    if (openedFrom?.isConnected) openedFrom.focus(); else focusCard(last);
  }
  changed();
}
/** Show a ticket that another one names. @param {string} id */
async function visit(id) {
  if (!state.tickets.has(id)) await loadDossier(id);
  if (state.tickets.has(id) && state.selected !== id) select(id);
}
/** @param {Partial<Filters>} change */
function filter(change) {
  const typing = Object.keys(change).join() === 'q';
  state.filters = { ...state.filters, ...change };
  const address = toAddress(state.filters, state.selected);
  if (typing) history.replaceState(null, '', address); else history.pushState(null, '', address);
  if (state.filters.scope === 'all') loadFinished();
  changed();
}
/** What the address says: at the start, and when people go back or on. */
function readAddress() {
  state.filters = fromAddress(new URLSearchParams(location.search));
  if (state.filters.scope === 'all') loadFinished();
  const wanted = decodeURIComponent(location.hash.slice(1)) || null, before = state.selected;
  changed();
  if (wanted === before) return;
  if (wanted === null) { state.selected = null; shown(String(before)); } else {
    loadDossier(wanted).then(() => { if (state.tickets.has(wanted)) { state.selected = wanted; shown(wanted); } });
  }
}
/** @type {On} */
const on = { select, visit, act, acknowledge, filter, pick, close: () => { if (state.selected) select(state.selected); } };

// --- the keyboard -------------------------------------------------------------------------------

/** Press a button of the ticket that is open. @param {string} selector */
function press(selector) {
  const button = /** @type {HTMLElement | null} */ (document.querySelector(`#detail ${selector}`));
  if (!button || /** @type {HTMLButtonElement} */ (button).disabled) return false;
  button.click();
  return true;
}
/** Do it in the open ticket; else open the one the keyboard stands on. @param {() => unknown} deed */
function inTicket(deed) {
  const id = current();
  if (!id) return false;
  if (state.selected !== id) select(id);
  return deed();
}
/** @param {1 | -1} step */
function step(step) {
  const open = state.selected !== null && document.activeElement?.closest('#detail, body') !== null && !document.activeElement?.closest('.card');
  if (!move(step)) return;
  const id = current();
  if (open && id && id !== state.selected) select(id);
}
bind([
  { group: 'keysList', keys: ['j'], text: 'keyNext', run: () => step(1) },
  { group: 'keysList', keys: ['k'], text: 'keyPrevious', run: () => step(-1) },
  { group: 'keysList', keys: ['Enter'], text: 'keyOpen', run: () => { const at = document.activeElement; if (at && at !== document.body && !at.closest('#detail:focus')) return false; const id = current(); if (!id || id === state.selected) return false; select(id); return true; } },
  { group: 'keysList', keys: ['x'], text: 'pick', run: () => { const id = current(); if (id) pick(id); } },
  { group: 'keysList', keys: ['A'], text: 'keyBulk', run: bulk },
  { group: 'keysList', keys: ['/'], text: 'search', run: () => { /** @type {HTMLInputElement} */ ($('#q')).focus(); /** @type {HTMLInputElement} */ ($('#q')).select(); } },
  { group: 'keysList', keys: ['u'], text: 'keyUnheard', run: () => filter({ show: state.filters.show === 'unacknowledged' ? null : 'unacknowledged' }) },
  { group: 'keysList', keys: ['o'], text: 'keyOverdue', run: () => filter({ show: state.filters.show === 'overdue' ? null : 'overdue' }) },
  { group: 'keysList', keys: ['E'], text: 'csv', run: () => $('#csv').click() },
  { group: 'keysTicket', keys: ['a'], text: 'acknowledge', run: () => { const id = current(); if (id) acknowledge([id]); } },
  { group: 'keysTicket', keys: ['s'], text: 'keySend', run: () => inTicket(() => openTicketForm('reassign')) },
  { group: 'keysTicket', keys: ['h'], text: 'keyHelp', run: () => inTicket(() => openTicketForm('request_helper')) },
  { group: 'keysTicket', keys: ['c'], text: 'keyCall', run: () => inTicket(() => press('[data-call]')) },
  { group: 'keysTicket', keys: ['d'], text: 'keyUtility', run: () => inTicket(() => openTicketForm('assign')) },
  { group: 'keysTicket', keys: ['p'], text: 'keyUrge', run: () => inTicket(() => openTicketForm('supervise')) },
  { group: 'keysTicket', keys: ['M'], text: 'keyMerge', run: () => inTicket(() => openTicketForm('merge')) },
  { group: 'keysTicket', keys: ['V'], text: 'keyVoid', run: () => inTicket(() => openTicketForm('void')) },
  { group: 'keysTicket', keys: ['n'], text: 'note', run: () => inTicket(() => openTicketForm('note')) },
  { group: 'keysTicket', keys: ['N'], text: 'keyStep', run: () => inTicket(() => press('.actions .primary')) },
  { group: 'keysTicket', keys: ['v'], text: 'keyPlay', run: () => { const video = document.querySelector('#detail video'); if (!(video instanceof HTMLVideoElement)) return; if (video.paused) video.play(); else video.pause(); } },
  { group: 'keysTicket', keys: ['b'], text: 'keyBuilding', run: () => inTicket(() => press('[data-building]')) },
  { group: 'keysPage', keys: ['m'], text: 'keyMap', run: () => { tab('map'); /** @type {HTMLElement | null} */ (document.querySelector('#map [tabindex="0"], #map canvas'))?.focus(); } },
  { group: 'keysPage', keys: ['S'], text: 'keyMute', run: toggleMute },
  { group: 'keysPage', keys: ['L'], text: 'keyLanguage', run: switchLanguage },
  { group: 'keysPage', keys: ['T'], text: 'theme', run: () => $('#theme').click() },
  { group: 'keysPage', keys: ['?'], text: 'keyboard', run: showKeys },
  { group: 'keysPage', keys: ['Escape'], text: 'keyEscape', run: () => {
    const at = /** @type {HTMLElement | null} */ (document.activeElement);
    if (at?.matches('#q, #list select')) at.blur(); else if (state.selected) select(state.selected); else return false;
    return true;
  } },
]);

// --- the frame ----------------------------------------------------------------------------------

/** @param {string} name */
function tab(name) {
  document.body.dataset.tab = name;
  for (const button of document.querySelectorAll('button[data-tab]')) button.setAttribute('aria-pressed', String(/** @type {HTMLElement} */ (button).dataset.tab === name));
}
/** @param {Ticket} ticket */
const announce = (ticket) => toast(el('span', {}, t('newTicket'), '：', say(kindName(ticket.kind)), ' · ', say(gridName(ticket.grid))), 'new', ticket.id);

document.querySelectorAll('button[data-tab]').forEach((button) => button.addEventListener('click', () => tab(String(/** @type {HTMLElement} */ (button).dataset.tab))));
addEventListener('popstate', readAddress);
document.addEventListener('bulk', bulk);
$('#keys-button').addEventListener('click', showKeys);
initToasts((id) => { if (state.selected !== id) select(id); }, (error) => { if (!state.me?.account && (error.status === 401 || error.status === 403)) askToken(); });
tab('list');
initTopbar({ retry, relabelled: relabelPlaces, themed: () => { themePlaces(); changed(); } });
initList(on);
initBars(on);
initAlarm();
initKeys();
onChange(renderList);
onChange(() => renderDetail(on));
onChange(drawPlaces);
relabel();
initLive({ ready: () => { initDetail(on); initPlaces(select); }, opened: announce, me: (me) => { if (me.accounts && me.role === null) askToken(); }, link: setLink, failed: complain, resumed: (n) => toast(t('resumed').replace('{n}', String(n)), 'info') });
setInterval(() => { tickAll(); tickBar(); }, 1000);
setInterval(() => { if (!document.hidden) changed(); }, 10_000); // what has become late meanwhile
readAddress();
