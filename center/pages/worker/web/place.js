// @ts-check
// Sharing where I am, with my consent: nothing is asked of the phone and nothing sent without it,
// and it stops at once when I say so.
import * as db from './db.js';
import { Lost, Refusal, send } from './net.js';
import { changed, shown, state } from './state.js';

const EVERY_MS = 15_000;
const EVERY_M = 25;
const STALE_MS = 120_000;
const REFRESH_MS = 120_000;
/** @type {number | null} */
let watch = null;
/** @type {{at: number, lon: number, lat: number} | null} */
let last = null;
let pending = false;

/** As it was before the page was closed. */
export async function remember() {
  state.consent = (await db.recall('consent')) ?? state.consent;
}

/** Say yes or no; true when the phone has kept it. @param {'off' | 'job' | 'shift'} share */
export async function choose(share) {
  state.consent = { share, version: share === 'off' ? state.consent.version : state.me.consent };
  await db.keep('consent', { ...state.consent, told: false });
  if (share === 'off') stop();
  attend();
  await tell();
}

/** The center keeps a record of the yes and the no; without network it hears of it later. */
export async function tell() {
  const kept = await db.recall('consent');
  if (!kept || kept.told !== false || !state.me) return;
  try {
    await send('/api/v1/me/consent', { share: kept.share, version: kept.version || state.me.consent });
    await db.keep('consent', { ...kept, told: true });
  } catch (error) {
    if (error instanceof Refusal && error.status === 403) { state.consent = { share: 'off', version: '' }; await db.keep('consent', { ...state.consent, told: true }); stop(); changed(); }
    else if (!(error instanceof Lost) && !(error instanceof Refusal)) throw error;
  }
}

/** Watch or not, by my consent and by what I have in hand. Called whenever something changes. */
export function attend() {
  const { share, version } = state.consent;
  const agreed = share !== 'off' && state.me !== null && version === state.me.consent;
  if (!agreed) { stop(); show('off'); return; }
  if (!('geolocation' in navigator)) { show('none'); return; }
  const why = share === 'job' && shown().working.length === 0 ? 'wOutOfJob' : share === 'shift' && !onShift() ? 'wOutOfShift' : null;
  if (why) { stop(); show('wait', why); return; }
  if (watch === null) {
    watch = navigator.geolocation.watchPosition(heard, refused, { enableHighAccuracy: true, maximumAge: 5000 });
    if (state.sharing.state !== 'on') show('on');
  }
}

function stop() {
  if (watch !== null) navigator.geolocation.clearWatch(watch);
  watch = null;
  last = null;
  state.here = null;
}

/** @param {GeolocationPosition} position */
function heard(position) {
  if (watch === null) return; // stopped between the asking and the answer
  const { longitude: lon, latitude: lat, accuracy } = position.coords;
  state.here = { lon, lat, accuracy, at: position.timestamp };
  show('on');
  changed();
  void post(position.timestamp);
}

/** @param {GeolocationPositionError} error */
function refused(error) {
  if (error.code === error.PERMISSION_DENIED) { stop(); show('denied'); }
}

/** Send it, unless one went a moment ago and I have hardly moved. @param {number} at */
async function post(at) {
  const here = state.here;
  if (!here || pending) return;
  const moved = last ? metres(last, here) : Infinity;
  const since = last ? Date.now() - last.at : Infinity;
  if (since < EVERY_MS && !(moved >= EVERY_M && since >= 5000)) return;
  if (Date.now() - at > STALE_MS) return;
  pending = true;
  try {
    await send('/api/v1/me/position', { ts: new Date(Math.round(at) + state.offset).toISOString(), lon: here.lon, lat: here.lat, accuracy_m: Math.round(here.accuracy), consent: state.consent.version });
    last = { at: Date.now(), lon: here.lon, lat: here.lat };
    state.sharing = { ...state.sharing, sentAt: Date.now() };
    changed();
  } catch (error) {
    // Only the newest position is worth anything: the next one is sent instead.
    if (!(error instanceof Lost) && !(error instanceof Refusal)) throw error;
  } finally {
    pending = false;
  }
}

/** @param {{lon: number, lat: number}} a @param {{lon: number, lat: number}} b */
function metres(a, b) {
  const rad = Math.PI / 180;
  return 6371008.8 * Math.hypot((b.lat - a.lat) * rad, (b.lon - a.lon) * rad * Math.cos(a.lat * rad));
}

/** Who stands still is asked now and then: browsers tell of movement only. */
export function refresh() {
  attend();
  if (watch !== null && Date.now() - (last?.at ?? 0) > REFRESH_MS) navigator.geolocation.getCurrentPosition(heard, () => {}, { maximumAge: 30_000, enableHighAccuracy: true });
}

/** Whether my shift is on now: `HH:MM-HH:MM`, several joined by `;`; none: always. */
export function onShift() {
  const shift = String(state.me?.shift ?? '');
  if (!shift) return true;
  const [h, m] = new Intl.DateTimeFormat('en-GB', { timeZone: state.me.timezone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(Date.now() + state.offset).split(':').map(Number);
  const minute = h * 60 + m;
  return shift.split(';').some((one) => {
    const [from, to] = one.split('-').map((text) => { const [hour, min] = text.split(':').map(Number); return hour * 60 + min; });
    return from <= to ? minute >= from && minute < to : minute >= from || minute < to;
  });
}

/** @param {'off' | 'on' | 'wait' | 'denied' | 'none'} as @param {string} [why] */
function show(as, why) {
  if (state.sharing.state === as && state.sharing.why === why) return;
  state.sharing = { state: as, why, sentAt: as === 'on' ? state.sharing.sentAt : undefined };
  changed();
}
