// @ts-check
// Tickets as buttons on the map: one for each, or one for many that would hide each other.

import L from './leaflet.js';
import { cluster } from './clusters.js';
import { worldX, worldY } from './sheet.js';
import { severityName, t } from '../i18n.js';
import { clean, el, icon } from '../text.js';

/**
 * What a pin needs of a ticket.
 * @typedef {{id: string, place: [number, number], kind: string, severity: number, label: string | (() => string), overdue?: boolean, fresh?: boolean}} Pin
 *   `label` may be a function: of thousands only some are on screen
 * @typedef {import('./clusters.js').Spot & {pin: Pin}} PinSpot
 */

const NEAR_PX = 26; // closer ones hide each other
const CROWD_PX = 54; // with many, a calm picture is worth more than each of them
const CROWD = 150;
const DEEPEST = 19; // what is not apart here is one place

/** The mark of what is overdue: a sign, not a colour alone. @param {boolean | undefined} over */
const late = (over) => (over ? [el('i', { class: 'late', 'aria-hidden': 'true' }, '!')] : []);

/**
 * @param {import('leaflet').Map} map
 * @param {(id: string) => void} select
 */
export function addPins(map, select) {
  const pane = map.createPane('pins');
  pane.style.zIndex = '620';
  /** @type {Map<string, HTMLButtonElement>} */
  const shown = new Map();
  /** @type {Pin[]} */
  let pins = [];
  /** @type {string | null} */
  let selected = null;
  /** @type {{zoom: number, groups: import('./clusters.js').Cluster[]} | null} */
  let grouped = null;
  let waiting = false;

  function groups() {
    const zoom = map.getZoom();
    if (grouped?.zoom === zoom) return grouped.groups;
    /** @type {PinSpot[]} */
    const spots = pins.map((pin) => ({ id: pin.id, pin, x: worldX(pin.place[0]), y: worldY(pin.place[1]), urgency: (pin.overdue ? 10 : 0) + pin.severity }));
    const single = spots.filter((spot) => spot.id === selected), others = spots.filter((spot) => spot.id !== selected);
    const reach = (spots.length > CROWD ? CROWD_PX : NEAR_PX) / (256 * 2 ** zoom);
    grouped = { zoom, groups: [...cluster(others, reach), ...single.map((spot) => ({ x: spot.x, y: spot.y, members: [spot] }))] };
    return grouped.groups;
  }

  function draw() {
    const size = map.getSize(), origin = map.getPixelOrigin(), scale = 256 * 2 ** map.getZoom();
    const corner = map.containerPointToLayerPoint([0, 0]);
    const keep = new Set();
    for (const { x, y, members } of groups()) {
      const at = L.point(x * scale - origin.x, y * scale - origin.y);
      const far = at.subtract(corner);
      if (far.x < -60 || far.y < -60 || far.x > size.x + 60 || far.y > size.y + 60) continue;
      const key = members.length === 1 ? members[0].id : `+${members[0].id}`;
      keep.add(key);
      let button = shown.get(key);
      if (!button) { button = /** @type {HTMLButtonElement} */ (el('button', { type: 'button', class: 'pin leaflet-zoom-hide' })); L.DomEvent.disableClickPropagation(button); shown.set(key, button); pane.append(button); }
      L.DomUtil.setPosition(button, at.round());
      const inside = /** @type {PinSpot[]} */ (members).map((spot) => spot.pin);
      if (inside.length === 1) single(button, inside[0]); else many(button, inside);
    }
    for (const [key, button] of shown) if (!keep.has(key)) { button.remove(); shown.delete(key); }
  }

  /** @param {HTMLButtonElement} button @param {Pin} pin */
  function single(button, pin) {
    const look = `${pin.kind}${pin.overdue ?? false}`;
    if (button.dataset.look !== look) { button.replaceChildren(icon(pin.kind), ...late(pin.overdue)); button.dataset.look = look; }
    Object.assign(button.dataset, { id: pin.id, severity: String(pin.severity), fresh: String(pin.fresh ?? false), overdue: String(pin.overdue ?? false) });
    const said = typeof pin.label === 'function' ? pin.label() : pin.label;
    const label = clean(pin.overdue ? `${said} · ${t('mapOver')}` : said);
    if (button.title !== label) { button.title = label; button.setAttribute('aria-label', label); }
    button.setAttribute('aria-pressed', String(pin.id === selected));
    button.onclick = () => select(pin.id);
  }

  /** @param {HTMLButtonElement} button @param {Pin[]} inside */
  function many(button, inside) {
    const worst = inside.reduce((most, pin) => Math.max(most, pin.severity), 0), over = inside.filter((pin) => pin.overdue).length;
    const text = String(inside.length);
    const look = `${text}${over > 0}`;
    if (button.dataset.look !== look) { button.replaceChildren(el('b', {}, text), ...late(over > 0)); button.dataset.look = look; }
    button.classList.add('many');
    Object.assign(button.dataset, { severity: String(worst), fresh: String(inside.some((pin) => pin.fresh)), overdue: String(over > 0), size: inside.length > 99 ? '3' : inside.length > 9 ? '2' : '1' });
    const bounds = L.latLngBounds(inside.map((pin) => L.latLng(pin.place[1], pin.place[0])));
    const apart = map.getZoom() < DEEPEST && !bounds.getNorthWest().equals(bounds.getSouthEast(), 1e-5);
    const label = `${text} ${t('mapMany')} · ${t('mapWorst')} ${severityName(worst)}${over ? ` · ${over} ${t('mapOver')}` : ''} · ${t(apart ? 'mapApart' : 'mapNext')}`;
    if (button.title !== label) { button.title = label; button.setAttribute('aria-label', label); }
    button.onclick = () => {
      if (apart) { closer(bounds); return; }
      const turn = inside.findIndex((pin) => pin.id === selected);
      select(inside[(turn + 1) % inside.length].id);
    };
  }

  /** @param {import('leaflet').LatLngBounds} bounds */
  function closer(bounds) {
    const fitting = map.getBoundsZoom(bounds, false, L.point(120, 120));
    map.setView(bounds.getCenter(), Math.min(DEEPEST, Math.max(fitting, map.getZoom() + 1)));
  }

  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  };
  map.on('moveend zoomend viewreset resize', draw);
  return {
    /** @param {Pin[]} list @param {string | null} chosen */
    set(list, chosen) { pins = list; selected = chosen; grouped = null; soon(); },
    relabel: soon,
  };
}
