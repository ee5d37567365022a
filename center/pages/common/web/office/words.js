// @ts-check
// Words that all office pages share.

import { addTexts } from '../i18n.js';

addTexts({
  officeMenu: ['页面', 'Pages'], officeSkip: ['跳到内容', 'Skip to content'], officeLoading: ['正在读取…', 'Loading…'],
  officeRetry: ['重试', 'Try again'], officeNone: ['没有数据', 'Nothing here'], officeCsv: ['导出 CSV', 'Export CSV'], officePrint: ['打印', 'Print'],
  officeMore: ['更多', 'More'], officeAll: ['全部', 'All'], officeSearch: ['搜索', 'Search'], officeTheme: ['深色／浅色', 'Dark / light'],
  officeToken: ['本页需要访问令牌或登录。', 'This page needs an access token or a login.'], officeTokenSet: ['使用令牌', 'Use this token'], officeTokenName: ['访问令牌', 'Access token'],
  officeSorted: ['点击按此列排序', 'Sort by this column'], officeCancel: ['取消', 'Cancel'], officeClose: ['关闭', 'Close'], officeBy: ['您的姓名', 'Your name'], officeReason: ['原因', 'Reason'],
  officeRefused: ['未受理', 'Refused'], officeDone: ['已完成', 'Done'], officeWaiting: ['已提交，等待受理', 'Filed, waiting for the answer'], officeOpen: ['打开', 'Open'],
  officeKind: ['类别', 'Kind'], officeGrid: ['网格', 'Grid'], officeDevice: ['设备', 'Device'], officeWhen: ['时间', 'When'], officeNote: ['说明', 'Note'],
});
