// @ts-check
// Shift handover: who is on, what is open and waits for whom, signed by two.

import { get, post } from '/static/common/api.js';
import { address } from '/static/common/office/address.js';
import { $, complain, frame, kindName, myName, rememberName, tell, toast, when } from '/static/common/office/frame.js';
import { table } from '/static/common/office/table.js';
import { both, language, severityName, stageName, t } from '/static/common/i18n.js';
import { el, icon, say } from '/static/common/text.js';
import './words.js';

/** @typedef {{id: string, name: string, role_zh: string, role_en: string, grid_name: string | null, until?: string | null, since?: string}} Person */
/** @typedef {{id: string, kind: string, severity: number, stage: string, opened_at: string, place: {address?: string | null}, grid_name: string | null, waits: string, whose: string, who: string[], due: string | null, overdue: boolean, last: {at?: string, change?: string, note: string}}} Matter */
/** @typedef {{at: string, on: Person[], next: Person[], open: Matter[], held: {id: string, kinds: string[], sites: string[], grid: string | null, until: string, by: string, reason: string}[], counts: Record<string, any>}} Stands */
/** @typedef {{id: string, made_at: string, leaving: string, coming: string | null, taken_at: string | null, notes: string, remarks: string, areas: string[], counts: Record<string, any>, body?: Stands}} Handover */

const ours = address({ id: '', sort: '' });
const AGAIN_MS = 30_000;
/** @type {(Stands & {waiting: Handover | null, before: Handover[]}) | null} */
let now = null;
/** @type {Handover | null} */
let kept = null;

/** @param {Stands} stands */
function tiles({ counts }) {
  /** @type {[string, string][]} */
  const names = [['shOpenN', 'open'], ['shOver', 'overdue'], ['shSevere', 'severe'], ['shHeldN', 'held'], ['shSilent', 'silent'], ['shFaulty', 'faulty']];
  return el('div', { class: 'tiles' }, ...names.map(([label, key]) => el('div', { class: 'tile' }, el('span', {}, t(label)), el('b', {}, String(counts[key] ?? 0)))));
}

/** @param {string} title @param {Person[]} people @param {number} all */
function duty(title, people, all) {
  return el('section', { class: 'panel' }, el('div', { class: 'head' }, el('h2', {}, t(title), ' ', el('small', {}, String(all)))),
    people.length ? el('ul', { class: 'duty', tabindex: '0', 'aria-label': t(title) }, ...people.map((one) => el('li', {}, el('b', {}, say(one.name)), el('small', {}, say([language() === 'zh' ? one.role_zh : one.role_en, one.grid_name].filter(Boolean).join(' · ')), ' · ', one.since ? `${t('shFrom')} ${when(one.since)}` : one.until ? `${t('shUntil')} ${when(one.until)}` : t('shAlways'))))) : el('p', { class: 'soft' }, t('shNobody')));
}

/** @param {Stands} stands */
function matters({ open, counts }) {
  const columns = [
    { key: 'urgency', label: t('shMatter'), value: (/** @type {Matter} */ row) => -(row.overdue ? 10 : 0) - row.severity, cell: (/** @type {Matter} */ row) => el('span', { class: 'row', data: { severity: String(row.severity) } }, icon(row.kind), el('a', { href: `/#${encodeURIComponent(row.id)}` }, say(kindName(row.kind))), el('span', { class: 'sev' }, severityName(row.severity))) },
    { key: 'where', label: t('where'), value: (/** @type {Matter} */ row) => row.place.address || row.grid_name },
    { key: 'since', label: t('shSince'), value: (/** @type {Matter} */ row) => row.opened_at, cell: (/** @type {Matter} */ row) => when(row.opened_at) },
    { key: 'waits', label: t('shWaits'), value: (/** @type {Matter} */ row) => t(`ws_${row.waits}`), cell: (/** @type {Matter} */ row) => el('span', { class: 'tag' }, t(`ws_${row.waits}`)) },
    { key: 'who', label: t('shWho'), value: (/** @type {Matter} */ row) => (row.whose === 'center' ? t('shCenter') : row.who.join('、')), cell: (/** @type {Matter} */ row) => say(row.whose === 'center' ? `${t('shCenter')}${row.who.length ? `（${row.who.join('、')}）` : ''}` : row.who.join('、')) },
    { key: 'due', label: t('shDue'), value: (/** @type {Matter} */ row) => row.due, cell: (/** @type {Matter} */ row) => (row.due ? el('span', { class: row.overdue ? 'tag' : null, data: row.overdue ? { tone: 'bad' } : {} }, `${when(row.due)}${row.overdue ? ` ${t('overdue')}` : ''}`) : null) },
    { key: 'last', label: t('shLast'), value: (/** @type {Matter} */ row) => row.last.at, cell: (/** @type {Matter} */ row) => el('span', {}, `${when(row.last.at)} `, say(both(row.last.note) || stageName(row.stage))) },
  ];
  return el('section', { class: 'panel' }, el('div', { class: 'head' }, el('h2', {}, t('shOpen'), ' ', el('small', {}, open.length < counts.open ? `${counts.open} · ${t('shMany')} ${open.length}` : String(counts.open)))),
    open.length ? table({ columns, rows: open, caption: t('shOpen'), sort: ours.read().sort || 'urgency', onsort: (sort) => { ours.write({ sort }, false); draw(); }, id: (row) => row.id }) : el('p', { class: 'empty' }, t('shNone')));
}

/** @param {Stands} stands */
function held({ held: list }) {
  return list.length ? el('section', { class: 'panel' }, el('div', { class: 'head' }, el('h2', {}, t('shHeld'), ' ', el('small', {}, String(list.length)))),
    el('ul', { class: 'plain' }, ...list.map((one) => el('li', {}, say([one.kinds.map(kindName).join('、'), one.sites.join('、'), one.grid].filter(Boolean).join(' · ')), ` · ${t('shUntil')} ${when(one.until)} · `, say(`${one.by}: ${one.reason}`))))) : null;
}

/** @param {Handover} one */
function signs(one) {
  return el('div', { class: 'signs' },
    el('div', { class: 'sign' }, el('span', { class: 'soft' }, t('shLeaving')), el('b', {}, say(one.leaving)), one.areas.length ? el('span', {}, say(one.areas.join('、'))) : null, el('small', {}, when(one.made_at, true))),
    el('div', { class: 'sign' }, el('span', { class: 'soft' }, t('shComing')), one.coming ? el('b', {}, say(one.coming)) : el('span', { class: 'tag', data: { tone: 'warn' } }, t('shNot')), one.taken_at ? el('small', {}, when(one.taken_at, true)) : null, one.remarks ? el('span', {}, say(one.remarks)) : null));
}

/** @param {Handover} one */
function taking(one) {
  const coming = /** @type {HTMLInputElement} */ (el('input', { name: 'coming', required: true, maxlength: '60', autocomplete: 'name', value: myName() === one.leaving ? '' : myName() }));
  const remarks = /** @type {HTMLInputElement} */ (el('input', { name: 'remarks', maxlength: '2000' }));
  return el('form', { class: 'row noprint', id: 'take', onsubmit: async (/** @type {Event} */ event) => {
    event.preventDefault();
    const said = await post(`/api/v1/shift/handovers/${encodeURIComponent(one.id)}/take`, { coming: coming.value.trim(), remarks: remarks.value.trim() });
    if (!tell(said)) return;
    rememberName(coming.value.trim()); toast(t('shTaken')); await load();
  } }, el('label', {}, t('shComing'), ' ', coming), el('label', { class: 'grow' }, t('shRemarks'), ' ', remarks), el('button', { class: 'primary' }, t('shTake')));
}

function making() {
  const notes = /** @type {HTMLTextAreaElement} */ (el('textarea', { name: 'notes', rows: '4', maxlength: '4000', placeholder: t('shNotesHint'), 'aria-label': t('shNotes') }));
  const leaving = /** @type {HTMLInputElement} */ (el('input', { name: 'leaving', required: true, maxlength: '60', autocomplete: 'name', value: myName() }));
  return el('section', { class: 'panel noprint' }, el('div', { class: 'head' }, el('h2', {}, t('shNotes'))), el('form', { id: 'make', onsubmit: async (/** @type {Event} */ event) => {
    event.preventDefault();
    const said = await post('/api/v1/shift/handovers', { leaving: leaving.value.trim(), notes: notes.value.trim() });
    if (!tell(said)) return;
    rememberName(leaving.value.trim()); toast(t('shDone')); await load();
  } }, notes, el('div', { class: 'row' }, el('label', {}, t('shLeaving'), ' ', leaving), el('button', { class: 'primary' }, t('shMake')))));
}

/** @param {Handover} one @param {boolean} open */
const record = (one, open) => el('section', { class: open ? 'panel waiting' : 'panel', id: 'record' }, el('div', { class: 'head' }, el('h2', {}, open ? t('shWaitsText') : t('shTitle')), open ? el('button', { class: 'noprint', onclick: () => go(one.id) }, t('shShow')) : null), signs(one), one.notes ? el('div', { class: 'notes' }, say(one.notes)) : null, one.taken_at ? null : taking(one));

function draw() {
  $('#tools').replaceChildren(...(kept ? [el('button', { onclick: () => go('') }, t('shNow'))] : []), el('button', { onclick: () => print() }, t('officePrint')));
  if (!now) return;
  const stands = kept?.body ?? now;
  $('#moment').textContent = `${kept ? `${t('shAt')} ` : ''}${when(stands.at, true)}`;
  const typed = $('#shown').contains(document.activeElement) && document.activeElement?.matches('input, textarea');
  if (typed) return; // nobody's words are taken away while they write
  const drafts = [...document.querySelectorAll('#make [name], #take [name]')].map((node) => /** @type {[string, string]} */ ([/** @type {any} */ (node).name, /** @type {any} */ (node).value]));
  const shown = [
    kept ? record(kept, false) : now.waiting ? record(now.waiting, true) : null, tiles(stands), matters(stands), held(stands),
    el('div', { class: 'two' }, duty('shOn', stands.on, stands.counts.on), duty('shNext', stands.next, stands.counts.next)),
    kept || now.waiting ? null : making(),
    kept || !now.before.length ? null : el('section', { class: 'panel noprint before' }, el('div', { class: 'head' }, el('h2', {}, t('shBefore'))), table({
      caption: t('shBefore'), rows: now.before, id: (row) => row.id, columns: [
        { key: 'at', label: t('officeWhen'), value: (row) => row.made_at, cell: (row) => when(row.made_at) }, { key: 'leaving', label: t('shLeaving'), value: (row) => [row.leaving, ...row.areas].join(' · ') }, { key: 'coming', label: t('shComing'), value: (row) => row.coming, cell: (row) => row.coming ?? el('span', { class: 'tag', data: { tone: 'warn' } }, t('shNot')) },
        { key: 'open', label: t('shOpenN'), number: true, value: (row) => row.counts.open }, { key: 'notes', label: t('shNotes'), value: (row) => row.notes.slice(0, 80) }, { key: 'do', label: '', value: () => null, cell: (row) => el('button', { onclick: () => go(row.id) }, t('shShow')) },
      ],
    })),
  ];
  $('#shown').replaceChildren(...shown.filter((node) => node !== null));
  for (const [name, value] of drafts) { const node = /** @type {any} */ (document.querySelector(`#shown [name="${name}"]`)); if (node && value) node.value = value; }
}

/** @param {string} id */
function go(id) { ours.write({ id }); load().catch((error) => complain(error, () => location.reload())); scrollTo(0, 0); }

async function load() {
  const { id } = ours.read();
  $('#shown').setAttribute('aria-busy', 'true');
  [now, kept] = await Promise.all([get('/api/v1/shift'), id ? get(`/api/v1/shift/handovers/${encodeURIComponent(id)}`) : null]);
  $('#shown').setAttribute('aria-busy', 'false');
  draw();
}
addEventListener('popstate', () => { load().catch((error) => complain(error, () => location.reload())); });

frame({ title: 'shTitle', draw, load: async () => {
  await load();
  setInterval(() => { if (!document.hidden && !ours.read().id) load().catch(() => { /* tried again */ }); }, AGAIN_MS);
} });
