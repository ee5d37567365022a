// @ts-check
// The map of all pages: grids and networks by viewport, devices, workers, tickets as buttons. Our own
// drawing on a neutral ground, with tiles below it only where some are configured.
//
//   import { createMap } from '../common/map/map.js';      // with leaflet.css and map.css in the page
//   const map = createMap(element, { get, onSelect: (id) => … });
//   map.tickets([{ id, place: [lon, lat], kind, severity, label, overdue, fresh }], selectedId);
//   map.workers([{ id, name, point: {lon, lat}, line }]);
//   map.mark({ grid, worker, from, to, lines, circles });  // what belongs to the selected ticket
//   map.show([lon, lat]); map.fit(); map.relabel(); map.recolour(); map.remove();

import L from './leaflet.js';
import './words.js';
import { readColours } from './colours.js';
import { NO_DEVICES, nearest, paintDevices, paintPeople, readDevices, SILENT } from './dots.js';
import { paintAssets, paintGrids, readAssets, readGrids } from './grids.js';
import { addPins } from './pins.js';
import { addSheet, worldX, worldY } from './sheet.js';
import { follow } from './source.js';
import { t } from '../i18n.js';
import { clean, el, say } from '../text.js';

/**
 * @typedef {[number, number]} LonLat
 * @typedef {import('./pins.js').Pin} Pin
 * @typedef {{id: string, name: string, point?: {lon: number, lat: number} | null, line?: string, mine?: boolean}} Worker
 * @typedef {{grid?: string | null, worker?: string | null, from?: LonLat | null, to?: LonLat | null, lines?: Map<string, number>, circles?: {at: LonLat, radius_m: number}[]}} Marks
 *   the grid that is filled, the worker who is large, a dashed way from … to …, lines by their
 *   probability, areas of error
 * @typedef {{url: string, attribution: string, max_zoom: number}} Tiles
 * @typedef {{bounds: [number, number, number, number] | null, grids: number, devices: number, tiles: Tiles | null}} About
 * @typedef {{
 *   get: (path: string) => Promise<any>, onSelect?: (id: string) => void, still?: boolean,
 *   onDevice?: (id: string) => void, devices?: boolean, legend?: boolean, covered?: () => number, at?: LonLat, zoom?: number
 * }} Options
 *   `get` fetches JSON as this page may; `onDevice`: a device was clicked; `still`: nobody moves it (a wall); `covered`: how many
 *   pixels at the right another panel hides; `at`, `zoom`: where to begin instead of the whole city
 */

/** @param {string} word */
const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);
const DEVICES_MS = 60_000; // whether devices are heard is asked anew this often
const REACH_PX = 14;
const NEAR = 16; // the zoom at which one place is looked at

/** @param {HTMLElement} element @param {Options} options */
export function createMap(element, options) {
  const still = options.still ?? false;
  element.classList.add('map');
  const map = L.map(element, {
    zoomControl: false, attributionControl: false, zoomSnap: 0.25, zoomDelta: 0.75, wheelPxPerZoomLevel: 90, minZoom: 3, maxZoom: 20,
    keyboard: !still, dragging: !still, scrollWheelZoom: !still, doubleClickZoom: !still, boxZoom: !still, touchZoom: !still, keyboardPanDelta: 90,
    center: [30, 110], zoom: 4,
  });
  let colours = readColours();
  /** @type {About | null} */
  let city = null;
  /** @type {import('./grids.js').Grid[]} */
  let grids = [];
  /** @type {import('./grids.js').Asset[]} */
  let assets = [];
  let devices = NO_DEVICES;
  /** @type {import('./dots.js').Person[]} */
  let people = [];
  /** @type {Marks} */
  let marks = {};
  const told = (/** @type {unknown[]} */ ...parts) => JSON.stringify(parts);
  const drawn = { below: told(undefined, [], []), above: told() };
  const NONE = /** @type {Map<string, number>} */ (new Map());

  for (const [name, z] of /** @type {[string, string][]} */ ([['land', '250'], ['things', '450']])) {
    const pane = map.createPane(name);
    pane.style.zIndex = z; pane.style.pointerEvents = 'none';
  }
  const land = addSheet(map, 'land', (ground) => {
    paintGrids(ground, grids, colours, marks.grid ?? null);
    paintAssets(ground, assets, colours, marks.lines ?? NONE);
    paintCircles(ground);
  });
  const things = addSheet(map, 'things', (ground) => {
    paintDevices(ground, devices, colours);
    paintWay(ground);
    paintPeople(ground, people, colours, marks.worker ?? null);
  });
  const pins = addPins(map, (id) => options.onSelect?.(id));

  /** @param {import('./sheet.js').Ground} ground */
  function paintCircles({ context, scale, left, top, metres }) {
    for (const { at, radius_m } of marks.circles ?? []) {
      const radius = radius_m / metres;
      if (!(radius > 3)) continue;
      context.beginPath();
      context.arc(worldX(at[0]) * scale - left, worldY(at[1]) * scale - top, radius, 0, 7);
      context.fillStyle = colours.alarm; context.globalAlpha = 0.13; context.fill();
      context.globalAlpha = 1;
    }
  }
  /** @param {import('./sheet.js').Ground} ground */
  function paintWay({ context, scale, left, top }) {
    if (!marks.from || !marks.to) return;
    context.setLineDash([4, 5]);
    context.strokeStyle = colours.worker; context.lineWidth = 1.8;
    context.beginPath();
    context.moveTo(worldX(marks.from[0]) * scale - left, worldY(marks.from[1]) * scale - top);
    context.lineTo(worldX(marks.to[0]) * scale - left, worldY(marks.to[1]) * scale - top);
    context.stroke();
    context.setLineDash([]);
  }

  // --- what lies around the map: buttons, legend, the tip under the pointer ----------------------

  const status = el('p', { class: 'map-status', role: 'status' });
  const tip = el('div', { class: 'map-tip', hidden: true });
  const legend = el('ul', { class: 'map-legend' });
  const zoom = el('div', { class: 'map-zoom', role: 'group' },
    el('button', { type: 'button', data: { do: 'in' }, onclick: () => map.zoomIn() }, '+'),
    el('button', { type: 'button', data: { do: 'out' }, onclick: () => map.zoomOut() }, '−'),
    el('button', { type: 'button', data: { do: 'fit' }, onclick: () => fit() }, '⤢'));
  const credit = el('small', { class: 'map-credit', hidden: true });
  const frame = el('div', { class: 'map-frame' }, ...(still ? [] : [zoom]), ...(options.legend === false ? [] : [legend]), credit, tip, status);
  element.append(frame);
  L.DomEvent.disableClickPropagation(frame);
  element.addEventListener('keydown', (event) => {
    if (event.key !== '0' || event.ctrlKey || event.metaKey || still) return;
    event.preventDefault();
    fit();
  });

  function relabel() {
    if (!still) {
      element.setAttribute('role', 'application');
      element.setAttribute('aria-label', `${t('mapName')}：${t('mapKeys')}`);
    }
    for (const button of zoom.querySelectorAll('button')) {
      const text = t(`map${capital(button.dataset.do ?? '')}`);
      button.title = text; button.setAttribute('aria-label', text);
    }
    zoom.setAttribute('aria-label', t('mapName'));
    legend.setAttribute('aria-label', t('mapLegend'));
    const rows = ['worker', 'device', 'silent', 'drain', 'span', 'fibre'];
    legend.replaceChildren(...rows.map((/** @type {string} */ name) => el('li', {}, el('i', { class: `mark ${name}` }), t(`map${capital(name)}`))));
    pins.relabel();
  }

  map.on('mousemove click', (event) => {
    const { latlng, containerPoint: at } = /** @type {import('leaflet').LeafletMouseEvent} */ (event);
    const x = worldX(latlng.lng), y = worldY(latlng.lat), reach = REACH_PX / (256 * 2 ** map.getZoom());
    const who = nearest(people.map((p) => p.x), people.map((p) => p.y), x, y, reach);
    const what = who < 0 ? nearest(devices.x, devices.y, x, y, reach) : -1;
    tip.hidden = who < 0 && what < 0;
    if (tip.hidden) return;
    if (event.type === 'click' && what >= 0) options.onDevice?.(devices.ids[what]);
    const state = ['mapNever', 'mapHeard', 'mapUnheard'][devices.state[what]];
    const lines = who >= 0 ? [people[who].name, people[who].line] : [devices.ids[what], `${devices.types[devices.type[what]]} · ${t(state)}`];
    tip.replaceChildren(...lines.filter(Boolean).map((line, i) => el(i ? 'small' : 'b', {}, say(line))));
    const size = map.getSize();
    tip.style.transform = `translate(${Math.min(at.x + 14, size.x - 170)}px, ${Math.max(4, at.y - 44)}px)`;
  });
  map.on('mouseout movestart', () => { tip.hidden = true; });

  // --- what is there -------------------------------------------------------------------------------

  let failing = new Set();
  /** @param {string} what @param {boolean} bad */
  function said(what, bad) {
    if (bad) failing.add(what); else failing.delete(what);
    const text = failing.size ? t('mapFailed') : '';
    if (status.textContent !== text) status.textContent = text;
  }
  /** @type {(() => void)[]} */
  const stops = [];
  /** @param {string} path @param {boolean} byZoom @param {number | undefined} every @param {(answer: any) => void} take */
  function source(path, byZoom, every, take) {
    const failed = (/** @type {unknown} */ error) => { console.warn('map:', path, error); said(path, true); };
    stops.push(follow(map, options.get, path, { byZoom, every, failed, take: (answer) => { said(path, false); take(answer); } }));
  }
  function begin() {
    source('/api/v1/grids', true, undefined, (answer) => { grids = readGrids(answer); land.draw(); });
    source('/api/v1/assets', true, undefined, (answer) => { assets = readAssets(answer); land.draw(); });
    if (options.devices !== false) source('/api/v1/map/devices', false, DEVICES_MS, (answer) => { devices = readDevices(answer); things.draw(); });
  }
  /** @param {Tiles} tiles */
  function addTiles(tiles) {
    L.tileLayer(tiles.url, { maxNativeZoom: tiles.max_zoom, maxZoom: 20 }).addTo(map);
    credit.textContent = clean(tiles.attribution);
    credit.hidden = !tiles.attribution;
    element.dataset.tiles = 'true';
  }
  const ready = options.get('/api/v1/map').then((/** @type {About} */ about) => {
    city = about;
    if (about.tiles) addTiles(about.tiles);
    if (options.at) map.setView([options.at[1], options.at[0]], options.zoom ?? NEAR, { animate: false }); else fit(false);
    begin();
  }).catch((/** @type {unknown} */ error) => { console.warn('map:', error); said('map', true); });

  // A map that was hidden knows its size only when it is shown; then it also sees the whole city.
  let sized = element.clientWidth > 40;
  const watcher = new ResizeObserver(() => {
    map.invalidateSize({ animate: false, pan: sized });
    if (!sized && element.clientWidth > 40) { sized = true; if (options.at) map.setView([options.at[1], options.at[0]], options.zoom ?? NEAR, { animate: false }); else fit(false); }
  });
  watcher.observe(element);

  function fit(animate = true) {
    if (!city?.bounds) return;
    const [west, south, east, north] = city.bounds, pad = Math.min(40, element.clientWidth * 0.05);
    map.fitBounds([[south, west], [north, east]], { paddingTopLeft: [pad, pad], paddingBottomRight: [pad + (options.covered?.() ?? 0), pad], animate });
  }

  relabel();
  return {
    /** Leaflet's own map, for a page that needs more. */
    leaflet: map,
    /** When the extent is known and the first view stands. */
    ready,
    fit,
    relabel,
    /** @param {Pin[]} list @param {string | null} [selected] */
    tickets(list, selected = null) { pins.set(list, selected); },
    /** @param {Worker[]} list */
    workers(list) {
      people = list.filter((w) => w.point).map((w) => ({ id: w.id, name: clean(w.name), line: clean(w.line), mine: w.mine ?? false, x: worldX(/** @type {any} */ (w.point).lon), y: worldY(/** @type {any} */ (w.point).lat) }));
      things.draw();
    },
    /** @param {Marks} belonging */
    mark(belonging) {
      // Pages say it after every change; the ground is only drawn anew when it looks different.
      const [below, above] = [told(belonging.grid, [...(belonging.lines ?? [])], belonging.circles ?? []), told(belonging.worker, belonging.from, belonging.to)];
      marks = belonging;
      if (below !== drawn.below) { drawn.below = below; land.draw(); }
      if (above !== drawn.above) { drawn.above = above; things.draw(); }
    },
    /** Bring a place into the part of the map that nothing covers. @param {LonLat | null | undefined} place @param {number} [closer] */
    show(place, closer) {
      if (!place) return;
      const at = L.latLng(place[1], place[0]), size = map.getSize(), hidden = options.covered?.() ?? 0;
      const point = map.latLngToContainerPoint(at);
      const seen = point.x > 60 && point.x < size.x - hidden - 60 && point.y > 60 && point.y < size.y - 60;
      const level = Math.max(map.getZoom(), closer ?? 0);
      if (seen && level === map.getZoom()) return;
      const centre = map.unproject(map.project(at, level).add([hidden / 2, 0]), level);
      map.setView(centre, level);
    },
    /** The theme changed. */
    recolour() { colours = readColours(); land.draw(); things.draw(); },
    remove() { for (const stop of stops) stop(); watcher.disconnect(); map.remove(); },
  };
}

/** @typedef {ReturnType<typeof createMap>} CityMap */
export { SILENT };
