// @ts-check
// Keeps the page itself on the phone, so that it opens without network. The list of its files and
// their version are put in by the center (shell.py). Answers of the API are never kept here: my
// tickets lie in the phone's database, for me alone.

const shell = /* SHELL */ { version: 'none', files: [] };
const CACHE = `worker-${shell.version}`;
const sw = /** @type {any} */ (self);
const files = new Set(/** @type {string[]} */ (shell.files));

sw.addEventListener('install', (/** @type {any} */ event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    // All of one version or none: past the browser's own store, which might hold older ones.
    await cache.addAll(shell.files.map((path) => new Request(path, { cache: 'reload' })));
    await sw.skipWaiting();
  })());
});

sw.addEventListener('activate', (/** @type {any} */ event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith('worker-') && name !== CACHE) await caches.delete(name);
    await sw.clients.claim();
  })());
});

sw.addEventListener('fetch', (/** @type {any} */ event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== sw.location.origin || !files.has(url.pathname)) return;
  event.respondWith((async () => {
    // The scope is /w, which other paths begin with as well (/wall): their pages get their own files.
    const asking = request.mode === 'navigate' ? url : await sw.clients.get(event.clientId).then((/** @type {any} */ c) => (c ? new URL(c.url) : null));
    if (asking?.pathname !== '/w') return fetch(request);
    const cache = await caches.open(CACHE);
    return (await cache.match(url.pathname)) ?? fetch(request);
  })());
});
