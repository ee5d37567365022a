// @ts-check
// The way there, with the map that the worker likes. Maps of China draw in GCJ-02 (the center has
// converted it: `way`); a `geo:` URI means WGS 84 (RFC 5870).

/**
 * @param {any} ticket
 * @param {string} label
 * @returns {{id: string, word: string, href: string}[]}
 */
export function ways(ticket, label) {
  const { lon, lat } = ticket.place ?? {};
  if (!Number.isFinite(lon) || !Number.isFinite(lat)) return [];
  const drawn = ticket.way ? { lon: ticket.way.gcj02_lon, lat: ticket.way.gcj02_lat } : { lon, lat };
  const name = encodeURIComponent(label.replace(/[,|]/g, ' '));
  return [
    // `coordinate=gaode`: what stands in `to` is GCJ-02 already.
    { id: 'amap', word: 'wAmap', href: `https://uri.amap.com/navigation?to=${drawn.lon},${drawn.lat},${name}&mode=walk&coordinate=gaode&callnative=1&src=gridsentry` },
    { id: 'apple', word: 'wApple', href: `https://maps.apple.com/?daddr=${drawn.lat},${drawn.lon}&dirflg=w` },
    { id: 'google', word: 'wGoogle', href: `https://www.google.com/maps/dir/?api=1&destination=${drawn.lat},${drawn.lon}&travelmode=walking` },
    { id: 'geo', word: 'wGeo', href: `geo:${lat},${lon}?q=${lat},${lon}(${name})` },
  ];
}

const LIKED = 'worker.map';
export const liked = () => { try { return localStorage.getItem(LIKED); } catch { return null; } };
/** @param {string | null} id */
export function like(id) {
  try { if (id) localStorage.setItem(LIKED, id); else localStorage.removeItem(LIKED); } catch { /* asked again */ }
}
