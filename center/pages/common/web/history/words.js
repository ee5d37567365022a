// @ts-check
// The words of a device's history.

import { addTexts } from '../i18n.js';

addTexts({
  hisTitle: ['历史读数', 'History'], hisOpen: ['查看历史读数', 'Show its history'], hisPeriod: ['时段', 'Period'],
  his_1h: ['1 小时', '1 h'], his_6h: ['6 小时', '6 h'], his_1d: ['1 天', '1 day'], his_7d: ['7 天', '7 days'], his_30d: ['30 天', '30 days'], his_365d: ['1 年', '1 year'],
  hisEarlier: ['更早', 'Earlier'], hisLater: ['更晚', 'Later'], hisIn: ['放大', 'Closer'], hisOut: ['缩小', 'Wider'],
  hisHint: ['在图上横向拖动可放大，双击缩小。', 'Drag across a chart to look closer, double-click to look wider.'],
  hisNone: ['此时段没有读数。', 'No readings in this period.'], hisLoading: ['正在读取…', 'Reading …'], hisMore: ['另有 {n} 项指标见 CSV', '{n} more metrics are in the CSV'],
  hisGrain_raw: ['逐条读数', 'single readings'], hisGrain_1m: ['每分钟', 'by the minute'], hisGrain_15m: ['每 15 分钟', 'by 15 minutes'], hisGrain_1h: ['每小时', 'by the hour'], hisGrain_1d: ['每天', 'by the day'],
  hisRange: ['{low} 至 {high}，最近 {last}', '{low} to {high}, last {last}'],
  m_depth: ['积水深度', 'Depth'], m_level: ['水位', 'Level'], m_flow: ['流量', 'Flow'], m_velocity: ['流速', 'Velocity'], m_rain_rate: ['雨强', 'Rain'], m_pressure: ['压力', 'Pressure'], m_tilt: ['倾角', 'Tilt'], m_vibration: ['振动', 'Vibration'], m_voltage: ['电压', 'Voltage'], m_voltage_a: ['A 相电压', 'Voltage A'], m_voltage_b: ['B 相电压', 'Voltage B'], m_voltage_c: ['C 相电压', 'Voltage C'], m_current: ['电流', 'Current'], m_battery: ['电池', 'Battery'], m_lamp_current: ['灯电流', 'Lamp current'], m_lux: ['照度', 'Illuminance'], m_sound_level: ['声级', 'Sound level'], m_temperature: ['温度', 'Temperature'], m_humidity: ['湿度', 'Humidity'], m_rssi: ['信号', 'Signal'],
});
