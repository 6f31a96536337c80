// Portal: the city's air in one look: number, word, colour, shape, what to do. When the report gives
// no index the reason is said and no number is made up.
import type { Air } from '../../api/environment';
import { aqiKey, Mark } from '../../components/Marks';
import { useI18n, type Key } from '../../i18n';
import { number } from '../../lib/format';
import { pollutant } from '../../lib/pollutants';
import { say } from '../../lib/text';
import { dateTime } from '../../lib/time';
import { aqiClass, aqiClasses } from '../../theme/palette';

export function Hero({ air }: { air: Air }) {
  const { t, lang } = useI18n();
  const aqi = air.city?.aqi ?? null;
  const n = aqiClass(aqi);
  const look = aqiClasses[n - 1];
  const primary = air.city?.primary ?? [];
  const advice = say(air.city?.level?.advice, lang) || t(n === 0 ? 'portal.advice.none' : (`portal.advice.${n}` as Key));
  return (
    <section className="card aqi-hero" aria-label={t('portal.now')}>
      <div className={look ? 'aqi-disc' : 'aqi-disc aqi-none'} style={look ? { background: look.fill, color: look.ink } : undefined}>
        <span>AQI</span>
        <b>{number(aqi, 0)}</b>
        <span className="word">{look ? <Mark shape={look.shape} fill={look.ink} size={18} /> : null}{t(aqiKey(aqi))}</span>
      </div>
      <div>
        <h2>{t('portal.city_aqi')}</h2>
        {aqi === null
          ? <p>{say(air.city?.reason, lang)}</p>
          : <p>{primary.length ? t('portal.primary', { list: primary.map((p) => pollutant(p, lang)).join('、') }) : t('portal.no_primary')}</p>}
        <h3>{t('portal.advice')}</h3>
        <p>{advice}</p>
        <p className="muted small">{t('portal.updated', { time: dateTime(air.at) })}</p>
      </div>
    </section>
  );
}
