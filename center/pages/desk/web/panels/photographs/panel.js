// @ts-check
// What people sent with their actions.

/** @import {Panel, View} from '../../types.js' */

import { t, timeOf } from '/static/common/i18n.js';
import { el, say } from '/static/common/text.js';
import { byName, state } from '../../state.js';

/** @type {Panel} */
export const panel = { order: 50, render: photographs };

/** @param {View} view */
function photographs({ dossier }) {
  const shown = (dossier?.photographs ?? []).filter((one) => one.photo);
  if (!shown.length) return null;
  return el('section', {}, el('h3', {}, t('photographs')), el('div', { class: 'photographs' }, ...shown.map((one) => el('figure', {},
    el('a', { href: one.photo, target: '_blank', rel: 'noopener' }, el('img', { src: one.photo, alt: t(`photo_${one.name}`), loading: 'lazy' })),
    el('figcaption', {}, t(`photo_${one.name}`), ' · ', say(byName(one.by)), ' · ', timeOf(one.at, state.city.timezone))))));
}
