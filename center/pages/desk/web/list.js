// The list of tickets: one card each, built anew only when its ticket changed.

import { both, language, severityName, stageName, t, timeOf } from '../common/i18n.js';
import { NEXT, OPEN, gridName, nextClock, now, state, utilityName, visibleTickets, whereText, workerName } from './state.js';
import { clean, el, icon, say } from '../common/text.js';

const MOST = 200; // cards on screen; filters reach the others
const list = document.querySelector('#cards');
const cards = new Map();
let handlers = {};

export function initList(on) {
  handlers = on;
  list.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (!step || event.target.closest('button.step')) return;
    const all = [...list.querySelectorAll('.card .open')];
    const next = all[all.indexOf(document.activeElement) + step];
    if (next) { next.focus(); event.preventDefault(); }
  });
}

export const kindName = (kind) => state.city.kinds[kind]?.[language()] ?? kind;

export function actionLabel(action) { return t(action === 'close' ? 'closeTicket' : action); }

/** Time left on a clock as text, and how pressing it is. */
export function countdown(at) {
  const left = Math.round((at - now()) / 1000);
  const s = Math.abs(left), pad = (n) => String(n).padStart(2, '0');
  const text = s >= 86400 ? `${Math.floor(s / 86400)}d ${pad(Math.floor((s % 86400) / 3600))}h`
    : s >= 3600 ? `${Math.floor(s / 3600)}:${pad(Math.floor((s % 3600) / 60))}:${pad(s % 60)}` : `${pad(Math.floor(s / 60))}:${pad(s % 60)}`;
  return { text: left < 0 ? `${t('overdue')} ${text}` : text, level: left < 0 ? 'over' : left < 300 ? 'soon' : 'fine' };
}
export function clockNode(at) {
  return tick(el('time', { class: 'clock', data: { at: String(at) }, datetime: new Date(at).toISOString() }));
}
function tick(node) {
  const { text, level } = countdown(Number(node.dataset.at));
  if (node.textContent !== text) node.textContent = text;
  node.dataset.level = level;
  return node;
}
export function tickAll() { for (const node of document.querySelectorAll('time.clock')) tick(node); }

/** The first sentence of a ticket's reason that a person can read. */
export function reasonText(ticket) {
  const reason = ticket.reason ?? {};
  const parts = ['worker', 'utility'].map((key) => both(reason[key])).filter(Boolean);
  if (parts.length) return parts.join(' · ');
  return both(reason) ?? Object.values(reason).map(both).find(Boolean) ?? '';
}

function card(ticket) {
  const grid = gridName(ticket.grid ?? ticket.place?.grid);
  const clock = nextClock(ticket);
  const action = NEXT[ticket.stage];
  const still = state.dossiers.get(ticket.id)?.events?.map((e) => e.links?.still ?? e.links?.photo).find(Boolean);
  return el('li', { class: 'card', data: { id: ticket.id, severity: String(ticket.severity), stage: ticket.stage, selected: String(ticket.id === state.selected), fresh: String(state.fresh.has(ticket.id)), open: String(OPEN.has(ticket.stage)) } },
    el('div', { class: 'head' },
      el('span', { class: 'badge', title: severityName(ticket.severity) }, icon(ticket.kind)),
      el('button', { class: 'open', onclick: () => handlers.select(ticket.id), 'aria-expanded': String(ticket.id === state.selected) },
        say(kindName(ticket.kind), 'kind'),
        el('span', { class: 'line' }, el('span', { class: 'sev' }, severityName(ticket.severity)), ' · ',
          el('time', { datetime: clean(ticket.opened_at) }, timeOf(ticket.opened_at, state.city.timezone, true)))),
      el('span', { class: 'stage' }, stageName(ticket.stage))),
    el('div', { class: 'body' },
      el('div', {},
        el('p', { class: 'where' }, say(whereText(grid, ticket.place?.address))),
        el('p', { class: 'who' },
          el('span', { class: 'person', title: t('worker') }, say(workerName(ticket.worker) ?? t('none'))),
          ticket.utility ? el('span', { class: 'utility', title: t('utility') }, say(utilityName(ticket.utility))) : null),
        el('p', { class: 'reason' }, say(reasonText(ticket)))),
      still ? el('img', { class: 'thumb', src: still, alt: t('still'), loading: 'lazy' }) : null),
    OPEN.has(ticket.stage) ? el('div', { class: 'foot' },
      clock ? el('span', { class: 'due' }, el('span', {}, actionLabel(clock.clock)), clockNode(clock.at)) : el('span'),
      action ? el('button', { class: 'step primary', onclick: (event) => handlers.act(ticket.id, action, event.currentTarget) }, actionLabel(action)) : null) : null);
}

export function renderList() {
  const shown = visibleTickets();
  const language_ = language();
  const wanted = shown.slice(0, MOST).map((ticket) => {
    const dossier = state.dossiers.get(ticket.id);
    const known = cards.get(ticket.id);
    const selected = ticket.id === state.selected, fresh = state.fresh.has(ticket.id);
    if (known && known.ticket === ticket && known.dossier === dossier && known.selected === selected && known.fresh === fresh && known.language === language_ && known.city === state.city && known.grids === state.grids) return known.node;
    const node = card(ticket);
    if (known) {
      const focused = known.node.contains(document.activeElement) ? document.activeElement.className : null;
      known.node.replaceWith(node);
      if (focused) (node.querySelector(`.${focused.split(' ')[0]}`) ?? node.querySelector('.open')).focus();
    }
    cards.set(ticket.id, { node, ticket, dossier, selected, fresh, language: language_, city: state.city, grids: state.grids });
    return node;
  });
  wanted.forEach((node, i) => { if (list.children[i] !== node) list.insertBefore(node, list.children[i] ?? null); });
  while (list.children.length > wanted.length) { cards.delete(list.lastChild.dataset.id); list.lastChild.remove(); }
  const empty = document.querySelector('#empty');
  empty.hidden = shown.length > 0;
  empty.textContent = t(state.tickets.size && (state.kind || state.scope === 'open') ? 'emptyFilter' : 'empty');
  renderHeld();
  renderBars();
}

/** Incidents for which nobody is sent at the moment, and why. */
function renderHeld() {
  const box = document.querySelector('#held');
  const held = [...state.held.values()].filter((incident) => !state.kind || incident.kind === state.kind);
  box.hidden = held.length === 0;
  const next = [el('summary', {}, t('held'), ' ', el('b', {}, String(held.length))), el('ul', {}, ...held.slice(0, MOST).map((incident) => el('li', {},
    el('b', {}, say(kindName(incident.kind))), ' ', say(whereText(gridName(incident.place?.grid), incident.place?.address)),
    el('p', { class: 'soft' }, t('heldUntil'), ' ', timeOf(incident.held.until, state.city.timezone), ' · ', say(both(incident.held) ?? t(incident.held.by === 'work' ? 'byWork' : 'bySilence'))))))];
  const look = next.map((node) => node.outerHTML).join('');
  if (box.dataset.shown === look) return;
  box.dataset.shown = look;
  box.replaceChildren(...next);
}

function renderBars() {
  const open = [...state.tickets.values()].filter((ticket) => OPEN.has(ticket.stage));
  const base = state.scope === 'all' ? [...state.tickets.values()] : open;
  const counts = new Map();
  for (const ticket of base) counts.set(ticket.kind, (counts.get(ticket.kind) ?? 0) + 1);
  const toggle = (group, key, value, label) => el('button', { 'aria-pressed': String(state[key] === value), data: { value: value ?? '' }, onclick: () => handlers.filter(key, value) }, label);
  swap('#sort', [['newest', 'newest'], ['urgent', 'urgent']].map(([v, k]) => toggle('sort', 'sort', v, t(k))));
  swap('#scope', [['open', 'open'], ['all', 'all']].map(([v, k]) => toggle('scope', 'scope', v, t(k))));
  swap('#kinds', [[null, null], ...[...counts].sort((a, b) => b[1] - a[1])].map(([kind, n]) =>
    toggle('kinds', 'kind', kind, kind === null ? t('allKinds') : el('span', {}, say(kindName(kind)), ' ', el('b', {}, String(n))))));
  const bySeverity = [5, 4, 3, 2, 1].map((n) => [n, open.filter((ticket) => ticket.severity === n).length]).filter(([, n]) => n);
  swap('#counts', [el('span', { class: 'total' }, el('b', {}, String(open.length)), ' ', t('open')),
    ...bySeverity.map(([n, count]) => el('span', { class: 'count', data: { severity: String(n) } }, el('i'), severityName(n), ' ', el('b', {}, String(count))))]);
}

/** Replace a group's children only when they would look different (keeps focus). */
function swap(selector, nodes) {
  const group = document.querySelector(selector);
  const next = el('div', {}, ...nodes);
  if (group.dataset.shown === next.innerHTML) return;
  const value = group.contains(document.activeElement) ? document.activeElement.dataset.value : null;
  group.dataset.shown = next.innerHTML;
  group.replaceChildren(...next.childNodes);
  if (value !== null) [...group.children].find((node) => node.dataset.value === value)?.focus();
}

