// @ts-check
import { addTexts } from '/static/common/i18n.js';

addTexts({
  'w.title': ['网格运行态势', 'Grid operations'], 'w.now': ['现在', 'Now'], 'w.ticker': ['最新动态', 'Latest'], 'w.map': ['地图', 'Map'],
  'w.gauges': ['24小时时限达标率', 'Kept in time, 24 h'], 'w.trend': ['近24小时', 'Last 24 hours'],
  'w.open': ['未结', 'Open'], 'w.overdue': ['超时', 'Overdue'], 'w.onway': ['赶往途中', 'On the way'], 'w.waiting': ['待接单', 'Not accepted'], 'w.closed': ['今日办结', 'Closed today'], 'w.rate': ['按期结案率', 'On time'],
  'w.accept': ['接单', 'Accept'], 'w.arrive': ['到场', 'Arrive'], 'w.dispose': ['处置', 'Dispose'], 'w.close': ['结案', 'Close'],
  'w.of': ['{k}／{n} 件', '{k} of {n}'], 'w.none': ['暂无', 'none yet'],
  'w.newOnes': ['新增', 'Opened'], 'w.doneOnes': ['办结', 'Closed'], 'w.chart': ['近24小时每小时新增与办结：共新增 {o}，办结 {c}', 'Opened and closed by the hour over 24 hours: {o} opened, {c} closed'],
  'w.live': ['实时', 'Live'], 'w.connecting': ['正在连接…', 'Connecting…'],
  'w.lost': ['与中心的连接中断', 'No connection to the center'], 'w.since': ['画面停留在 {t}（{d}前）', 'This is as of {t}, {d} ago'], 'w.never': ['正在自动重连', 'Reconnecting'],
  'w.desk': ['数据暂时无法更新', 'The data cannot be renewed'], 'w.denied': ['此屏幕无权查看', 'This screen may not look'], 'w.deniedText': ['请以查看者身份登录，或打开 /wall#token=…', 'Sign in as a viewer, or open /wall#token=…'],
  'w.quiet': ['暂无动态，一切平安', 'All is quiet'], 'w.s': ['{n}秒', '{n} s'], 'w.min': ['{n}分钟', '{n} min'], 'w.h': ['{n}小时', '{n} h'],
});
