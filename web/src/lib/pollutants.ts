// Library: names residents know for the six pollutants of the index, by HJ 212-2017 factor code.
import type { Lang } from '../i18n/lang';

const names: Record<string, [string, string]> = {
  a34004: ['细颗粒物 PM2.5', 'PM2.5'], a34002: ['可吸入颗粒物 PM10', 'PM10'],
  a21026: ['二氧化硫 SO₂', 'SO₂'], a21004: ['二氧化氮 NO₂', 'NO₂'],
  a21005: ['一氧化碳 CO', 'CO'], a05024: ['臭氧 O₃', 'O₃'],
};

export function pollutant(code: string, lang: Lang): string {
  return names[code]?.[lang === 'zh' ? 0 : 1] ?? code;
}
