// One ticket in full: steps, evidence, reasons, other candidates, timeline, actions.

import { actionsOf, formKept, oneClick } from './actions.js';
import { evidenceOf } from './evidence.js';
import { both, laneName, language, severityName, stageName, t, timeOf } from '../common/i18n.js';
import { actionLabel, clockNode, kindName } from './list.js';
import { relatedOf } from './related.js';
import { CLOCKS, NEXT, OPEN, gridName, state, utilityName, whereText, workerName } from './state.js';
import { el, icon, say } from '../common/text.js';

const panel = document.querySelector('#detail');
const REACHED = { accept: 'accepted', arrive: 'arrived', dispose: 'disposed', verify: 'verified', close: 'closed' };
const WHY = { worker: 'worker', utility: 'utility', deadlines: 'deadlineRule', incident: 'whyOne', verification: 'proof', returned: 'returnedBy', supervised: 'urged', suspended: 'suspendedFor', evaluation: 'judged', doubted: 'doubted', deaf: 'deaf' };
let shown = null;

export function renderDetail(on) {
  const ticket = state.tickets.get(state.selected);
  panel.hidden = !ticket;
  document.body.dataset.detail = String(Boolean(ticket));
  if (!ticket) { shown = null; panel.replaceChildren(); return; }
  const dossier = state.dossiers.get(ticket.id);
  const key = [ticket, dossier, language(), state.city, state.grids];
  if (shown && key.every((part, i) => shown[i] === part)) return;
  const other = !shown || shown[0].id !== ticket.id;
  const kept = other ? null : keep();
  shown = key;
  panel.setAttribute('aria-label', kindName(ticket.kind));
  panel.dataset.severity = ticket.severity;
  panel.replaceChildren(head(ticket, on), steps(ticket), actionsOf(ticket, dossier, on, kept?.form), relatedOf(ticket, dossier, on), photographs(dossier), evidence(dossier, kept), why(ticket), candidates(ticket, dossier, on), timeline(ticket));
  if (other) panel.scrollTop = 0; else panel.scrollTop = kept.scroll;
  if (kept?.field && panel.contains(kept.field)) kept.field.focus({ preventScroll: true });
  else if (kept?.focus) panel.querySelector(`[data-focus="${kept.focus}"]`)?.focus();
}

/** What must survive a redraw: a playing video, an original that was opened, a form that is being filled in, the scroll position, the focus. */
function keep() {
  const videos = new Map([...panel.querySelectorAll('video')].map((video) => [new URL(video.src).pathname, video]));
  const originals = new Map([...panel.querySelectorAll('details.originals[open]')].map((node) => [node.dataset.event, node]));
  const field = document.activeElement?.closest?.('#detail form.ask') ? document.activeElement : null;
  return { videos, originals, form: formKept(panel), field, scroll: panel.scrollTop, focus: panel.contains(document.activeElement) ? document.activeElement.dataset.focus : null };
}

function head(ticket, on) {
  const place = ticket.place ?? {};
  const utility = state.city.utilities[ticket.utility];
  return el('div', { class: 'top' },
    el('div', { class: 'title' }, el('span', { class: 'badge' }, icon(ticket.kind)),
      el('div', {}, el('h2', {}, say(kindName(ticket.kind))),
        el('p', {}, el('span', { class: 'sev' }, severityName(ticket.severity)), ' ', el('span', { class: 'stage' }, stageName(ticket.stage)), ticket.code ? el('span', { class: 'code' }, say(ticket.code)) : null)),
      el('button', { class: 'tool shut', data: { focus: 'shut' }, 'aria-label': t('close'), title: t('close'), onclick: on.close }, icon('shut'))),
    el('dl', { class: 'facts' },
      row(t('where'), el('span', {}, say(whereText(gridName(ticket.grid ?? place.grid), place.address)))),
      row(t('worker'), say(workerName(ticket.worker) ?? t('none'), 'strong')),
      row(t('utility'), el('span', {}, say(utilityName(ticket.utility) ?? t('none'), 'strong'), utility?.phone ? el('span', { class: 'soft' }, ' ', say(utility.phone)) : null)),
      row(t('lane'), laneName(ticket.lane)), row('ID', el('span', { class: 'soft' }, say(ticket.id), ` · rev ${ticket.rev}`))));
}
const row = (name, node) => el('div', { class: 'fact' }, el('dt', {}, name), el('dd', {}, node));

function steps(ticket) {
  const done = new Map((ticket.timeline ?? []).map((step) => [step.change, step.at]));
  const next = NEXT[ticket.stage];
  return el('ol', { class: 'steps' }, ...CLOCKS.map((clock) => {
    const at = done.get(REACHED[clock]);
    const due = ticket.deadlines?.[clock];
    const status = at ? 'done' : clock === next ? 'next' : 'later';
    return el('li', { data: { status } }, el('i'), el('b', {}, actionLabel(clock)),
      at ? el('time', {}, timeOf(at, state.city.timezone)) : due && OPEN.has(ticket.stage) ? clockNode(Date.parse(due)) : el('span', { class: 'soft' }, '—'));
  }));
}

const byName = (by) => { const id = String(by ?? '').replace(/^(worker|utility):/, ''); return state.city.utilities[id] ? utilityName(id) : workerName(id); };
/** What people sent with their actions. */
function photographs(dossier) {
  const shown = (dossier?.photographs ?? []).filter((one) => one.photo);
  if (!shown.length) return el('div');
  return el('section', {}, el('h3', {}, t('photographs')), el('div', { class: 'photographs' }, ...shown.map((one) => el('figure', {},
    el('a', { href: one.photo, target: '_blank', rel: 'noopener' }, el('img', { src: one.photo, alt: t(`photo_${one.name}`), loading: 'lazy' })),
    el('figcaption', {}, t(`photo_${one.name}`), ' · ', say(byName(one.by)), ' · ', timeOf(one.at, state.city.timezone))))));
}

function evidence(dossier, kept) {
  if (!dossier) return el('section', { class: 'evidence' }, el('h3', {}, t('evidence')), el('p', { class: 'hint' }, '…'));
  const events = dossier.events ?? [];
  const node = el('section', { class: 'evidence' }, el('h3', {}, t('evidence')), ...events.map(evidenceOf));
  for (const video of node.querySelectorAll('video')) {
    const playing = kept?.videos.get(new URL(video.src).pathname);
    if (playing) video.replaceWith(playing);
  }
  for (const closed of node.querySelectorAll('details.originals')) {
    const open = kept?.originals.get(closed.dataset.event);
    if (open) closed.replaceWith(open);
  }
  return node;
}

function why(ticket) {
  const rows = Object.entries(ticket.reason ?? {}).map(([key, value]) => [key, both(value)]).filter(([key, text]) => text && key in WHY);
  const rest = Object.entries(ticket.reason ?? {}).filter(([key, value]) => !(key in WHY) && both(value));
  return el('section', { class: 'why' }, el('h3', {}, t('why')),
    el('dl', { class: 'facts tall' }, ...rows.map(([key, text]) => row(t(WHY[key]), say(text))), ...rest.map(([key, value]) => row(say(key), say(both(value))))));
}

function candidates(ticket, dossier, on) {
  const others = ticket.runners_up ?? [];
  if (!others.length) return el('div');
  return el('section', { class: 'candidates' }, el('h3', {}, t('candidates')),
    el('ul', { class: 'others' }, ...others.slice(0, 5).map((c) => el('li', {},
      el('div', {}, say(c.name ?? c.worker), el('span', { class: 'soft' }, ` ${Math.round(c.distance_m)} ${t('m')} · ${Math.max(1, Math.round(c.travel_s / 60))} ${t('min')} · ${t('load')} ${c.load}${c.skilled ? '' : ` · ${t('unskilled')}`}${c.in_grid ? '' : ` · ${t('otherGrid')}`}`), both({ text_zh: c.note_zh, text_en: c.note }) ? el('p', {}, say(both({ text_zh: c.note_zh, text_en: c.note }))) : null),
      ...oneClick(ticket, dossier, on, c.worker)))));
}

function timeline(ticket) {
  return el('section', {}, el('h3', {}, t('timeline')),
    el('ol', { class: 'timeline' }, ...[...(ticket.timeline ?? [])].reverse().map((step) =>
      el('li', {}, el('time', {}, timeOf(step.at, state.city.timezone, true)), el('div', {}, el('b', {}, stageName(step.change)), ' ', el('span', { class: 'soft' }, say(step.by)), step.note ? el('p', {}, say(both(step.note))) : null)))));
}
