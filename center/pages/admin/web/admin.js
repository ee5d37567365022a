// @ts-check
// Administration: what is shown stands in the address.

import { parts } from '/static/common/office/parts.js';
import './words.js';
import * as city from './city.js';
import * as devices from './devices.js';
import * as holds from './holds.js';
import * as letters from './letters.js';

parts({
  title: 'adTitle', label: 'adParts', usual: { part: 'devices', state: '', type: '', q: '', after: '', sort: '', code: '', device: '', over: '' },
  parts: { devices: { label: 'adDevices', show: devices.show }, letters: { label: 'adLetters', show: letters.show }, holds: { label: 'adHolds', show: holds.show }, city: { label: 'adCity', show: city.show } },
  drawnOnly: ['sort', 'over'],
});
