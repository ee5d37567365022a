// @ts-check
// The sound of each severity, made by the browser itself: no file, nothing to load, nothing to miss.

/** @type {AudioContext | null} */
let audio = null;

/** Tones of each severity: [begins after s, Hz, lasts s, shape, loudness]. @type {Record<number, [number, number, number, OscillatorType, number][]>} */
const TONES = {
  5: [0, 1, 2, 3, 4, 5, 6, 7].map((n) => [n * 0.2, n % 2 ? 660 : 988, 0.19, 'square', 0.14]),
  4: [0, 1, 2].map((n) => [n * 0.24, 880, 0.16, 'triangle', 0.3]),
  3: [0, 1].map((n) => [n * 0.3, 698, 0.2, 'triangle', 0.26]),
  2: [[0, 587, 0.28, 'sine', 0.26]],
  1: [[0, 440, 0.22, 'sine', 0.16]],
};
/** How often it comes again until somebody has heard, s. @type {Record<number, number>} */
export const AGAIN_S = { 5: 3, 4: 5, 3: 10, 2: 20, 1: 60 };

/** Make sound possible; browsers want a click or a key first. True when it can be heard. */
export async function unlock() {
  audio ??= new AudioContext();
  if (audio.state !== 'running') await Promise.race([audio.resume(), new Promise((go) => setTimeout(go, 400))]).catch(() => {});
  return audible();
}
/** Whether the browser lets us sound. */
export const audible = () => audio?.state === 'running';
/** Whether it is known that it does not. */
export const blocked = () => audio !== null && audio.state !== 'running';

/** Sound a severity once; false when the browser does not let us. @param {number} severity */
export function ring(severity) {
  audio ??= new AudioContext();
  if (audio.state !== 'running') return false;
  for (const [after, pitch, lasts, shape, loud] of TONES[severity] ?? TONES[2] ?? []) {
    const tone = audio.createOscillator(), volume = audio.createGain(), at = audio.currentTime + 0.01 + after;
    tone.type = shape;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(loud, at + 0.015);
    volume.gain.setValueAtTime(loud, at + lasts - 0.04);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + lasts);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + lasts + 0.02);
  }
  return true;
}
