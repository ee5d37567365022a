// The page: what happens when. Parts: state (what is known), list, map, detail, api.

import { follow, get, hasToken, pages, post, setToken } from '../common/api.js';
import { renderDetail } from './detail.js';
import { apply, both, language, setLanguage, t } from '../common/i18n.js';
import { initList, kindName, renderList, tickAll } from './list.js';
import { draw, initMap, readColours, readGrids, relabelMap, show } from './map.js';
import { changed, gridName, onChange, placeOf, state, takeIncident, takeTicket } from './state.js';
import { el, icon, say } from '../common/text.js';

const $ = (selector) => document.querySelector(selector);
const WORKERS_MS = 5_000;
const FRESH_MS = 12_000;
let started = false, sound = false, linkState = 'connecting', audio = null;

// --- tickets and their evidence ---------------------------------------------------------------

async function loadTickets() {
  const tickets = await pages('/api/v1/tickets');
  for (const ticket of tickets) takeTicket(ticket);
  started = true;
  for (const incident of await pages('/api/v1/incidents', 500)) takeIncident(incident);
  for (const ticket of tickets.filter((x) => x.kind === 'high_altitude_throw').slice(0, 12)) loadDossier(ticket.id);
}

const loading = new Map();
/** Fetch a ticket's incident and events; calls while one is under way lead to one more. */
async function loadDossier(id) {
  if (loading.has(id)) { loading.set(id, true); return; }
  loading.set(id, false);
  try {
    const dossier = await get(`/api/v1/tickets/${encodeURIComponent(id)}`);
    state.dossiers.set(id, dossier);
    const { incident_detail: _, events: __, ...ticket } = dossier;
    takeTicket(ticket);
    changed();
  } catch (error) {
    if (error.status !== 404) console.warn('dossier:', error.message);
  } finally {
    const again = loading.get(id);
    loading.delete(id);
    if (again) loadDossier(id);
  }
}

function onEvent(name, event) {
  if (name === 'hello') {
    state.offset = Date.parse(event.now) - Date.now();
    if (!started) { loadTickets().catch(complain); loadWorkers(); }
  } else if (name === 'reset') {
    state.tickets.clear(); state.dossiers.clear(); state.held.clear(); // a snapshot of what is open follows
    changed();
    loadTickets().catch(complain);
  } else if (name === 'ticket' && event.data) {
    const isNew = takeTicket(event.data);
    if (isNew && started && !event.type.endsWith('.snapshot')) announce(event.data);
    if (state.dossiers.has(event.data.id) || event.data.id === state.selected || event.data.kind === 'high_altitude_throw') loadDossier(event.data.id);
  } else if (name === 'event' && event.data) {
    // New evidence (a clip that was cut) of an incident we show.
    for (const [id, dossier] of state.dossiers) {
      if (dossier.incident_detail?.events?.includes(event.data.id)) loadDossier(id);
    }
  } else if (name === 'incident' && event.data) {
    for (const [id, dossier] of state.dossiers) if (dossier.incident === event.data.id || dossier.group_detail?.id === event.data.id) loadDossier(id);
    takeIncident(event.data);
  }
}

function announce(ticket) {
  state.fresh.add(ticket.id);
  setTimeout(() => { state.fresh.delete(ticket.id); changed(); }, FRESH_MS);
  if (ticket.parent) return; // one alarm for one incident
  toast(el('span', {}, t('newTicket'), '：', say(kindName(ticket.kind)), ' · ', say(gridName(ticket.grid))), 'new', ticket.id);
  if (sound) beep(ticket.severity);
}

function beep(severity) {
  audio ??= new AudioContext();
  for (let i = 0; i < Math.min(3, severity); i += 1) {
    const tone = audio.createOscillator(), volume = audio.createGain(), at = audio.currentTime + i * 0.22;
    tone.frequency.value = 520 + 110 * severity;
    volume.gain.setValueAtTime(0.001, at);
    volume.gain.exponentialRampToValueAtTime(0.2, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.18);
    tone.connect(volume).connect(audio.destination);
    tone.start(at); tone.stop(at + 0.2);
  }
}

// --- what people do -----------------------------------------------------------------------------

/** Ask for an action; `more` has its `reason`, `note`, `data` and whose word it is (`by`). */
async function act(id, action, button, more = {}) {
  const ticket = state.tickets.get(id);
  button.disabled = true;
  try {
    const { status, answer } = await post(`/api/v1/tickets/${encodeURIComponent(id)}/actions`, { action, by: 'center', rev: ticket.rev, ...more });
    if (status === 200) takeTicket(answer);
    else if (status === 202) toast(t('waiting'), 'info');
    else if (status === 401 || status === 403) { toast(answer.reason, 'bad'); askToken(); }
    else if (status === 409) { toast(el('span', {}, t('refused'), '：', say(both(answer.reason))), 'bad'); }
    else toast(el('span', {}, t('failed'), '：', say(both(answer.reason) ?? status)), 'bad');
    if (state.selected === id || status === 409) loadDossier(id);
    return { status, reason: both(answer.reason), stale: status === 409 && answer.rev !== ticket.rev };
  } catch (error) { complain(error); return { status: 0, reason: error.message }; } finally { button.disabled = false; }
}

let openedFrom = null;
function select(id) {
  if (state.selected === null) openedFrom = document.activeElement?.closest('.pin') ?? null;
  state.selected = id === state.selected ? null : id;
  if (state.selected) {
    loadDossier(id);
    for (const node of document.querySelectorAll('.toast')) if (node.dataset.ticket === id) node.remove();
    renderDetail(on);
    $('#detail').focus({ preventScroll: true });
    show(placeOf(state.tickets.get(id)));
  } else { (openedFrom ?? document.querySelector(`.card[data-id="${CSS.escape(id)}"] .open`))?.focus(); }
  history.replaceState(null, '', state.selected ? `#${encodeURIComponent(id)}` : location.pathname);
  changed();
}
/** Show a ticket that another one names. */
async function visit(id) {
  if (!state.tickets.has(id)) await loadDossier(id);
  if (state.tickets.has(id) && state.selected !== id) select(id);
}
const on = { select, act, visit, close: () => select(state.selected), filter(key, value) { state[key] = value; changed(); } };

function toast(content, kind, id = null) {
  const node = el('div', { class: `toast ${kind}`, data: { ticket: id ?? '' }, onclick: () => { if (id && state.selected !== id) select(id); node.remove(); } }, content);
  const box = $('#toasts');
  box.append(node);
  while (box.children.length > 4) box.firstChild.remove();
  setTimeout(() => node.remove(), kind === 'bad' ? 9000 : 5000);
}
function complain(error) {
  toast(el('span', {}, t('failed'), '：', say(error.message)), 'bad');
  if (error.status === 401 || error.status === 403) askToken();
}
function askToken() {
  const box = $('#token-box');
  $('#token').hidden = false;
  if (!box.open) box.showModal();
}

// --- the frame ------------------------------------------------------------------------------------

async function loadWorkers() {
  try {
    state.workers = new Map((await pages('/api/v1/workers')).map((worker) => [worker.id, worker]));
    changed();
  } catch (error) { console.warn('workers:', error.message); }
}
async function loadCity() {
  state.city = await get('/api/v1/city');
  readGrids(await get('/api/v1/grids'));
  state.assets = (await get('/api/v1/assets')).features;
  state.devices = new Map((await pages('/api/v1/devices')).map((device) => [device.id, device]));
  changed();
}

function relabel() {
  apply();
  $('#lang').textContent = language() === 'zh' ? 'EN' : '中文';
  $('#lang').setAttribute('aria-label', language() === 'zh' ? 'Switch to English' : '切换为中文');
  for (const [id, mark] of [['sound', sound ? 'sound' : 'quiet'], ['theme', 'theme'], ['token', 'token']]) {
    $(`#${id}`).replaceChildren(icon(mark)); $(`#${id}`).title = t(id); $(`#${id}`).setAttribute('aria-label', t(id));
  }
  $('#sound').setAttribute('aria-pressed', String(sound));
  setLink(linkState);
  relabelMap();
  changed();
}
function setLink(name) {
  linkState = name;
  if (name === 'denied') askToken();
  $('#link').dataset.state = name;
  const text = t(name);
  if ($('#link span').textContent !== text) $('#link span').textContent = text;
}

function tab(name) {
  document.body.dataset.tab = name;
  for (const button of document.querySelectorAll('[data-tab]')) if (button.tagName === 'BUTTON') button.setAttribute('aria-pressed', String(button.dataset.tab === name));
}

$('#lang').addEventListener('click', () => { setLanguage(language() === 'zh' ? 'en' : 'zh'); relabel(); });
$('#sound').addEventListener('click', () => { sound = !sound; relabel(); if (sound) beep(1); });
$('#theme').addEventListener('click', () => {
  const dark = getComputedStyle(document.documentElement).getPropertyValue('--mode').trim() === 'dark';
  document.documentElement.dataset.theme = dark ? 'light' : 'dark';
  try { localStorage.setItem('theme', document.documentElement.dataset.theme); } catch { /* for this page only */ }
  readColours(); changed();
});
$('#token').addEventListener('click', askToken);
$('#token-box').addEventListener('close', () => {
  const box = $('#token-box');
  if (box.returnValue === 'ok') { setToken(box.querySelector('input').value); location.reload(); }
});
document.querySelectorAll('button[data-tab]').forEach((button) => button.addEventListener('click', () => tab(button.dataset.tab)));
document.addEventListener('keydown', (event) => { if (event.key === 'Escape' && state.selected && !$('#token-box').open) select(state.selected); });
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { readColours(); changed(); });

try { const theme = localStorage.getItem('theme'); if (theme) document.documentElement.dataset.theme = theme; } catch { /* the system's theme */ }
tab('list');
$('#token').hidden = !hasToken();
initList(on);
initMap(select);
onChange(renderList);
onChange(() => renderDetail(on));
onChange(draw);
relabel();
loadCity().catch(complain);
follow({ event: onEvent, state: (name) => { if (name !== linkState) setLink(name); } });
setInterval(tickAll, 1000);
setInterval(() => { if (!document.hidden) loadWorkers(); }, WORKERS_MS);
const wanted = decodeURIComponent(location.hash.slice(1));
if (wanted) loadDossier(wanted).then(() => { if (state.tickets.has(wanted)) select(wanted); });
