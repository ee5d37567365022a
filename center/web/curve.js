// A curve as inline SVG: optical power along a fibre. (Charts of water come from the center.)

import { t } from './i18n.js';
import { el, svg } from './text.js';

const W = 420, H = 190, L = 44, R = 14, T = 12, B = 26;
const number = (value) => Number(value);

function frame(xs, ys, label) {
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  let [y0, y1] = [Math.min(...ys), Math.max(...ys)];
  const margin = (y1 - y0 || Math.abs(y1) || 1) * 0.12;
  y0 -= margin; y1 += margin;
  const x = (v) => L + ((v - x0) / (x1 - x0 || 1)) * (W - L - R);
  const y = (v) => H - B - ((v - y0) / (y1 - y0 || 1)) * (H - T - B);
  const root = svg('svg', { viewBox: `0 0 ${W} ${H}`, class: 'curve', role: 'img', 'aria-label': label });
  for (const tick of ticks(y0, y1, 4)) {
    root.append(svg('line', { x1: L, x2: W - R, y1: y(tick), y2: y(tick), class: 'rule' }), words(L - 6, y(tick) + 4, round(tick), 'end'));
  }
  return { root, x, y, x0, x1 };
}
function ticks(low, high, n) {
  const raw = (high - low) / n, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= raw);
  const found = [];
  for (let v = Math.ceil(low / step) * step; v <= high && found.length < 12; v += step) found.push(v);
  return found;
}
const round = (v) => String(Math.round(v * 1000) / 1000);
function words(x, y, text, anchor = 'start', name = '') {
  const node = svg('text', { x, y, 'text-anchor': anchor, class: name });
  node.textContent = text;
  return node;
}
const path = (points, name) => svg('path', { d: points.map(([x, y], i) => `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join(''), class: name });

/** Fibre: `trace` and `healthy_trace` [[m, dB]…], the break at `distance_m`. */
export function traceCurve(facts) {
  const read = (pairs) => (Array.isArray(pairs) ? pairs : []).map(([m, v]) => [number(m), number(v)]).filter(([m, v]) => Number.isFinite(m) && Number.isFinite(v));
  const [now, healthy] = [read(facts.trace), read(facts.healthy_trace)];
  if (now.length < 2) return null;
  const all = [...now, ...healthy];
  const { root, x, y, x1 } = frame(all.map((p) => p[0]), all.map((p) => p[1]), t('distance'));
  if (healthy.length > 1) root.append(path(healthy.map(([m, v]) => [x(m), y(v)]), 'healthy'));
  root.append(path(now.map(([m, v]) => [x(m), y(v)]), 'line'));
  const at = number(facts.distance_m);
  if (Number.isFinite(at)) root.append(svg('line', { x1: x(at), x2: x(at), y1: T, y2: H - B, class: 'limit close' }), words(x(at) - 5, T + 10, `${Math.round(at)} m`, 'end', 'limit-text close'));
  root.append(words(L, H - 8, '0 m'), words(W - R, H - 8, `${Math.round(x1)} m`, 'end'));
  return el('figure', {}, root);
}
