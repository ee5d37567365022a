// @ts-check
// 应急资源一张图: where pumps, barriers and crews stand, what is out, and sending them.

import { get, post } from '/static/common/api.js';
import { createMap } from '/static/common/map/map.js';
import L from '/static/common/map/leaflet.js';
import { address } from '/static/common/office/address.js';
import { $, complain, dialog, frame, kindName, myName, ownerName, rememberName, tell, toast, when } from '/static/common/office/frame.js';
import { segmented } from '/static/common/office/table.js';
import { language, severityName, t } from '/static/common/i18n.js';
import { clean, el, icon, say } from '/static/common/text.js';
import './words.js';

/** @typedef {{ticket?: string, rev?: number, kind?: string, count: number, by?: string, at?: string, lon?: number, lat?: number, address?: string | null, grid_name?: string}} Out */
/** @typedef {{id: string, what: string, name: string, owner: string | null, lon: number, lat: number, count: number, left: number, state: 'free' | 'some' | 'out', out: Out[], distance_m: number | null}} Resource */

const ours = address({ what: '', state: '', near: '', q: '', chosen: '' });
const AGAIN_MS = 10_000;
/** @type {{items: Resource[], sorts: {id: string, zh: string, en: string}[]}} */
let found = { items: [], sorts: [] };
/** @type {ReturnType<typeof createMap> | null} */
let map = null;
/** @type {Map<string, any>} */
const markers = new Map();
/** @type {any} */
let here = null;

/** @param {string} what */
const sortName = (what) => { const sort = found.sorts.find((one) => one.id === what); return sort ? (language() === 'zh' ? sort.zh : sort.en) : what; };
/** @param {number} metres */
const far = (metres) => (metres < 995 ? `${Math.round(metres)} m` : `${(metres / 1000).toFixed(1)} km`);

function shown() {
  const said = ours.read(), words = said.q.toLowerCase().split(/\s+/).filter(Boolean);
  return found.items.filter((one) => (!said.what || one.what === said.what) && (!said.state || one.state === said.state)
    && words.every((word) => `${one.id} ${one.name} ${one.owner} ${ownerName(one.owner)} ${sortName(one.what)}`.toLowerCase().includes(word)));
}

function draw() {
  const said = ours.read();
  $('#sorts').replaceChildren(segmented(t('rsSort'), [['', t('rsAll')], ...found.sorts.map((one) => /** @type {[string, any]} */ ([one.id, language() === 'zh' ? one.zh : one.en]))], said.what, (what) => change({ what })));
  $('#states').replaceChildren(segmented(t('rsState'), [['', t('rsAll')], ...['free', 'some', 'out'].map((state) => /** @type {[string, any]} */ ([state, `${t(`s_${state}`)} ${found.items.filter((one) => one.state === state && (!said.what || one.what === said.what)).length}`]))], said.state, (state) => change({ state })));
  const search = /** @type {HTMLInputElement} */ (el('input', { type: 'search', value: said.q, placeholder: t('rsFind'), 'aria-label': t('officeSearch') }));
  if (!$('#find').contains(document.activeElement)) $('#find').replaceChildren(search);
  $('#find').onsubmit = (event) => { event.preventDefault(); change({ q: /** @type {HTMLInputElement} */ ($('#find input')).value.trim() }); };
  $('#near').replaceChildren(...(said.near ? [el('span', { class: 'tag' }, t('rsNear')), el('button', { onclick: () => change({ near: '' }) }, t('rsClear'))] : [el('small', {}, t('rsNearHint'))]));
  const list = shown();
  const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.closest?.('.stuff > li')?.getAttribute('data-id');
  $('#stock').replaceChildren(list.length ? el('ul', { class: 'stuff' }, ...list.map(row)) : el('p', { class: 'empty' }, t(found.items.length ? 'rsNone' : 'rsEmpty')));
  if (focused) /** @type {HTMLElement | null} */ (document.querySelector(`.stuff > li[data-id="${CSS.escape(focused)}"] .name`))?.focus();
  drawMap(list);
}

/** @param {Resource} one */
function row(one) {
  const chosen = ours.read().chosen === one.id;
  return el('li', { data: { id: one.id, state: one.state, chosen: String(chosen) } },
    el('div', { class: 'top' }, el('button', { class: 'name', 'aria-expanded': String(chosen), onclick: () => choose(one.id) }, say(one.name)), one.distance_m === null ? null : el('span', { class: 'soft' }, far(one.distance_m)), el('span', { class: 'left' }, el('b', {}, String(one.left)), ` / ${one.count} ${t('rsLeft')}`)),
    el('div', { class: 'row' }, el('span', { class: 'tag', data: { tone: { free: 'good', some: 'warn', out: 'bad' }[one.state] } }, t(`s_${one.state}`)), el('span', { class: 'soft' }, say([sortName(one.what), ownerName(one.owner)].filter(Boolean).join(' · '))), el('span', { class: 'grow' }), one.left ? el('button', { onclick: () => send(one) }, t('rsSend')) : null),
    ...one.out.map((out) => el('div', { class: 'gone' }, out.ticket
      ? el('span', { class: 'grow' }, el('a', { href: `/#${encodeURIComponent(out.ticket)}` }, say(`${kindName(out.kind ?? '')} · ${out.address || out.grid_name || ''}`)), el('br'), el('small', {}, say(`${out.by} ${t('rsWith')} ${out.count} · ${t('rsSince')} ${when(out.at)}`)))
      : el('span', {}, `${t('rsHidden')} ${out.count}`), out.ticket ? el('button', { onclick: () => back(one, out) }, t('rsBack')) : null)));
}

/** @param {Resource[]} list */
function drawMap(list) {
  const on = map?.leaflet;
  if (!on) return;
  const said = ours.read(), keep = new Set(list.map((one) => one.id));
  for (const [id, marker] of markers) if (!keep.has(id)) { marker.remove(); markers.delete(id); }
  for (const one of list) {
    const label = clean(`${one.name} · ${sortName(one.what)} · ${one.left}/${one.count} ${t('rsLeft')}`);
    const pin = el('span', { class: 'res-pin', data: { state: one.state, chosen: String(said.chosen === one.id) } }, sortName(one.what).slice(0, language() === 'zh' ? 1 : 2));
    const look = L.divIcon({ html: pin, className: 'res-mark', iconSize: [30, 30], iconAnchor: [15, 15] });
    const old = markers.get(one.id);
    const looks = `${label}|${said.chosen === one.id}`;
    if (old?.looks === looks) continue;
    const had = old && old.getElement() === document.activeElement;
    old?.remove();
    const marker = /** @type {any} */ (L.marker([one.lat, one.lon], { icon: look, title: label, alt: label, keyboard: true, riseOnHover: true }).addTo(on));
    marker.getElement()?.setAttribute('aria-label', label);
    marker.on('click', () => choose(one.id, true));
    marker.getElement()?.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); event.stopPropagation(); choose(one.id, true); } });
    marker.looks = looks;
    if (had) marker.getElement()?.focus();
    markers.set(one.id, marker);
  }
  here?.remove();
  here = null;
  if (said.near) {
    const [lon, lat] = said.near.split(',').map(Number);
    here = L.marker([lat, lon], { icon: L.divIcon({ html: el('span', { class: 'res-near' }), className: 'res-mark', iconSize: [18, 18] }), interactive: false, keyboard: false, alt: '' }).addTo(on);
  }
  const chosen = list.find((one) => one.id === said.chosen), out = chosen?.out.find((one) => one.lon !== undefined);
  map?.mark(chosen && out ? { from: [chosen.lon, chosen.lat], to: [Number(out.lon), Number(out.lat)] } : {});
}

/** @param {string} id @param {boolean} [scroll] */
function choose(id, scroll = false) {
  ours.write({ chosen: ours.read().chosen === id && !scroll ? '' : id }, false);
  draw();
  const one = found.items.find((resource) => resource.id === id);
  if (one) map?.show([one.lon, one.lat]);
  if (scroll) document.querySelector(`.stuff > li[data-id="${CSS.escape(id)}"]`)?.scrollIntoView({ block: 'nearest' });
}

/** @param {Resource} one */
async function send(one) {
  const body = el('div', {}, t('officeLoading'));
  const box = dialog(`${one.name} · ${t('rsWhich')}`, body);
  try {
    /** @type {{items: any[]}} */
    const { items } = await get(`/api/v1/resources/${encodeURIComponent(one.id)}/tickets`);
    if (!items.length) { body.replaceChildren(el('p', { class: 'empty' }, t('rsNoTicket'))); return; }
    const count = /** @type {HTMLInputElement} */ (el('input', { type: 'number', name: 'count', min: '1', max: String(one.left), value: '1', required: true }));
    const by = /** @type {HTMLInputElement} */ (el('input', { name: 'by', required: true, maxlength: '60', value: myName(), autocomplete: 'name' }));
    const form = /** @type {HTMLFormElement} */ (el('form', {},
      el('fieldset', { class: 'choices' }, el('legend', {}, t('rsWhich')), ...items.slice(0, 12).map((ticket, i) => el('label', { class: 'check', data: { severity: String(ticket.severity) } }, el('input', { type: 'radio', name: 'ticket', value: ticket.id, checked: i === 0, required: true }), icon(ticket.kind),
        el('span', {}, say(`${kindName(ticket.kind)} · ${ticket.place.address || ticket.grid_name}`), el('br'), el('small', {}, `${far(ticket.distance_m)} · ${severityName(ticket.severity)}`))))),
      el('div', { class: 'form' }, el('label', {}, t('rsCount'), count), el('label', {}, t('officeBy'), by)),
      el('menu', {}, el('button', { type: 'button', onclick: () => box.close() }, t('officeCancel')), el('button', { class: 'primary' }, t('rsSend').replace('…', '').trim()))));
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      rememberName(by.value.trim());
      const ticket = items.find((item) => item.id === new FormData(form).get('ticket'));
      const said = await post(`/api/v1/tickets/${encodeURIComponent(ticket.id)}/actions`, { action: 'take_resource', by: by.value.trim(), rev: ticket.rev, data: { resource: one.id, count: Number(count.value) } });
      if (tell(said)) { toast(t('rsSent')); box.close(); later(); }
    });
    body.replaceChildren(form);
  } catch (error) { body.replaceChildren(el('p', { class: 'said' }, say(/** @type {Error} */ (error).message))); }
}

/** @param {Resource} one @param {Out} out */
function back(one, out) {
  const by = /** @type {HTMLInputElement} */ (el('input', { name: 'by', required: true, maxlength: '60', value: myName(), autocomplete: 'name' }));
  const count = /** @type {HTMLInputElement} */ (el('input', { type: 'number', min: '1', max: String(out.count), value: String(out.count), required: true }));
  const form = el('form', {}, el('div', { class: 'form' }, el('label', {}, t('rsCount'), count), el('label', {}, t('officeBy'), by)), el('menu', {}, el('button', { type: 'button', onclick: () => box.close() }, t('officeCancel')), el('button', { class: 'primary' }, t('rsBack'))));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    rememberName(by.value.trim());
    const said = await post(`/api/v1/tickets/${encodeURIComponent(out.ticket ?? '')}/actions`, { action: 'return_resource', by: by.value.trim(), rev: out.rev, data: { resource: one.id, count: Number(count.value) } });
    if (tell(said)) { toast(t('rsBrought')); box.close(); later(); }
  });
  const box = dialog(`${one.name} · ${t('rsBack')}`, form);
}

const later = () => setTimeout(() => load().catch(() => { /* the next look tells */ }), 2200); // the center reads tickets anew every 2 s

async function load() {
  const near = ours.read().near;
  found = await get(`/api/v1/resources${near ? `?near=${encodeURIComponent(near)}` : ''}`);
  draw();
}
/** @param {Record<string, string>} changes */
function change(changes) {
  ours.write(changes);
  if ('near' in changes) load().catch((error) => complain(error, load)); else draw();
}
addEventListener('popstate', () => load().catch((error) => complain(error, load)));

frame({
  title: 'rsTitle', draw: () => { map?.relabel(); map?.recolour(); for (const marker of markers.values()) marker.looks = ''; draw(); }, load: async () => {
    await load();
    map = createMap($('#map'), { get, devices: false, legend: false });
    map.leaflet.on('click', (/** @type {any} */ event) => change({ near: `${event.latlng.lng.toFixed(5)},${event.latlng.lat.toFixed(5)}` }));
    map.ready.then(() => drawMap(shown()));
    setInterval(() => { if (!document.hidden && !document.querySelector('dialog[open]')) load().catch(() => { /* tried again */ }); }, AGAIN_MS);
  },
});
