// @ts-check
// Reports on their way: kept until the center has them, sent again without becoming two.

import { ask, passing } from '/static/resident/net.js';
import { forget, keepMine, keepWaiting, waiting } from '/static/resident/kept.js';

/** @typedef {import('./kept.js').Report} Report */
/** @typedef {{state: 'taken', follow: string} | {state: 'waiting', wait: number, kept: boolean} | {state: 'refused', reason: string, code: string}} Outcome */

const PAUSES_S = [3, 6, 12, 25, 60];
let tries = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {Set<string>} */
const going = new Set();
/** @type {(report: Report, outcome: Outcome) => void} */
let told = () => {};

/** Who is told what became of reports that were sent later. @param {typeof told} listener */
export function onOutcome(listener) { told = listener; }

/** Send it now; what cannot be sent stays. @param {Report} report @returns {Promise<Outcome>} */
export async function send(report) {
  const kept = keepWaiting(report);
  going.add(report.key);
  const { code, ...body } = report;
  const answer = await ask(`/api/v1/places/${encodeURIComponent(code)}/reports`, body);
  going.delete(report.key);
  if (answer.ok) {
    forget(report.key);
    keepMine(code, { follow: answer.body.follow, kind: report.kind, at: report.ts });
    tries = 0;
    return { state: 'taken', follow: answer.body.follow };
  }
  if (passing(answer)) {
    const wait = Math.max(answer.wait, PAUSES_S[Math.min(tries++, PAUSES_S.length - 1)]);
    clearTimeout(timer);
    timer = setTimeout(flush, wait * 1000);
    return { state: 'waiting', wait, kept };
  }
  forget(report.key);
  return { state: 'refused', reason: answer.reason, code: answer.code };
}

/** Try everything that waits, one after the other. */
export async function flush() {
  for (const report of waiting()) {
    if (going.has(report.key)) continue;
    const outcome = await send(report);
    told(report, outcome);
    if (outcome.state === 'waiting') return;
  }
}
addEventListener('online', flush);
