// @ts-check
// My tickets from the center onto the phone: at the start, whenever one changes, and after every
// interruption. What was read stays readable without network.
import { language } from '/static/common/i18n.js';
import * as db from './db.js';
import { Lost, Refusal, ask, blob, json } from './net.js';
import { pump } from './queue.js';
import { changed, state } from './state.js';

const SILENT_MS = 40_000; // the center sends a heartbeat every 15 s
const WAITS_MS = [500, 1000, 2000, 4000, 8000, 15_000];
const SETTLE_MS = 60;
let loading = false;
let wanted = false;

/** What the phone remembers, for a start without network. */
export async function remember() {
  const kept = await db.recall('list');
  if (!kept) return;
  Object.assign(state, { me: kept.me, list: kept.list, asOf: kept.asOf });
  for (const sheet of await db.tickets()) state.sheets.set(sheet.id, sheet);
  changed();
}

/** Read my tickets; called again while it runs, it runs once more. */
export async function load() {
  if (loading) { wanted = true; return; }
  loading = true;
  try {
    do { wanted = false; await once(); } while (wanted);
  } catch (error) {
    if (error instanceof Lost) state.link = 'lost';
    else if (error instanceof Refusal) await refusal(error);
    else throw error;
  } finally {
    loading = false;
    changed();
  }
}

/** @param {Refusal} error */
async function refusal(error) {
  if (error.body.choose) state.link = 'choose';
  else if (['no_worker', 'worker_unknown'].includes(error.code)) { state.link = 'stranger'; await db.forget(); state.list = null; }
  else if (error.status === 401 || error.status === 403) state.link = 'login';
  else state.link = 'lost';
}

async function once() {
  const { body } = await json('/api/v1/me/tickets');
  if (state.me && state.me.id !== body.me.id) { await db.forget(); state.sheets.clear(); }
  const { me, now, ...list } = body;
  Object.assign(state, { me, list, asOf: Date.parse(now), offset: Date.parse(now) - Date.now() });
  state.link = 'ok';
  changed();
  await db.keep('list', { me, list, asOf: state.asOf });
  const mine = [...list.asked, ...list.working];
  const ids = new Set([...mine, ...list.done].map((card) => card.id));
  await db.onlyTickets(ids);
  for (const id of [...state.sheets.keys()]) if (!ids.has(id)) state.sheets.delete(id);
  for (const card of mine) if ((state.sheets.get(card.id)?.rev ?? -1) < card.rev) await sheet(card.id);
  void pump();
}

/** One ticket with what the sensor saw, kept for reading without network. @param {string} id */
export async function sheet(id) {
  try {
    const { body } = await json(`/api/v1/me/tickets/${encodeURIComponent(id)}`);
    await take(body);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error; // 404: it went to somebody else meanwhile
  }
}

/** A ticket as the center just said it. @param {any} ticket */
export async function take(ticket) {
  if (ticket.gone) { state.sheets.delete(ticket.id); void load(); return; }
  const known = state.sheets.get(ticket.id);
  if (known && known.rev > ticket.rev) return;
  const pictures = await picturesOf(ticket, known);
  const whole = { ...ticket, pictures };
  state.sheets.set(ticket.id, whole);
  for (const name of /** @type {const} */ (['asked', 'working', 'done'])) {
    const at = state.list?.[name].findIndex((card) => card.id === ticket.id) ?? -1;
    if (state.list && at >= 0) state.list[name][at] = { ...state.list[name][at], ...ticket };
  }
  await db.putTicket(whole);
  changed();
}

/** Pictures by what they are of: read once, since their links are signed anew each time. @param {any} ticket @param {any} known */
async function picturesOf(ticket, known) {
  /** @type {Record<string, Blob>} */
  const found = {};
  const wanted = [...(ticket.saw?.media ?? []).map((/** @type {any} */ m) => m.still), ...(ticket.photographs ?? []).map((/** @type {any} */ p) => p.photo)].filter(Boolean);
  for (const link of wanted.slice(0, 8)) {
    const name = link.split('?')[0];
    const picture = known?.pictures?.[name] ?? await blob(link);
    if (picture) found[name] = picture;
  }
  if (ticket.plot) {
    const name = `plot-${language()}`;
    const chart = await blob(`/api/v1/tickets/${encodeURIComponent(ticket.id)}/plot.svg?width=360&lang=${language()}`);
    const kept = chart ?? known?.pictures?.[name];
    if (kept) found[name] = kept;
  }
  return found;
}

/**
 * Follow the center for ever; `told` hears of each of my tickets that changes.
 * @param {(told: {id: string, mine: boolean, new: boolean, stage: string}) => void} told
 */
export function follow(told) {
  let tries = 0;
  /** @type {AbortController | null} */
  let controller = null;
  let settle = 0;
  const soon = () => { clearTimeout(settle); settle = window.setTimeout(() => void load(), SETTLE_MS); };

  async function listen() {
    controller = new AbortController();
    let watchdog = 0;
    const alive = () => { clearTimeout(watchdog); watchdog = window.setTimeout(() => controller?.abort(), SILENT_MS); };
    try {
      alive();
      const response = await ask('/api/v1/me/stream', { signal: controller.signal });
      if (!response.ok || !response.body) {
        await refusal(new Refusal(response.status, await response.json().catch(() => null)));
        return;
      }
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        alive();
        rest += value;
        const blocks = rest.split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) {
          const name = /^event: (.*)$/m.exec(block)?.[1];
          const data = /^data: (.*)$/m.exec(block)?.[1];
          if (!name || !data) continue;
          tries = 0;
          if (name === 'ticket') told(JSON.parse(data));
          soon(); // also behind `hello`: whatever was missed is read then
        }
      }
    } catch (error) {
      if (!(error instanceof Lost) && !(error instanceof TypeError) && !(error instanceof DOMException)) throw error;
    } finally {
      clearTimeout(watchdog);
    }
  }

  void (async () => {
    while (state.link !== 'choose') { // who chooses themselves begins anew
      await listen();
      await load(); // says how things stand, also where only the stream is away
      await new Promise((wake) => {
        const timer = setTimeout(() => wake(null), WAITS_MS[Math.min(tries++, WAITS_MS.length - 1)]);
        addEventListener('online', () => { clearTimeout(timer); tries = 0; wake(null); }, { once: true });
      });
    }
  })();
  return { restart() { tries = 0; controller?.abort(); } };
}
