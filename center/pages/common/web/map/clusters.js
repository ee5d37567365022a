// @ts-check
// Which pins stand alone and which are told together, at one zoom.

/**
 * @typedef {{id: string, x: number, y: number, urgency: number}} Spot world coordinates; the most
 *   urgent (largest) of a cluster leads it
 * @typedef {{x: number, y: number, members: Spot[]}} Cluster
 */

const WIDE = 2 ** 26; // more rows than the deepest zoom has

/**
 * Spots in order of urgency join the first cluster within `reach` (world units) or begin one. What
 * is near is looked up in cells, so thousands take a few milliseconds.
 * @param {Spot[]} spots @param {number} reach @returns {Cluster[]}
 */
export function cluster(spots, reach) {
  /** @type {Map<number, Cluster[]>} by cell: column × WIDE + row */
  const cells = new Map();
  /** @type {Cluster[]} */
  const found = [];
  for (const spot of [...spots].sort((a, b) => b.urgency - a.urgency || (a.id < b.id ? -1 : 1))) {
    const cx = Math.floor(spot.x / reach), cy = Math.floor(spot.y / reach);
    /** @type {Cluster | null} */
    let best = null;
    let least = reach * reach;
    for (let x = cx - 1; x <= cx + 1; x += 1) {
      for (let y = cy - 1; y <= cy + 1; y += 1) {
        for (const near of cells.get(x * WIDE + y) ?? []) {
          const far = (near.x - spot.x) ** 2 + (near.y - spot.y) ** 2;
          if (far < least) { least = far; best = near; }
        }
      }
    }
    if (best) { best.members.push(spot); continue; }
    const begun = { x: spot.x, y: spot.y, members: [spot] };
    found.push(begun);
    const key = cx * WIDE + cy, cell = cells.get(key);
    if (cell) cell.push(begun); else cells.set(key, [begun]);
  }
  return found;
}
