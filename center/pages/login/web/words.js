// @ts-check
// Words of the login page and of one's own account.

import { addTexts } from '/static/common/i18n.js';

addTexts({
  loginTitle: ['登录', 'Sign in'], loginBrand: ['网格哨兵 · 指挥中心', 'Grid command center'], loginName: ['账号', 'Name'], loginPassword: ['密码', 'Password'], loginGo: ['登录', 'Sign in'],
  loginBusy: ['正在登录…', 'Signing in…'], loginOr: ['或', 'or'], loginShow: ['显示', 'Show'], loginHide: ['隐藏', 'Hide'], loginShowLong: ['显示密码', 'Show the password'],
  loginTheme: ['深色／浅色', 'Dark / light'], loginWait: ['请在 {n} 秒后重试', 'Try again in {n} s'],
  loginNone: ['本中心尚未启用账号。请在服务器上运行：gridsentry accounts add NAME --role admin', 'There are no accounts yet. Run on the server: gridsentry accounts add NAME --role admin'],
  loginFirst: ['请设置新密码', 'Choose your own password'], loginFirstText: ['当前密码由管理员设置，仅供首次登录使用。', 'The present one was set by somebody else, for the first time only.'],
  loginFresh: ['新密码', 'New password'], loginAgain: ['再次输入新密码', 'Once more'], loginSet: ['保存并进入', 'Save and go on'], loginRule: ['至少 {n} 个字符，不要使用常见密码或账号名。', 'At least {n} characters; no common one, and not your name.'],
  loginDiffer: ['两次输入不一致', 'The two are not the same'], loginEnded: ['会话已结束，请重新登录。', 'Your session has ended. Sign in again.'], loginOffline: ['无法连接中心，请检查网络后重试。', 'The center cannot be reached. Check the network and try again.'],
  failed_oidc_state: ['登录已过期或不是从本浏览器开始的，请重新登录。', 'This login was too old or began in another browser. Try again.'],
  failed_oidc_refused: ['认证平台未批准此次登录。', 'The provider did not approve the login.'], failed_oidc_token: ['认证平台的应答无法验证，请联系管理员。', 'The provider\'s answer could not be believed. Tell your administrator.'],
  failed_oidc_role: ['您的身份在本系统中没有角色，请联系管理员。', 'You have no role here. Ask your administrator.'], failed_oidc_scope: ['您的身份没有对应的辖区、网格员或单位，请联系管理员。', 'No part of the city, worker or utility is assigned to you. Ask your administrator.'],
  failed_oidc_disabled: ['该账号已停用。', 'This account is disabled.'], failed_oidc_away: ['认证平台暂时无法连接，请稍后再试。', 'The provider cannot be reached. Try again later.'], failed_oidc_provider: ['认证平台配置有误，请联系管理员。', 'The provider is set up wrongly. Tell your administrator.'],
  role_viewer: ['查看员', 'Viewer'], role_reporter: ['上报应用', 'Reporter'], role_resident: ['居民', 'Resident'], role_worker: ['网格员', 'Grid worker'], role_utility: ['责任单位', 'Utility'], role_operator: ['坐席', 'Operator'], role_head: ['值班长', 'Head'], role_admin: ['管理员', 'Administrator'],
  accTitle: ['我的账号', 'My account'], accRole: ['角色', 'Role'], accArea: ['辖区', 'Part of the city'], accEverywhere: ['全市', 'Everywhere'], accName: ['账号', 'Name'], accShown: ['姓名', 'Called'], accOf: ['对应', 'Of'], accHow: ['登录方式', 'Signs in by'],
  accPassword: ['修改密码', 'Change the password'], accBefore: ['当前密码', 'Present password'], accSave: ['修改密码', 'Change it'], accChanged: ['密码已修改，其他设备已退出登录', 'Changed; you are signed out everywhere else'],
  accSessions: ['登录的设备', 'Where you are signed in'], accHere: ['本设备', 'this one'], accEnd: ['退出', 'Sign out'], accOthers: ['退出其他全部设备', 'Sign out everywhere else'], accLogout: ['退出登录', 'Sign out'], accEnded: ['已退出', 'Signed out'],
  accDevice: ['设备', 'Browser'], accAddress: ['地址', 'Address'], accSince: ['登录时间', 'Since'], accSeen: ['最近使用', 'Last used'], accUntil: ['最迟失效', 'Ends at the latest'],
  accByProvider: ['密码由统一身份认证平台管理。', 'Your password is kept by the provider.'], accNobody: ['当前未使用账号登录。', 'You are not signed in with an account.'], how_password: ['密码', 'password'], how_oidc: ['统一身份认证', 'the organisation'],
});
