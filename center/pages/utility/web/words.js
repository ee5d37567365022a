// @ts-check
// The words of a utility's page: short, for somebody who opens it once, in a car.

import { addTexts } from '/static/common/i18n.js';

addTexts({
  'u.brand': ['权属单位工单', 'Utility ticket'], 'u.loading': ['正在打开…', 'Opening…'],
  'u.accept': ['接单', 'Accept'], 'u.arrive': ['已到场', 'We are there'], 'u.dispose': ['已恢复', 'Restored'], 'u.return': ['不归我们，回退', 'Not ours: give it back'], 'u.note': ['留言', 'Leave a note'],
  'u.s.dispatched': ['待接单', 'Waiting to be accepted'], 'u.s.accepted': ['已接单', 'Accepted'], 'u.s.arrived': ['处置中', 'On site'], 'u.s.disposed': ['已恢复，待核实', 'Restored, being verified'], 'u.s.verified': ['已核实', 'Verified'], 'u.s.reworked': ['返工', 'To be done again'], 'u.s.returned': ['已回退', 'Given back'], 'u.s.void': ['已作废', 'Void'],
  'u.due.accept': ['请于 {t} 前接单', 'Please accept by {t}'], 'u.due.arrive': ['请于 {t} 前到场', 'Please arrive by {t}'], 'u.due.dispose': ['请于 {t} 前恢复', 'Please restore by {t}'], 'u.late': ['已超时', 'overdue'],
  'u.by': ['您的姓名或工号', 'Your name or number'], 'u.say': ['说明', 'Note'], 'u.photo': ['照片', 'Photograph'], 'u.shows': ['照片内容', 'It shows'], 'u.whyFirst': ['请先填写说明', 'Please say why first'], 'u.photoBad': ['这张照片无法读取，请换一张。', 'This photograph cannot be read; please try another.'],
  'u.where': ['地点', 'Where'], 'u.contact': ['现场联系人：{n}', 'Contact on site: {n}'], 'u.chart': ['监测图', 'Chart'], 'u.chartAlt': ['监测曲线或线路图', 'The readings, or the line on a map'], 'u.soFar': ['经过', 'So far'],
  'u.amap': ['高德导航', 'Amap'], 'u.geo': ['手机地图', 'Map on this phone'],
  'u.offline': ['没有网络，显示的是 {t} 的情况；恢复后自动更新。', 'No network: this is as of {t}, and follows by itself when it is back.'], 'u.notSent': ['没有网络，未能提交，请稍后再按一次。', 'No network: it was not sent. Please press again later.'],
});
