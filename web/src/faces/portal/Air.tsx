// Portal: the air in full: stations on a list and a small map, concentrations, two days back.
import { useState } from 'react';
import { Link } from 'react-router';
import { useApi } from '../../api/hooks';
import type { Air, AirStation } from '../../api/environment';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { View } from '../../components/View';
import { AqiTag, aqiKey } from '../../components/Marks';
import { SmallMap } from '../../components/SmallMap';
import { useI18n } from '../../i18n';
import { useAt } from '../../lib/at';
import { number } from '../../lib/format';
import { pollutant } from '../../lib/pollutants';
import { say } from '../../lib/text';
import { dateTime } from '../../lib/time';
import { useSession } from '../../shell/session';
import { aqiClass, aqiClasses } from '../../theme/palette';
import { Hero } from './Hero';
import { History } from './History';

const REFRESH_MS = 60_000;

function StationTable({ items, chosen, onPick }: { items: AirStation[]; chosen: string | null; onPick: (key: string) => void }) {
  const { t, lang } = useI18n();
  const { city } = useSession();
  const district = (code: string | null) => city?.districts.find((d) => d.code === code)?.title[lang] ?? code ?? '';
  const sorted = [...items].sort((a, b) => (b.aqi ?? -1) - (a.aqi ?? -1));
  return (
    <div className="scroll">
      <table className="plain-table">
        <caption>{t('portal.stations_caption')}</caption>
        <thead><tr><th scope="col">{t('word.station')}</th><th scope="col">AQI</th><th scope="col" className="extra">{t('word.property')}</th></tr></thead>
        <tbody>
          {sorted.map((s) => (
            <tr key={s.station} aria-selected={s.station === chosen}>
              <th scope="row">
                <button type="button" className="station-pick" aria-pressed={s.station === chosen} onClick={() => onPick(s.station)}>{say(s.name, lang)}</button>
                <div className="muted small">{district(s.district)}</div>
              </th>
              <td><AqiTag aqi={s.aqi} />{s.aqi === null && s.reason ? <div className="muted small">{say(s.reason, lang)}</div> : null}</td>
              <td className="extra">{s.primary.map((p) => pollutant(p, lang)).join('、') || '—'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Concentrations({ station }: { station: AirStation }) {
  const { t, lang } = useI18n();
  const rows = Object.entries(station.concentrations);
  if (rows.length === 0) return null;
  return (
    <div className="scroll">
      <table className="plain-table">
        <caption>{t('portal.concentrations')}{station.period_start ? ` · ${t('portal.period', { time: dateTime(station.period_start) })}` : ''}</caption>
        <thead><tr><th scope="col">{t('word.property')}</th><th scope="col" className="num">{t('word.value')}</th><th scope="col">{t('word.unit')}</th><th scope="col" className="num">IAQI</th></tr></thead>
        <tbody>
          {rows.map(([code, c]) => (
            <tr key={code}>
              <th scope="row">{say(c.title, lang) || pollutant(code, lang)}</th>
              <td className="num">{number(c.value)}</td><td>{c.unit}</td><td className="num">{number(c.iaqi, 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export default function AirPage() {
  const { t, w, lang } = useI18n();
  const { city } = useSession();
  const { at } = useAt();
  const air = useApi<Air>('/environment/air', { at }, { every: at ? 0 : REFRESH_MS, keep: true });
  const [picked, setPicked] = useState<string | null>(null);
  return (
    <>
      <PageHead title={t('portal.title', { city: city ? w(city.title) : '' })} back={{ to: '/portal', text: t('portal.home') }} />
      <View query={air} empty={(a) => a.items.length === 0} emptyText={t('portal.empty')} lines={8}>
        {(a) => {
          const chosen = picked ?? a.items.find((s) => s.aqi !== null)?.station ?? a.items[0]?.station ?? null;
          const station = a.items.find((s) => s.station === chosen);
          const points = a.items.flatMap((s) => {
            const look = aqiClasses[aqiClass(s.aqi) - 1];
            const label = s.aqi === null ? t('aqi.none') : `AQI ${s.aqi} ${t(aqiKey(s.aqi))}`;
            return s.place
              ? [{ key: s.station, name: say(s.name, lang), place: s.place, shape: look?.shape ?? ('cross' as const), fill: look?.fill ?? 'var(--muted)', label, now: s.station === chosen }]
              : [];
          });
          return (
            <>
              <Hero air={a} />
              <div className="grid two">
                <section className="card">
                  <h2>{t('portal.stations')}</h2>
                  <StationTable items={a.items} chosen={chosen} onPick={setPicked} />
                </section>
                <section className="card">
                  <h2>{t('portal.map')}</h2>
                  <SmallMap title={t('portal.map')} points={points} onPick={setPicked} />
                </section>
              </div>
              {station ? (
                <section className="card" aria-live="polite">
                  <h2>{t('portal.history', { station: say(station.name, lang) })}</h2>
                  <History station={station.station} name={say(station.name, lang)} />
                  <Concentrations station={station} />
                </section>
              ) : <p>{t('portal.choose')}</p>}
              <Provenance asOf={a.at} source={`HJ 212 · ${a.edition}`} path="/environment/air" params={{ at }} />
            </>
          );
        }}
      </View>
      <p><Link to="/about">{t('portal.about')}</Link></p>
    </>
  );
}
