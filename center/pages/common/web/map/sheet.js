// @ts-check
// A canvas that lies in the map like a transparent sheet: it moves with a drag and scales with a
// zoom without being drawn again, and is drawn when the movement ends (or has left it behind).

import L from './leaflet.js';

/** Part of the view's size that a sheet is larger on each side. */
const ROOM = 0.2;

/**
 * What a painter is given: the context in CSS pixels of the sheet, and how the world maps on it.
 * @typedef {{
 *   context: CanvasRenderingContext2D, width: number, height: number, scale: number, left: number,
 *   top: number, zoom: number, metres: number
 * }} Ground
 * `x = worldX * scale - left`, world coordinates from 0 to 1; `metres` is the size of a pixel.
 */

/** Web Mercator's world coordinates, 0 to 1. @param {number} lon */
export const worldX = (lon) => lon / 360 + 0.5;
/** @param {number} lat */
export const worldY = (lat) => {
  const sine = Math.min(0.9999, Math.max(-0.9999, Math.sin((lat * Math.PI) / 180)));
  return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
};

/**
 * A sheet on `map` in `pane`, painted by `paint`. Leaflet's own renderer carries it, as it does its
 * canvas for vectors (Leaflet is pinned; these are its inner names).
 * @param {import('leaflet').Map} map
 * @param {string} pane
 * @param {(ground: Ground) => void} paint
 */
export function addSheet(map, pane, paint) {
  let waiting = false;
  const canvas = document.createElement('canvas');
  canvas.setAttribute('aria-hidden', 'true');
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  /** @type {any} */
  const Renderer = L.Renderer;
  const Sheet = Renderer.extend({
    options: { padding: ROOM },
    _initContainer() { this._container = canvas; },
    _destroyContainer() { canvas.remove(); },
    _update() {
      if (this._map._animatingZoom && this._bounds) return;
      Renderer.prototype._update.call(this);
      const size = this._bounds.getSize(), ratio = window.devicePixelRatio || 1;
      L.DomUtil.setPosition(canvas, this._bounds.min);
      const [wide, high] = [Math.round(size.x * ratio), Math.round(size.y * ratio)];
      if (canvas.width !== wide || canvas.height !== high) {
        canvas.width = wide; canvas.height = high;
        canvas.style.width = `${size.x}px`; canvas.style.height = `${size.y}px`;
      }
      this._paint();
    },
    _paint() {
      if (!this._bounds) return;
      const size = this._bounds.getSize(), ratio = window.devicePixelRatio || 1;
      const origin = this._map.getPixelOrigin(), zoom = this._map.getZoom();
      const scale = 256 * 2 ** zoom;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, size.x, size.y);
      const metres = (40_075_017 * Math.cos((this._map.getCenter().lat * Math.PI) / 180)) / scale;
      paint({ context, width: size.x, height: size.y, scale, left: origin.x + this._bounds.min.x, top: origin.y + this._bounds.min.y, zoom, metres });
    },
    getEvents() {
      return { ...Renderer.prototype.getEvents.call(this), move: this._left };
    },
    /** A long drag leaves the sheet behind: draw it where we are now. */
    _left() {
      if (!this._bounds || this._map._animatingZoom) return;
      const corner = this._map.containerPointToLayerPoint([0, 0]), size = this._map.getSize();
      const inside = this._bounds.contains(L.bounds(corner, corner.add(size)));
      if (!inside) this._update();
    },
  });
  const sheet = new Sheet({ pane });
  sheet.addTo(map);
  return {
    /** Paint anew with the next frame. */
    draw() {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; if (sheet._map && !sheet._map._animatingZoom) sheet._paint(); });
    },
    canvas,
  };
}
