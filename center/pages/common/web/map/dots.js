// @ts-check
// Devices (many, in typed arrays) and workers, drawn on one sheet.

import { clean } from '../text.js';
import { FONT } from './colours.js';
import { worldX, worldY } from './sheet.js';

/**
 * @typedef {import('./sheet.js').Ground} Ground
 * @typedef {{ids: string[], types: string[], type: number[], lon: number[], lat: number[], state: number[]}} Columns
 * @typedef {{ids: string[], types: string[], type: Uint16Array, x: Float64Array, y: Float64Array, state: Uint8Array}} Devices
 * @typedef {{id: string, name: string, x: number, y: number, line: string, mine: boolean}} Person
 */

/** @type {Devices} */
export const NO_DEVICES = { ids: [], types: [], type: new Uint16Array(), x: new Float64Array(), y: new Float64Array(), state: new Uint8Array() };
export const SILENT = 2;

/** @param {Columns} columns @returns {Devices} */
export function readDevices({ ids, types, type, lon, lat, state }) {
  return { ids, types, type: Uint16Array.from(type), x: Float64Array.from(lon, worldX), y: Float64Array.from(lat, worldY), state: Uint8Array.from(state) };
}

/** How large a dot is at this zoom, pixels. @param {number} zoom */
const sizeAt = (zoom) => (zoom < 11 ? 1.5 : zoom < 13 ? 2 : zoom < 15 ? 3 : zoom < 17 ? 5 : 7);

/** @param {Ground} ground @param {Devices} devices @param {import('./colours.js').Colours} colours */
export function paintDevices(ground, devices, colours) {
  const { context, scale, left, top, width, height, zoom } = ground;
  const size = sizeAt(zoom), half = size / 2, ring = size >= 5;
  for (const silent of [false, true]) {
    for (const edge of ring ? [true, false] : [false]) {
      const grow = edge ? 1 : 0;
      context.fillStyle = edge ? colours.panel : silent ? colours.alarm : colours.device;
      for (let i = 0; i < devices.x.length; i += 1) {
        if ((devices.state[i] === SILENT) !== silent) continue;
        const x = devices.x[i] * scale - left, y = devices.y[i] * scale - top;
        if (x < -8 || y < -8 || x > width + 8 || y > height + 8) continue;
        context.fillRect(x - half - grow, y - half - grow, size + 2 * grow, size + 2 * grow);
      }
    }
  }
}

/**
 * @param {Ground} ground @param {Person[]} people @param {import('./colours.js').Colours} colours
 * @param {string | null} chosen
 */
export function paintPeople(ground, people, colours, chosen) {
  const { context, scale, left, top, width, height, zoom } = ground;
  const small = zoom < 11.5 ? 2 : zoom < 13.5 ? 2.8 : 3.6;
  context.lineWidth = zoom < 11.5 ? 0.6 : 1.2;
  for (const person of people) {
    const x = person.x * scale - left, y = person.y * scale - top;
    if (x < -20 || y < -20 || x > width + 20 || y > height + 20) continue;
    const large = person.id === chosen || person.mine;
    context.beginPath();
    context.arc(x, y, large ? 6.5 : small, 0, 7);
    context.fillStyle = colours.worker; context.strokeStyle = colours.panel;
    context.fill(); context.stroke();
    if (person.mine) { context.beginPath(); context.arc(x, y, 13, 0, 7); context.globalAlpha = 0.25; context.fill(); context.globalAlpha = 1; }
    if (!large) continue;
    context.font = `600 12px ${FONT}`; context.textAlign = 'center'; context.textBaseline = 'alphabetic';
    context.lineWidth = 3; context.strokeStyle = colours.ground; context.strokeText(clean(person.name), x, y - 12);
    context.fillStyle = colours.ink; context.fillText(clean(person.name), x, y - 12);
    context.lineWidth = 1.2;
  }
}

/**
 * The nearest of them within `reach` (world units), or -1.
 * @param {ArrayLike<number>} xs @param {ArrayLike<number>} ys @param {number} x @param {number} y @param {number} reach
 */
export function nearest(xs, ys, x, y, reach) {
  let best = -1, least = reach * reach;
  for (let i = 0; i < xs.length; i += 1) {
    const dx = xs[i] - x, dy = ys[i] - y, far = dx * dx + dy * dy;
    if (far < least) { least = far; best = i; }
  }
  return best;
}
