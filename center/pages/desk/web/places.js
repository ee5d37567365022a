// @ts-check
// The map comes behind the list: its modules are larger than all others together.

import { changed } from './state.js';
import { complain } from './toasts.js';

/** @type {typeof import('./map.js') | null} */
let map = null;

/** @param {(id: string) => void} select */
export async function initPlaces(select) {
  try {
    map = await import('./map.js');
    map.initMap(select);
    changed();
  } catch (error) { complain(error); }
}
export const drawPlaces = () => map?.draw();
export const relabelPlaces = () => map?.relabelMap();
export const themePlaces = () => map?.readColours();
/** Bring a place into view. @param {[number, number] | null} place */
export const showPlace = (place) => map?.show(place);
