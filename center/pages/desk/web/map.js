// A map of our own: grids, networks, devices, workers on a canvas, tickets as buttons above it.
// No tiles and nothing from outside. Local plane: degrees × cos(latitude), metres for distances.

import { language, severityName, stageName, t } from '../common/i18n.js';
import { changed, gridName, placeOf, state, visibleTickets, workerName } from './state.js';
import { clean, el, icon, say } from '../common/text.js';

const M_PER_DEG = 111_195;
const canvas = document.querySelector('#map canvas');
const pinLayer = document.querySelector('#pins');
const tip = document.querySelector('#tip');
const context = canvas.getContext('2d');
const view = { lon: 0, lat: 0, scale: 1, cos: 1, fitted: false, width: 1, height: 1 };
const pins = new Map();
let colours = {};
let select = () => {};

export function toScreen([lon, lat]) {
  return [view.width / 2 + (lon - view.lon) * view.cos * M_PER_DEG * view.scale, view.height / 2 - (lat - view.lat) * M_PER_DEG * view.scale];
}
function toGround(x, y) {
  return [view.lon + (x - view.width / 2) / (view.cos * M_PER_DEG * view.scale), view.lat - (y - view.height / 2) / (M_PER_DEG * view.scale)];
}

export function initMap(onSelect) {
  select = onSelect;
  new ResizeObserver(() => { size(); draw(); }).observe(canvas.parentElement);
  readColours();
  dragging();
  canvas.addEventListener('wheel', (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.offsetX, event.offsetY);
  }, { passive: false });
  canvas.addEventListener('keydown', (event) => {
    const moves = { ArrowLeft: [-60, 0], ArrowRight: [60, 0], ArrowUp: [0, -60], ArrowDown: [0, 60] };
    if (moves[event.key]) pan(...moves[event.key]);
    else if (event.key === '+' || event.key === '=') zoom(1.3);
    else if (event.key === '-') zoom(1 / 1.3);
    else if (event.key === '0') { view.fitted = false; draw(); } else return;
    event.preventDefault();
  });
  for (const button of document.querySelectorAll('[data-zoom]')) {
    button.addEventListener('click', () => {
      const factor = Number(button.dataset.zoom);
      if (factor) zoom(factor); else { view.fitted = false; draw(); }
    });
  }
}

export function relabelMap() {
  canvas.setAttribute('aria-label', t('mapHint'));
  const names = ['zoomIn', 'zoomOut', 'fit'];
  document.querySelectorAll('[data-zoom]').forEach((b, i) => { b.title = t(names[i]); b.setAttribute('aria-label', t(names[i])); });
  const rows = [['worker', 'person'], ['device', 'device'], ['drain', 'drain'], ['span', 'line'], ['fibre', 'fibre']];
  document.querySelector('#legend').replaceChildren(...rows.map(([mark, text]) => el('li', {}, el('i', { class: `mark ${mark}` }), t(text))));
}

export function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['ground', 'grid', 'gridline', 'street', 'ink', 'soft', 'pipe', 'span', 'fibre', 'device', 'worker', 'alarm', 'panel']) {
    colours[name] = style.getPropertyValue(`--${name}`).trim();
  }
}

function size() {
  const box = canvas.parentElement.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  [view.width, view.height] = [box.width, box.height];
  canvas.width = Math.max(1, Math.round(box.width * ratio));
  canvas.height = Math.max(1, Math.round(box.height * ratio));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
}

function fit() {
  const points = state.grids.flatMap((grid) => grid.outer.flat());
  if (!points.length) points.push(...[...state.devices.values(), ...state.tickets.values()].map(placeOf).filter(Boolean));
  if (!points.length || view.width < 50) return;
  const [lons, lats] = [points.map((p) => p[0]), points.map((p) => p[1])];
  const [west, east] = [lons.reduce((a, b) => Math.min(a, b)), lons.reduce((a, b) => Math.max(a, b))];
  const [south, north] = [lats.reduce((a, b) => Math.min(a, b)), lats.reduce((a, b) => Math.max(a, b))];
  view.lon = (west + east) / 2; view.lat = (south + north) / 2;
  view.cos = Math.cos((view.lat * Math.PI) / 180);
  const pad = Math.min(48, view.width * 0.06);
  view.scale = Math.min((view.width - 2 * pad) / (Math.max(east - west, 1e-5) * view.cos * M_PER_DEG), (view.height - 2 * pad) / (Math.max(north - south, 1e-5) * M_PER_DEG));
  view.fitted = true;
}

function pan(dx, dy) { [view.lon, view.lat] = toGround(view.width / 2 + dx, view.height / 2 + dy); draw(); }
function zoom(factor, x = view.width / 2, y = view.height / 2) {
  const before = toGround(x, y);
  view.scale = Math.min(20, Math.max(0.002, view.scale * factor));
  const after = toGround(x, y);
  view.lon += before[0] - after[0]; view.lat += before[1] - after[1];
  draw();
}
/** Bring a place into the part of the map that the detail panel leaves free. */
export function show(place) {
  if (!place) return;
  const detail = document.querySelector('#detail');
  const covered = detail.hidden || window.innerWidth < 900 ? 0 : detail.offsetWidth;
  const [x, y] = toScreen(place);
  if (x > 60 && x < view.width - covered - 60 && y > 60 && y < view.height - 60) return;
  pan(x - (view.width - covered) / 2, y - view.height / 2);
}

function dragging() {
  const held = new Map();
  let moved = 0;
  canvas.addEventListener('pointerdown', (event) => { canvas.setPointerCapture(event.pointerId); held.set(event.pointerId, [event.clientX, event.clientY]); moved = 0; });
  canvas.addEventListener('pointermove', (event) => {
    const old = held.get(event.pointerId);
    if (!old) { hover(event); return; }
    const [dx, dy] = [event.clientX - old[0], event.clientY - old[1]];
    moved += Math.abs(dx) + Math.abs(dy);
    if (held.size === 2) {
      const [other] = [...held].filter(([id]) => id !== event.pointerId).map(([, p]) => p);
      const was = Math.hypot(old[0] - other[0], old[1] - other[1]);
      const is = Math.hypot(event.clientX - other[0], event.clientY - other[1]);
      const box = canvas.getBoundingClientRect();
      if (was > 10) zoom(is / was, (event.clientX + other[0]) / 2 - box.left, (event.clientY + other[1]) / 2 - box.top);
    } else pan(-dx, -dy);
    held.set(event.pointerId, [event.clientX, event.clientY]);
  });
  for (const name of ['pointerup', 'pointercancel']) canvas.addEventListener(name, (event) => { held.delete(event.pointerId); if (name === 'pointerup' && moved < 5) hover(event); });
  canvas.addEventListener('pointerleave', () => { tip.hidden = true; });
}

function hover(event) {
  let best = null, nearest = 14;
  const consider = (thing, lines) => {
    const place = placeOf(thing);
    if (!place) return;
    const [x, y] = toScreen(place);
    const distance = Math.hypot(x - event.offsetX, y - event.offsetY);
    if (distance < nearest) { nearest = distance; best = { x, y, lines }; }
  };
  for (const worker of state.workers.values()) consider(worker, [worker.name, gridName(worker.grid)]);
  for (const device of state.devices.values()) consider(device, [device.id, device.type]);
  tip.hidden = !best;
  if (!best) return;
  tip.replaceChildren(...best.lines.filter(Boolean).map((line, i) => el(i ? 'small' : 'b', {}, say(line))));
  tip.style.transform = `translate(${Math.min(best.x + 12, view.width - 160)}px, ${Math.max(4, best.y - 40)}px)`;
}

function trace(points, close) {
  points.forEach((point, i) => { const [x, y] = toScreen(point); if (i) context.lineTo(x, y); else context.moveTo(x, y); });
  if (close) context.closePath();
}

/** What the selected ticket's evidence marks on the lines: id → probability. */
function marked() {
  const marks = new Map();
  const dossier = state.dossiers.get(state.selected);
  for (const event of dossier?.events ?? []) {
    for (const [id, p] of [...(event.spans ?? []), ...(event.pipes ?? [])]) marks.set(id, Math.max(marks.get(id) ?? 0, Number(p) || 0));
  }
  return marks;
}

export function draw() {
  if (!view.fitted) fit();
  context.clearRect(0, 0, view.width, view.height);
  drawGrids();
  const marks = marked();
  for (const asset of state.assets) drawAsset(asset, marks);
  const metres = 1 / view.scale;
  for (const device of state.devices.values()) dot(placeOf(device), colours.device, metres < 3 ? 3.6 : 2.6, true);
  const selected = state.tickets.get(state.selected);
  for (const worker of state.workers.values()) dot(placeOf(worker), colours.worker, worker.id === selected?.worker ? 6 : 3.4, false);
  drawSelected(selected);
  placePins();
}

function drawGrids() {
  const small = Math.min(...state.grids.map((grid) => grid.depth), 9) === 9 ? 0 : Math.max(...state.grids.map((g) => g.depth));
  const ticket = state.tickets.get(state.selected);
  for (const grid of state.grids) {
    context.beginPath();
    for (const ring of grid.rings) trace(ring, true);
    if (grid.depth === 0) { context.fillStyle = colours.ground; context.fill('evenodd'); }
    if (grid.id === ticket?.grid) { context.fillStyle = colours.grid; context.fill('evenodd'); }
    context.strokeStyle = grid.depth <= 1 ? colours.street : colours.gridline;
    context.lineWidth = Math.max(0.6, 2.2 - 0.6 * grid.depth);
    context.stroke();
  }
  context.textAlign = 'center';
  for (const grid of state.grids) {
    const width = grid.span * M_PER_DEG * view.cos * view.scale;
    const name = clean(grid.name);
    if (grid.depth === 0 || width < 13 * name.length + 18 || (width > 900 && grid.depth < small)) continue;
    context.font = `${grid.depth <= 1 ? 600 : 400} ${grid.depth <= 1 ? 13 : 11}px system-ui, "Noto Sans CJK SC", sans-serif`;
    context.fillStyle = grid.depth <= 1 ? colours.ink : colours.soft;
    context.globalAlpha = grid.depth <= 1 ? 0.75 : 0.8;
    const [x, y] = toScreen(grid.centre);
    context.fillText(name, x, y + (grid.depth <= 1 ? -8 : 6));
    context.globalAlpha = 1;
  }
}

function drawAsset(asset, marks) {
  const { what, id } = asset.properties;
  if (asset.geometry.type === 'Point') {
    if (1 / view.scale < 4) dot(asset.geometry.coordinates, what === 'drain' ? colours.pipe : colours.span, 1.8, false);
    return;
  }
  context.beginPath();
  trace(asset.geometry.coordinates, false);
  const p = marks.get(id);
  context.setLineDash(what === 'fibre' ? [7, 4] : []);
  context.strokeStyle = p ? colours.alarm : colours[what] ?? colours.soft;
  context.globalAlpha = p ? 0.35 + 0.65 * p : 0.7;
  context.lineWidth = p ? 3 + 5 * p : what === 'pipe' ? 1.3 : 1.8;
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}

function dot(place, colour, radius, square) {
  if (!place) return;
  const [x, y] = toScreen(place);
  context.fillStyle = colour;
  context.strokeStyle = colours.panel;
  context.lineWidth = 1.2;
  context.beginPath();
  if (square) context.rect(x - radius, y - radius, 2 * radius, 2 * radius); else context.arc(x, y, radius, 0, 7);
  context.fill();
  context.stroke();
}

function drawSelected(ticket) {
  const place = placeOf(ticket), worker = placeOf(state.workers.get(ticket?.worker));
  if (!place) return;
  const [x, y] = toScreen(place);
  if (worker) {
    const [wx, wy] = toScreen(worker);
    context.setLineDash([4, 5]);
    context.strokeStyle = colours.worker; context.lineWidth = 1.8;
    context.beginPath(); context.moveTo(wx, wy); context.lineTo(x, y); context.stroke();
    context.setLineDash([]);
    context.fillStyle = colours.ink; context.font = '600 12px system-ui, "Noto Sans CJK SC", sans-serif'; context.textAlign = 'center';
    context.fillText(clean(workerName(ticket.worker)), wx, wy - 11);
  }
  for (const event of state.dossiers.get(ticket.id)?.events ?? []) {
    const point = Array.isArray(event.point) ? event.point : placeOf(event.point);
    const radius = Number(event.error_m) * view.scale;
    if (!point || !(radius > 3)) continue;
    const [px, py] = toScreen(point);
    context.beginPath(); context.arc(px, py, radius, 0, 7);
    context.fillStyle = colours.alarm; context.globalAlpha = 0.13; context.fill(); context.globalAlpha = 1;
  }
}

function placePins() {
  const shown = new Set();
  const tickets = visibleTickets().slice(0, 300);
  const ids = new Set(tickets.map((ticket) => ticket.id));
  for (const ticket of tickets.reverse()) {
    const place = placeOf(ticket);
    // The parts of a ticket for further utilities lie on their parent's pin.
    if (!place || ids.has(ticket.parent)) continue;
    shown.add(ticket.id);
    let pin = pins.get(ticket.id);
    if (!pin) {
      pin = el('button', { class: 'pin', onclick: () => select(ticket.id) }, icon(ticket.kind));
      pins.set(ticket.id, pin);
      pinLayer.append(pin);
    }
    const [x, y] = toScreen(place);
    pin.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
    pin.dataset.severity = ticket.severity;
    pin.dataset.fresh = state.fresh.has(ticket.id);
    pin.setAttribute('aria-pressed', ticket.id === state.selected);
    const name = state.city.kinds[ticket.kind]?.[language()] ?? ticket.kind;
    pin.title = clean(`${name} · ${severityName(ticket.severity)} · ${stageName(ticket.stage)} · ${gridName(ticket.grid)}`);
    pin.setAttribute('aria-label', pin.title);
  }
  for (const [id, pin] of pins) if (!shown.has(id)) { pin.remove(); pins.delete(id); }
}

/** GeoJSON grids as the map wants them: depth in the tree, outline, centre, width. */
export function readGrids(collection) {
  const parents = new Map(collection.features.map((f) => [f.properties.id, f.properties.parent]));
  const depth = (id, left = 9) => (left && parents.get(id) ? 1 + depth(parents.get(id), left - 1) : 0);
  const grids = collection.features.map(({ properties, geometry }) => {
    const outer = geometry.coordinates.map((polygon) => polygon[0]);
    const points = outer.flat();
    const [lons, lats] = [points.map((p) => p[0]), points.map((p) => p[1])];
    const [west, east, south, north] = [Math.min(...lons), Math.max(...lons), Math.min(...lats), Math.max(...lats)];
    return { ...properties, depth: depth(properties.id), outer, rings: geometry.coordinates.flat(), centre: [(west + east) / 2, (south + north) / 2], span: east - west };
  });
  state.grids = grids.sort((a, b) => a.depth - b.depth);
  state.gridNames = new Map(grids.map((grid) => [grid.id, grid.name]));
  view.fitted = false;
  changed();
}
