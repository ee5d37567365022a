// @ts-check
// Columns and a line over time, drawn as SVG: sharp at every size, and on paper.

import { el, svg } from '../text.js';

const HEIGHT = 210;
const ROOM = { left: 44, right: 46, top: 14, bottom: 26 };

/** A round number that is no less. @param {number} most */
export function roundUp(most) {
  if (!(most > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= most - 1e-9) ?? most;
}

/**
 * @param {{label: string, points: {label: string, long: string, bar: number, line: number | null}[], bars: string, line: string,
 *   ofLine: (value: number) => string, lineMost?: number, width?: number}} given
 */
export function chart({ label, points, bars, line, ofLine, lineMost, width = Math.max(320, (document.querySelector('#shown')?.clientWidth ?? 940) - 38) }) {
  const inner = width - ROOM.left - ROOM.right, high = HEIGHT - ROOM.top - ROOM.bottom;
  const most = roundUp(Math.max(1, ...points.map((point) => point.bar)));
  const top = lineMost ?? roundUp(Math.max(0, ...points.map((point) => point.line ?? 0)));
  const step = inner / Math.max(1, points.length);
  /** @param {number} i */
  const x = (i) => ROOM.left + step * (i + 0.5);
  /** @param {number} value @param {number} of */
  const y = (value, of) => ROOM.top + high * (1 - value / of);
  const nodes = [];
  for (const part of [0, 0.5, 1]) {
    const at = ROOM.top + high * (1 - part);
    nodes.push(svg('line', { x1: ROOM.left, x2: width - ROOM.right, y1: at, y2: at, class: 'rule' }),
      svg('text', { x: ROOM.left - 7, y: at + 4, class: 'tick end' }, trim(most * part)),
      svg('text', { x: width - ROOM.right + 7, y: at + 4, class: 'tick' }, ofLine(top * part)));
  }
  const every = Math.ceil(points.length / Math.max(1, Math.floor(inner / 64)));
  points.forEach((point, i) => {
    const wide = Math.max(1.5, Math.min(30, step * 0.62));
    nodes.push(svg('rect', { x: x(i) - wide / 2, y: y(point.bar, most), width: wide, height: Math.max(0, high - (y(point.bar, most) - ROOM.top)), rx: Math.min(2, wide / 4), class: 'column' }));
    if (i % every === 0) nodes.push(svg('text', { x: x(i), y: HEIGHT - 8, class: 'tick middle' }, point.label));
  });
  let path = '', drawing = false;
  points.forEach((point, i) => {
    if (point.line === null) { drawing = false; return; }
    path += `${drawing ? 'L' : 'M'}${x(i).toFixed(1)} ${y(Math.min(top, point.line), top).toFixed(1)}`;
    drawing = true;
  });
  if (path) nodes.push(svg('path', { d: path, class: 'curve' }));
  points.forEach((point, i) => {
    if (point.line !== null && points.length <= 62) nodes.push(svg('circle', { cx: x(i), cy: y(Math.min(top, point.line), top), r: 2.6, class: 'dot' }));
    const hit = svg('rect', { x: x(i) - step / 2, y: ROOM.top, width: step, height: high, class: 'hit' });
    hit.append(svg('title', {}, `${point.long}\n${bars}: ${trim(point.bar)}\n${line}: ${point.line === null ? '–' : ofLine(point.line)}`));
    nodes.push(hit);
  });
  const drawn = svg('svg', { viewBox: `0 0 ${width} ${HEIGHT}`, role: 'img', 'aria-label': label, class: 'trend' }, ...nodes);
  return el('figure', { class: 'chart' },
    el('figcaption', {}, el('span', { class: 'key column' }, bars), el('span', { class: 'key curve' }, line)), drawn);
}

/** @param {number} value */
const trim = (value) => String(Math.round(value * 100) / 100);

/** A share with its interval as a mark on a line from 0 to 1. @param {number | null} share @param {number} low @param {number} high @param {string} label */
export function whisker(share, low, high, label) {
  const width = 120, at = (/** @type {number} */ value) => 3 + value * (width - 6);
  return svg('svg', { viewBox: `0 0 ${width} 16`, class: 'whisker', role: 'img', 'aria-label': label },
    svg('line', { x1: 3, x2: width - 3, y1: 8, y2: 8, class: 'rule' }),
    svg('line', { x1: at(low), x2: at(high), y1: 8, y2: 8, class: 'span' }),
    ...(share === null ? [] : [svg('circle', { cx: at(share), cy: 8, r: 3.6, class: 'dot' })]));
}
