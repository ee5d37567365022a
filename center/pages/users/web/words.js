// @ts-check
// Words of the accounts page.

import { addTexts } from '/static/common/i18n.js';
import '/static/login/words.js';

addTexts({
  usTitle: ['账号与权限', 'Accounts'], usParts: ['账号与权限', 'Accounts'], usAccounts: ['账号', 'Accounts'], usAudit: ['变更与登录记录', 'Changes and logins'], usViews: ['证据查看记录', 'Who saw what'],
  usNew: ['新建账号', 'New account'], usSearch: ['按账号、姓名、网格员或单位编号查找', 'Find by name, worker or utility'], usFind: ['查找', 'Find'], usMore: ['更多', 'More'],
  usName: ['账号', 'Name'], usCalled: ['姓名', 'Called'], usZh: ['姓名（中文）', 'Called (Chinese)'], usEn: ['姓名（英文）', 'Called (English)'], usRole: ['角色', 'Role'], usArea: ['辖区', 'Part of the city'], usEverywhere: ['全市', 'Everywhere'],
  usOf: ['对应', 'Of'], usState: ['状态', 'State'], usSeen: ['最近使用', 'Last used'], usEdit: ['修改', 'Change'], usNever: ['从未', 'never'],
  usActive: ['正常', 'active'], usDisabled: ['已停用', 'disabled'], usMust: ['待改密码', 'must change password'], usOidc: ['统一认证', 'organisation'],
  usWorkerId: ['网格员编号', 'Id of the worker'], usUtilityId: ['责任单位', 'Utility'], usOriginals: ['可查看未模糊的原始影像（每次须说明理由并留痕）', 'May open unblurred originals (each time with a reason, kept)'],
  usAddArea: ['添加辖区：输入网格名称或编号', 'Add a part: name or id of a grid'], usRemove: ['移除', 'Remove'], usAreaHint: ['不选即为全市。所选网格包含其下所有网格。', 'None chosen is everywhere. A grid means everything below it.'],
  usSave: ['保存', 'Save'], usCreate: ['创建账号', 'Create'], usReset: ['重置密码', 'Reset the password'], usDisable: ['停用账号', 'Disable'], usEnable: ['恢复账号', 'Enable'], usEndAll: ['全部退出登录', 'Sign out everywhere'],
  usSaved: ['已保存', 'Saved'], usSure: ['确定停用 {n}？该账号将立即退出所有设备。', 'Disable {n}? They are signed out everywhere at once.'], usSureReset: ['确定重置 {n} 的密码？', 'Reset the password of {n}?'],
  usSecret: ['初始密码', 'First password'], usSecretText: ['仅显示这一次。请当面或电话告知本人，首次登录时须修改。', 'Shown this once. Tell it in person or by telephone; it must be changed at the first login.'], usCopy: ['复制', 'Copy'], usCopied: ['已复制', 'Copied'], usDone: ['完成', 'Done'],
  usWhen: ['时间', 'When'], usWho: ['操作人', 'Who'], usAddress: ['地址', 'Address'], usAction: ['事项', 'What'], usSubject: ['对象', 'To what'], usDetail: ['内容', 'Detail'], usWhat: ['查看内容', 'Looked at'], usReason: ['理由', 'Reason'], usAll: ['全部', 'All'],
  usViewsText: ['查看证据与个人信息的每一次记录：账号、来源地址、时间；查看原始影像时的理由。', 'Every view of evidence and personal data: account, address, time, and the reason for an original.'], usViewsSearch: ['按人或内容查找', 'Find by who or what'],
  roleHint_viewer: ['查看大屏、工单与证据', 'sees screens, tickets and evidence'], roleHint_reporter: ['仅代为上报', 'only files reports'], roleHint_resident: ['仅上报', 'only reports'], roleHint_worker: ['本人工单', 'their own tickets'], roleHint_utility: ['本单位工单', 'its own tickets'], roleHint_operator: ['处置工单', 'acts on tickets'], roleHint_head: ['处置、督办与考核', 'acts, supervises, rates'], roleHint_admin: ['另可管理账号、设备与设置', 'also accounts, devices, settings'],
  act_login: ['登录', 'signed in'], act_login_failed: ['登录失败', 'login failed'], act_logout: ['退出', 'signed out'], act_account_added: ['新建账号', 'account added'], act_account_changed: ['修改账号', 'account changed'], act_account_disabled: ['停用账号', 'account disabled'], act_account_enabled: ['恢复账号', 'account enabled'],
  act_password_changed: ['修改密码', 'password changed'], act_password_reset: ['重置密码', 'password reset'], act_sessions_ended: ['退出会话', 'sessions ended'], act_filed: ['处置操作', 'acted'],
});
