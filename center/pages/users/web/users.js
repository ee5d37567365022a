// @ts-check
// The accounts page: its parts.

import { parts } from '/static/common/office/parts.js';
import { accounts } from './accounts.js';
import { audit, views } from './logs.js';
import './words.js';

parts({
  title: 'usTitle', label: 'usParts', usual: { part: 'accounts', q: '', action: '', account: '' }, drawnOnly: [],
  parts: { accounts: { label: 'usAccounts', show: accounts }, audit: { label: 'usAudit', show: audit }, views: { label: 'usViews', show: views } },
});
