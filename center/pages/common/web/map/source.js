// @ts-check
// Asks for what the view shows, and only when it shows something that was not asked for yet.

/** @typedef {[number, number, number, number]} Box west, south, east, north in degrees */

/** A view is asked for with this part of its size around it, so that small moves ask nothing. */
const AROUND = 0.5;
const PAUSE_MS = 120;
const AGAIN_MS = 5_000;

/**
 * Follows the map's view over one resource of the center.
 * @template T
 * @param {import('leaflet').Map} map
 * @param {(path: string) => Promise<T>} get
 * @param {string} path
 * @param {{byZoom: boolean, every?: number, take: (answer: T) => void, failed: (error: unknown) => void}} how
 *   `byZoom`: a finer view is asked for anew. `every`: and so is an answer older than this, ms.
 */
export function follow(map, get, path, how) {
  /** @type {{box: Box, zoom: number, at: number} | null} */
  let known = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let turn = 0;

  function enough() {
    if (!known) return false;
    const view = map.getBounds(), [west, south, east, north] = known.box;
    const inside = view.getWest() >= west && view.getEast() <= east && view.getSouth() >= south && view.getNorth() <= north;
    const detailed = !how.byZoom || (map.getZoom() <= known.zoom + 0.26 && map.getZoom() > known.zoom - 2);
    return inside && detailed && (!how.every || performance.now() - known.at < how.every);
  }

  async function ask() {
    if (enough() || map.getSize().x < 40) return;
    const view = map.getBounds().pad(AROUND), zoom = map.getZoom(), mine = (turn += 1);
    /** @type {Box} */
    const box = [Math.max(-540, view.getWest()), Math.max(-85, view.getSouth()), Math.min(540, view.getEast()), Math.min(85, view.getNorth())];
    try {
      const bbox = box.map((degrees) => degrees.toFixed(6)).join(',');
      const answer = await get(`${path}?bbox=${bbox}${how.byZoom ? `&zoom=${zoom.toFixed(2)}` : ''}`);
      if (mine !== turn) return; // the view moved on meanwhile
      known = { box, zoom, at: performance.now() };
      how.take(answer);
    } catch (error) {
      if (mine !== turn) return;
      how.failed(error);
      timer = setTimeout(ask, AGAIN_MS);
    }
  }

  const soon = () => { clearTimeout(timer); timer = setTimeout(ask, PAUSE_MS); };
  map.on('moveend', soon);
  const again = how.every ? setInterval(soon, how.every) : undefined;
  ask();
  return () => { map.off('moveend', soon); clearTimeout(timer); clearInterval(again); turn = -1; };
}
