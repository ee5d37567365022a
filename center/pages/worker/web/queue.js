// @ts-check
// What I do goes here first and to the center from here: in order, each once, whenever there is
// network. A deed keeps its key until an answer was heard, and the center knows the key.
import * as db from './db.js';
import { Lost, Refusal, ask, json, send } from './net.js';
import { changed, state } from './state.js';

const PAUSES_MS = [1500, 3000, 6000, 15_000, 30_000, 60_000];
let tries = 0;
let timer = 0;
let running = false;
/** @type {(ticket: any) => void} */
let onTaken = () => {};
/** @type {(deed: db.Deed, ok: boolean) => void} */
let onSent = () => {};

/** A key that nobody else has made; `randomUUID` is for https only. */
const fresh = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

let onFull = () => {};

/** @param {{taken: typeof onTaken, sent: typeof onSent, full: typeof onFull}} hear */
export function start(hear) {
  onTaken = hear.taken;
  onSent = hear.sent;
  onFull = hear.full;
  addEventListener('online', () => { tries = 0; void pump(); });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) { tries = 0; void pump(); } });
}

export async function reload() {
  state.deeds = await db.deeds();
  changed();
}

/**
 * Do something: kept on the phone at once, sent as soon as possible.
 * @param {{ticket: string, action: string, label: string, reason?: string, note?: string, data?: Record<string, unknown>}} what
 * @param {{name: string, blob: Blob}[]} [pictures]
 */
export async function doNow(what, pictures = []) {
  const photos = pictures.map(({ name, blob }) => ({ id: fresh(), name, blob }));
  try {
    await db.addDeed({
      ...what, worker: state.me.id, key: fresh(), done_at: Date.now(), state: 'waiting',
      photos: photos.map(({ id, name }) => ({ id, name, ref: null })),
    }, photos.map(({ id, blob }) => ({ id, blob })));
  } catch (error) {
    console.warn('not kept:', error);
    onFull(); // said at once: what the phone could not keep was not done
    return;
  }
  await reload();
  tries = 0;
  void pump();
}

/** The worker has read why it was not applied. @param {db.Deed} deed */
export async function dismiss(deed) {
  await db.dropDeed(deed);
  await reload();
}

/** Send what waits, in order, until all is sent or there is no network. */
export async function pump() {
  if (running || !state.me) return;
  running = true;
  clearTimeout(timer);
  try {
    // Two open tabs need not send the same at once (though it would do no harm).
    if (navigator.locks) await navigator.locks.request('worker-queue', { ifAvailable: true }, async (lock) => { if (lock) await drain(); });
    else await drain();
  } finally {
    running = false;
    state.sending = false;
    changed();
  }
}

async function drain() {
  for (;;) {
    await reload();
    const deed = state.deeds.find((one) => one.state === 'waiting' && one.worker === state.me?.id);
    if (!deed) return;
    state.sending = true;
    changed();
    try {
      if (!(await sent(deed))) { again(); return; }
      tries = 0;
    } catch (error) {
      if (error instanceof Lost) { if (state.link === 'ok') state.link = 'lost'; again(); return; }
      if (!(error instanceof Refusal)) throw error;
      if (error.status === 401 || error.status === 403) { state.link = 'login'; return; } // not of this deed: of who I am
      if (error.status === 429 || error.status >= 500) { again(); return; }
      await db.putDeed({ ...deed, state: 'refused', why: error.message, noted: Boolean(error.body.noted) });
      await reload();
      onSent(deed, false);
    }
  }
}

/** One deed with its photographs; false when the answer is still to come. @param {db.Deed} deed */
async function sent(deed) {
  const base = `/api/v1/me/tickets/${encodeURIComponent(deed.ticket)}`;
  for (const photo of deed.photos) {
    if (photo.ref) continue;
    const kept = await db.photo(photo.id);
    if (!kept) continue;
    const { body } = await json(`${base}/photos?name=${photo.name}`, { method: 'POST', body: kept.blob, type: 'image/jpeg' });
    photo.ref = body.ref;
    await db.putDeed(deed); // what was sent need not be sent again
  }
  const { status, body } = await send(`${base}/actions`, {
    action: deed.action, done_at: deed.done_at, sent_at: Date.now(),
    ...(deed.reason ? { reason: deed.reason } : {}), ...(deed.note ? { note: deed.note } : {}), ...(deed.data ? { data: deed.data } : {}),
    ...(deed.photos.length ? { photos: deed.photos.filter((p) => p.ref).map(({ name, ref }) => ({ name, ref })) } : {}),
  }, deed.key);
  if (status === 202) return false;
  onTaken(body);
  await db.dropDeed(deed);
  await reload();
  onSent(deed, true);
  return true;
}

function again() {
  clearTimeout(timer);
  timer = window.setTimeout(() => void pump(), PAUSES_MS[Math.min(tries++, PAUSES_MS.length - 1)]);
}

/** Whether the center can be reached: cheap, and without a name. */
export async function reachable() {
  try { return (await ask('/healthz', { as: false })).ok; } catch { return false; }
}
