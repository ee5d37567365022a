// @ts-check
// The facade as the camera's calibration has it: every window where it is, coloured by how likely
// something came from it; where polygons are missing, floors and bays as a plain grid.

import { language, t } from '/static/common/i18n.js';
import { clean, svg } from '/static/common/text.js';

/** @typedef {{id: string, what: string, floor: number | null, bay: number | null, polygon: [number, number][]}} Zone
 * @typedef {{count: number, last: string, before: string | null, events: string[]}} Hot `before`: when it was the last time but one
 * @typedef {{camera: string, size: [number, number], zones: Zone[], calibrated: boolean, homography: number[][] | null, hot: Record<string, Hot>, falls: number}} Building */

const LABELLED = 3;
const EDGE = 34, BESIDE = 112; // px for the floors' numbers and for the names of the likeliest

/** Probability by window of what an event says. @param {any} origin @returns {Map<string, number>} */
export function posterior(origin) {
  /** @type {[string, number][]} */
  const rows = origin ? [[origin.zone, Number(origin.p)], ...(origin.others ?? []).map((/** @type {[string, number]} */ [zone, p]) => [zone, Number(p)])] : [];
  return new Map(rows.filter(([zone, p]) => zone && p > 0));
}

/** Every zone with an outline in metres, v up. @param {Zone[]} zones */
function outlined(zones) {
  if (zones.every((zone) => zone.polygon.length >= 3)) return zones.map((zone) => ({ zone, points: zone.polygon }));
  const placed = zones.filter((zone) => zone.floor !== null && zone.bay !== null), top = Math.max(0, ...placed.map((zone) => zone.floor ?? 0));
  let spare = 0;
  return zones.map((zone) => {
    const outside = zone.floor === null || zone.bay === null;
    const u = (outside ? (spare += 1) : Number(zone.bay)) * 2.6, v = (outside ? top + 1.4 : Number(zone.floor)) * 3;
    return { zone, points: /** @type {[number, number][]} */ ([[u, v], [u + 1.7, v], [u + 1.7, v + 1.7], [u, v + 1.7]]) };
  });
}

/** The picture. @param {Building} building @param {{p: Map<string, number>, release?: [number, number] | null, width: number, height: number, pick?: (zone: Zone) => void}} asked */
export function facade(building, { p, release, width, height, pick }) {
  const drawn = outlined(building.zones);
  const us = drawn.flatMap(({ points }) => points.map(([u]) => u)), vs = drawn.flatMap(({ points }) => points.map(([, v]) => v));
  const [west, east, low, high] = [least(us), most(us), least(vs), most(vs)];
  const scale = Math.min((width - EDGE - BESIDE) / Math.max(east - west, 1), (height - 44) / Math.max(high - low, 1));
  const w = (east - west) * scale, h = (high - low) * scale, left = EDGE + (width - EDGE - BESIDE - w) / 2;
  const full = h + 44, x = (/** @type {number} */ u) => left + (u - west) * scale, y = (/** @type {number} */ v) => 22 + (high - v) * scale;
  const ranked = [...p].sort((a, b) => b[1] - a[1]).slice(0, LABELLED).map(([id]) => id);
  const root = svg('svg', { class: 'facade', viewBox: `0 0 ${width} ${full.toFixed(0)}`, role: 'img', 'aria-label': described(building, p) });
  root.append(svg('rect', { class: 'wall', x: x(west) - 8, y: 14, width: w + 16, height: h + 22, rx: 4 }));
  root.append(...floors(drawn, y, x(west) - 14));
  /** @type {SVGElement[]} */
  const labels = [];
  /** @type {{words: string, x: number, y: number}[]} */
  const named = [];
  for (const { zone, points } of drawn) {
    const chance = p.get(zone.id) ?? 0, hot = building.hot[zone.id];
    const shape = svg('polygon', { class: 'zone', 'data-what': clean(zone.what), points: points.map(([u, v]) => `${x(u).toFixed(1)},${y(v).toFixed(1)}`).join(' '), 'data-zone': zone.id });
    if (chance > 0) { shape.classList.add('likely'); shape.style.fillOpacity = String(0.18 + 0.82 * Math.sqrt(chance)); }
    shape.append(svg('title', {}, clean(titleOf(zone, chance, hot))));
    if (pick) shape.addEventListener('click', () => pick(zone));
    root.append(shape);
    const [right, top, middle] = [most(points.map(([u]) => x(u))), least(points.map(([, v]) => y(v))), mean(points.map(([, v]) => y(v)))];
    if (hot) labels.push(svg('circle', { class: 'hot', cx: right, cy: top, r: 7.5 }), svg('text', { class: 'hot-count', x: right, y: top + 3.4, 'text-anchor': 'middle' }, String(hot.count)));
    if (ranked.includes(zone.id)) named.push({ words: `${clean(zone.id)} ${Math.round(chance * 100)} %`, x: mean(points.map(([u]) => x(u))), y: middle });
  }
  labels.push(...aside(named, left + w + 16));
  if (release) labels.push(svg('path', { class: 'release', d: `M${x(release[0]) - 6} ${y(release[1]) - 6}l12 12m0 -12l-12 12` }));
  root.append(...labels);
  return root;
}

/** @param {{zone: Zone, points: [number, number][]}[]} drawn @param {(v: number) => number} y @param {number} at */
function floors(drawn, y, at) {
  /** @type {Map<number, number[]>} */
  const found = new Map();
  for (const { zone, points } of drawn) if (zone.floor !== null) found.set(zone.floor, [...(found.get(zone.floor) ?? []), mean(points.map(([, v]) => y(v)))]);
  const rows = [...found].map(([floor, ys]) => ({ floor, y: mean(ys) })).sort((a, b) => b.y - a.y);
  let last = Infinity;
  return rows.filter((row) => { if (last - row.y < 12) return false; last = row.y; return true; })
    .map((row) => svg('text', { class: 'floor', x: at, y: row.y + 4, 'text-anchor': 'end' }, String(row.floor)));
}

/** Names beside the wall, with a line to their window, none over another. @param {{words: string, x: number, y: number}[]} named @param {number} at */
function aside(named, at) {
  let free = -Infinity;
  return named.sort((a, b) => a.y - b.y || b.x - a.x).flatMap((one) => {
    const y = Math.max(one.y, free);
    free = y + 17;
    return [svg('path', { class: 'leader', d: `M${one.x.toFixed(1)} ${one.y.toFixed(1)}L${at} ${y.toFixed(1)}` }), svg('text', { class: 'label', x: at + 4, y: y + 4 }, one.words)];
  });
}
/** Without what this event itself adds. @param {Record<string, Hot>} hot @param {string} event @returns {Record<string, Hot>} */
export function earlier(hot, event) {
  return Object.fromEntries(Object.entries(hot).map(([id, one]) => /** @type {[string, Hot]} */ ([id, one.events.includes(event) ? { ...one, count: one.count - 1, last: one.before ?? one.last } : one])).filter(([, one]) => one.count > 0));
}

/** @param {Zone} zone @param {number} chance @param {Hot | undefined} hot */
export function titleOf(zone, chance, hot) {
  const where = language() === 'zh' ? [zone.floor !== null ? `${zone.floor} 层` : '', zone.bay !== null ? `${zone.bay} 列` : ''] : [zone.floor !== null ? `floor ${zone.floor}` : '', zone.bay !== null ? `bay ${zone.bay}` : ''];
  return [zone.id, ...where, chance > 0 ? `${(100 * chance).toFixed(chance < 0.1 ? 1 : 0)} %` : '', hot ? t('hotTimes').replace('{n}', String(hot.count)) : ''].filter(Boolean).join(' · ');
}
/** @param {Building} building @param {Map<string, number>} p */
function described(building, p) {
  const rows = [...p].sort((a, b) => b[1] - a[1]).slice(0, LABELLED).map(([id, chance]) => `${id} ${Math.round(chance * 100)} %`);
  return clean(`${t('building')} ${building.camera}: ${rows.join(', ') || t('abstain')}`);
}

/** The windows on the camera's own picture, with the track. @param {Building} building @param {any} event @param {Map<string, number>} p */
export function onPicture(building, event, p) {
  const [width, height] = event.evidence?.picture ?? building.size, [fullW, fullH] = building.size;
  const root = svg('svg', { class: 'over', viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' });
  const flat = building.homography;
  if (flat) {
    for (const zone of building.zones) {
      const chance = p.get(zone.id) ?? 0;
      if (!(chance > 0 || building.hot[zone.id]) || zone.polygon.length < 3) continue;
      const points = zone.polygon.map(([u, v]) => seen(flat, u, v)).map(([a, b]) => `${(a * width / fullW).toFixed(1)},${(b * height / fullH).toFixed(1)}`);
      const shape = svg('polygon', { class: chance > 0 ? 'likely' : 'before', points: points.join(' ') });
      if (chance > 0) shape.style.fillOpacity = String(0.1 + 0.45 * Math.sqrt(chance));
      root.append(shape);
    }
  }
  const track = (event.evidence?.track ?? event.track ?? []).map((/** @type {[string, number, number]} */ [, a, b]) => `${a},${b}`);
  if (track.length > 1) root.append(svg('polyline', { class: 'track', points: track.join(' ') }));
  return root;
}
/** @param {number[][]} plane @param {number} u @param {number} v */
function seen(plane, u, v) {
  const [x = 0, y = 0, w = 1] = plane.map(([a = 0, b = 0, c = 0]) => a * u + b * v + c);
  return [x / w, y / w];
}

const least = (/** @type {number[]} */ list) => list.reduce((a, b) => Math.min(a, b), Infinity);
const most = (/** @type {number[]} */ list) => list.reduce((a, b) => Math.max(a, b), -Infinity);
const mean = (/** @type {number[]} */ list) => list.reduce((a, b) => a + b, 0) / Math.max(1, list.length);
