// Portal: two days of a station as bars, each with the colour of its class; drawn as SVG so that a
// phone loads nothing more. The same figures follow as a table on request.
import { useState } from 'react';
import { useApi } from '../../api/hooks';
import type { AirHistory } from '../../api/environment';
import { aqiKey } from '../../components/Marks';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { number } from '../../lib/format';
import { clock, dateTime, ms } from '../../lib/time';
import { aqiClass, aqiClasses } from '../../theme/palette';

const WIDE = 720;
const NARROW = 380;
const HEIGHT = 170;
const FOOT = 22;
const LEFT = 34;

function Bars({ items, label }: { items: AirHistory['items']; label: string }) {
  // Drawn for the screen it is on, so that its figures keep their size on a phone.
  const narrow = matchMedia('(max-width: 600px)').matches;
  const WIDTH = narrow ? NARROW : WIDE;
  const every = narrow ? 12 : 6;
  const top = Math.max(100, ...items.map((i) => i.aqi ?? 0)) * 1.1;
  const step = (WIDTH - LEFT) / Math.max(1, items.length);
  const y = (v: number) => (HEIGHT - FOOT) * (1 - v / top);
  const marks = [50, 100, 150, 200, 300].filter((m) => m < top);
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label} width="100%" className="history">
      {marks.map((m) => (
        <g key={m}>
          <line x1={LEFT} x2={WIDTH} y1={y(m)} y2={y(m)} stroke="var(--line)" />
          <text x={LEFT - 5} y={y(m) + 4} textAnchor="end" fontSize="12" fill="var(--muted)">{m}</text>
        </g>
      ))}
      {items.map((item, i) => {
        const look = aqiClasses[aqiClass(item.aqi) - 1];
        const hour = clock(item.time);
        return (
          <g key={item.time}>
            {look && item.aqi !== null
              ? <rect x={LEFT + i * step + 0.5} width={Math.max(1, step - 1.5)} y={y(item.aqi)} height={HEIGHT - FOOT - y(item.aqi)} fill={look.fill} stroke="var(--mark-line)" strokeWidth="0.6"><title>{`${dateTime(item.time)} AQI ${item.aqi}`}</title></rect>
              : null}
            {new Date(ms(item.time)).getUTCHours() % every === 4
              ? <text x={LEFT + i * step} y={HEIGHT - 5} fontSize="12" fill="var(--muted)">{hour}</text>
              : null}
          </g>
        );
      })}
    </svg>
  );
}

export function History({ station, name }: { station: string | null; name: string }) {
  const { t } = useI18n();
  const [table, setTable] = useState(false);
  const history = useApi<AirHistory>('/environment/air_history', { station, hours: 48 }, { keep: true });
  return (
    <View query={history} empty={(h) => h.items.every((i) => i.aqi === null)} emptyText={t('chart.empty')}>
      {(h) => {
        const known = h.items.flatMap((i) => (i.aqi === null ? [] : [i.aqi]));
        const label = t('chart.label', { title: name, n: known.length, min: number(Math.min(...known), 0), max: number(Math.max(...known), 0) });
        return (
          <>
            {table ? (
              <div className="scroll">
                <table className="plain-table">
                  <caption>{t('portal.history_caption', { station: name })}</caption>
                  <thead><tr><th scope="col">{t('word.time')}</th><th scope="col" className="num">AQI</th><th scope="col">{t('portal.levels')}</th></tr></thead>
                  <tbody>{[...h.items].reverse().map((i) => <tr key={i.time}><th scope="row">{dateTime(i.time)}</th><td className="num">{number(i.aqi, 0)}</td><td>{t(aqiKey(i.aqi))}</td></tr>)}</tbody>
                </table>
              </div>
            ) : <Bars items={h.items} label={label} />}
            <p><button type="button" className="link" onClick={() => setTable(!table)}>{t(table ? 'verb.as_chart' : 'verb.as_table')}</button></p>
          </>
        );
      }}
    </View>
  );
}
