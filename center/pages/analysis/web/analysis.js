// @ts-check
// The analysis page: period, part and order stand in the address.

import { $ } from '/static/common/office/frame.js';
import { parts } from '/static/common/office/parts.js';
import './words.js';
import { chooser, periodOf } from './period.js';
import * as figures from './figures.js';
import * as quality from './quality.js';
import * as ratings from './ratings.js';
import * as spots from './spots.js';

parts({
  title: 'anTitle', label: 'anParts', usual: { part: 'figures', period: '7', from: '', to: '', by: 'utility', sort: '', sort2: '', kind: '', curve: 'on_time_rate' },
  parts: { figures: { label: 'anFigures', show: figures.show }, spots: { label: 'anSpots', show: spots.show }, ratings: { label: 'anRatings', show: ratings.show }, quality: { label: 'anQuality', show: quality.show } },
  drawnOnly: ['sort', 'sort2', 'curve'], query: (said) => periodOf(said).query,
  above: (said, change) => $('#period').replaceChildren(...chooser(said, change)),
});
