// @ts-check
// Grids and the networks in the ground, as GeoJSON from the center, drawn on one sheet.

import { clean } from '../text.js';
import { FONT } from './colours.js';
import { worldX, worldY } from './sheet.js';

/**
 * @typedef {import('./sheet.js').Ground} Ground
 * @typedef {{id: string, name: string, depth: number, rings: Float64Array[], x: number, y: number, wide: number}} Grid
 * @typedef {{id: string, what: string, points: Float64Array}} Asset
 * @typedef {{type: string, coordinates: any}} Geometry
 * @typedef {{features: {geometry: Geometry, properties: Record<string, any>}[]}} Collection
 */

/** @param {[number, number][]} ring @returns {Float64Array} x, y, x, y … in world coordinates */
function world(ring) {
  const points = new Float64Array(ring.length * 2);
  ring.forEach(([lon, lat], i) => { points[2 * i] = worldX(lon); points[2 * i + 1] = worldY(lat); });
  return points;
}

/** @param {Collection} collection @returns {Grid[]} shallow first */
export function readGrids(collection) {
  return collection.features.map(({ geometry, properties }) => {
    const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.type === 'MultiPolygon' ? geometry.coordinates : [];
    const rings = polygons.flat().map(world);
    let [west, east, north, south] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const ring of rings) {
      for (let i = 0; i < ring.length; i += 2) {
        west = Math.min(west, ring[i]); east = Math.max(east, ring[i]);
        north = Math.min(north, ring[i + 1]); south = Math.max(south, ring[i + 1]);
      }
    }
    return { id: properties.id, name: clean(properties.name), depth: properties.depth ?? 0, rings, x: (west + east) / 2, y: (north + south) / 2, wide: east - west };
  });
}

/** @param {Collection} collection @returns {Asset[]} */
export function readAssets(collection) {
  return collection.features.map(({ geometry, properties }) => ({
    id: properties.id, what: properties.what, points: world(geometry.type === 'Point' ? [geometry.coordinates] : geometry.type === 'LineString' ? geometry.coordinates : geometry.coordinates.flat()),
  }));
}

/** @param {Ground} ground @param {Float64Array} points @param {boolean} close */
function trace({ context, scale, left, top }, points, close) {
  for (let i = 0; i < points.length; i += 2) {
    const x = points[i] * scale - left, y = points[i + 1] * scale - top;
    if (i) context.lineTo(x, y); else context.moveTo(x, y);
  }
  if (close) context.closePath();
}

/**
 * @param {Ground} ground @param {Grid[]} grids @param {import('./colours.js').Colours} colours
 * @param {string | null} marked the grid that is filled
 */
export function paintGrids(ground, grids, colours, marked) {
  const { context } = ground;
  const deepest = grids.reduce((most, grid) => Math.max(most, grid.depth), 0);
  for (let depth = deepest; depth >= 0; depth -= 1) {
    // One path for a level: a thousand strokes of their own take ten times as long.
    context.beginPath();
    let any = false;
    for (const grid of grids) {
      if (grid.depth !== depth) continue;
      any = true;
      for (const ring of grid.rings) trace(ground, ring, true);
    }
    if (!any) continue;
    if (depth === 0) { // under everything: what is inside the city
      context.globalCompositeOperation = 'destination-over';
      context.fillStyle = colours.ground;
      context.fill('evenodd');
      context.globalCompositeOperation = 'source-over';
    }
    context.strokeStyle = depth <= 1 ? colours.street : colours.gridline;
    context.lineWidth = Math.max(0.6, 2.2 - 0.6 * depth);
    context.stroke();
  }
  const chosen = marked === null ? undefined : grids.find((grid) => grid.id === marked);
  if (chosen) {
    context.beginPath();
    for (const ring of chosen.rings) trace(ground, ring, true);
    context.fillStyle = colours.grid;
    context.fill('evenodd');
    context.strokeStyle = colours.worker; context.lineWidth = 1.4;
    context.stroke();
  }
  paintNames(ground, grids, colours, deepest);
}

/** @param {Ground} ground @param {Grid[]} grids @param {import('./colours.js').Colours} colours @param {number} deepest */
function paintNames({ context, scale, left, top, width, height }, grids, colours, deepest) {
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  /** @type {[number, number, number, number][]} */
  const taken = [];
  for (const grid of grids) {
    const wide = grid.wide * scale;
    const size = (grid.depth <= 1 ? 13 : 11) * colours.text, long = [...grid.name].reduce((n, c) => n + (c > '\u2e80' ? size : size * 0.56), 0);
    if ((grid.depth === 0 && deepest > 0) || wide < long + 14 || (wide > 1_100 && grid.depth < deepest)) continue;
    const x = grid.x * scale - left, y = grid.y * scale - top + (grid.depth <= 1 ? -8 : 6);
    if (x < -wide || x > width + wide || y < -20 || y > height + 20) continue;
    if (taken.some(([tx, ty, w, h]) => Math.abs(tx - x) < (w + long) / 2 + 4 && Math.abs(ty - y) < (h + size) / 2 + 2)) continue;
    if (taken.length < 600) taken.push([x, y, long, size]);
    context.font = `${grid.depth <= 1 ? 600 : 400} ${size}px ${FONT}`;
    context.lineWidth = 3; context.strokeStyle = colours.ground; context.globalAlpha = 0.75;
    context.strokeText(grid.name, x, y);
    context.fillStyle = grid.depth <= 1 ? colours.ink : colours.soft;
    context.globalAlpha = 0.85;
    context.fillText(grid.name, x, y);
  }
  context.globalAlpha = 1;
}

const POINTS_BELOW_M = 4; // metres a pixel from which on poles and manholes are drawn
const STYLES = /** @type {Record<string, {width: number, dash: number[], colour: 'pipe' | 'span' | 'fibre'}>} */ ({
  pipe: { width: 1.3, dash: [], colour: 'pipe' }, span: { width: 1.8, dash: [], colour: 'span' }, fibre: { width: 1.8, dash: [7, 4], colour: 'fibre' },
});

/**
 * @param {Ground} ground @param {Asset[]} assets @param {import('./colours.js').Colours} colours
 * @param {Map<string, number>} marks which are in question: id → probability
 */
export function paintAssets(ground, assets, colours, marks) {
  const { context, scale, left, top } = ground;
  for (const [what, style] of Object.entries(STYLES)) {
    context.beginPath();
    for (const asset of assets) if (asset.what === what && !marks.has(asset.id)) trace(ground, asset.points, false);
    context.setLineDash(style.dash);
    context.strokeStyle = colours[style.colour]; context.lineWidth = style.width; context.globalAlpha = 0.7;
    context.stroke();
  }
  context.globalAlpha = 1;
  context.lineCap = 'round';
  for (const asset of assets) {
    const p = marks.get(asset.id);
    if (p === undefined || asset.points.length < 4) continue;
    context.beginPath();
    trace(ground, asset.points, false);
    context.setLineDash(asset.what === 'fibre' ? [7, 4] : []);
    context.strokeStyle = colours.alarm; context.globalAlpha = 0.35 + 0.65 * p; context.lineWidth = 3 + 5 * p;
    context.stroke();
  }
  context.lineCap = 'butt';
  context.setLineDash([]);
  context.globalAlpha = 1;
  if (ground.metres > POINTS_BELOW_M) return;
  for (const asset of assets) {
    if (asset.points.length !== 2) continue;
    context.fillStyle = asset.what === 'drain' ? colours.pipe : colours.span;
    context.strokeStyle = colours.panel; context.lineWidth = 1;
    context.beginPath();
    context.arc(asset.points[0] * scale - left, asset.points[1] * scale - top, 2, 0, 7);
    context.fill(); context.stroke();
  }
}
