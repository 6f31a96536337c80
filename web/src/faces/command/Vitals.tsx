// Command: the vital figures. Each opens the page it comes from, with its small trend and target.
import { Link } from 'react-router';
import type { LevelCounts } from '../../api/types';
import type { Vital, VitalFigure, Vitals as Answer } from '../../api/environment';
import { aqiKey, LevelTag } from '../../components/Marks';
import { Spark } from '../../components/Spark';
import { useI18n, type Key } from '../../i18n';
import { number } from '../../lib/format';
import { LEVELS } from '../../theme/palette';

type Name = Exclude<keyof Answer, 'trend' | 'at' | 'open_alerts'>;
const FIGURES: readonly { name: Name; instead?: Name; to: string; share?: boolean; bad?: (v: number) => boolean }[] = [
  { name: 'aqi_city', to: '/portal/air', bad: (v) => v > 100 },
  { name: 'stations', to: '/desk/stations' },
  { name: 'online', to: '/desk/stations?state=online' },
  { name: 'offline', to: '/desk/stations?state=offline' },
  { name: 'exceeding', to: '/desk/analysis/exceedances', bad: (v) => v > 0 },
  { name: 'transmission_rate', to: '/desk/analysis/rates', share: true },
  { name: 'validity_rate', to: '/desk/analysis/rates', share: true },
  { name: 'values_today', instead: 'values_total', to: '/data/series' },
  { name: 'frames_today', instead: 'frames_total', to: '/desk/devices' },
];

/** Figures come bare or with trend and target. */
function unpack(figure: VitalFigure | undefined): Vital {
  return figure !== null && typeof figure === 'object' ? figure : { value: figure ?? null };
}

function isCounts(figure: Answer['open_alerts']): figure is LevelCounts {
  return figure !== null && typeof figure === 'object' && 'red' in figure;
}

function counts(figure: Answer['open_alerts']): LevelCounts | null {
  if (isCounts(figure)) return figure;
  const inner: unknown = unpack(figure).value;
  return inner !== null && typeof inner === 'object' && 'red' in inner ? (inner as LevelCounts) : null;
}

export function Vitals({ vitals }: { vitals: Answer }) {
  const { t } = useI18n();
  const byLevel = counts(vitals.open_alerts);
  return (
    <>
      <ul className="vitals">
        <li>
          <Link to="/desk/alerts">
            <span className="vital-name">{t('vital.open_alerts')}</span>
            <strong className="vital-value">{number(byLevel ? LEVELS.reduce((n, l) => n + byLevel[l], 0) : unpack(vitals.open_alerts as VitalFigure).value, 0)}</strong>
          </Link>
          {byLevel ? <span className="vital-levels">{LEVELS.map((l) => <Link key={l} to={`/desk/alerts?level=${l}`}><LevelTag level={l} short /> {number(byLevel[l], 0)}</Link>)}</span> : null}
        </li>
        {FIGURES.map(({ name: wanted, instead, to, share, bad }) => {
          const name = instead && unpack(vitals[wanted]).value === null && vitals[instead] ? instead : wanted;
          const vital = unpack(vitals[name]);
          const trend = vital.trend ?? vitals.trend?.[name] ?? [];
          const { value: shown, target } = vital;
          const missed = share && shown !== null && target !== null && target !== undefined && shown < target;
          return (
            <li key={name}>
              <Link to={to}>
                <span className="vital-name">{t(`vital.${name}` as Key)}</span>
                <strong className={(vital.value !== null && bad?.(vital.value)) || missed ? 'vital-value deviates' : 'vital-value'}>
                  {number(shown, share ? 1 : 0)}{share && shown !== null ? ' %' : ''}
                </strong>
                {trend.length ? <Spark points={trend} target={vital.target} width={92} /> : null}
                {name === 'aqi_city' ? <span className="vital-sub">{t(aqiKey(vital.value))}</span> : null}
                {target !== null && target !== undefined ? <span className="vital-sub">{t('command.target', { value: `${number(target, 1)}${share ? ' %' : ''}` })}</span> : null}
              </Link>
            </li>
          );
        })}
      </ul>
      <p className="muted small">{t('vital.note')}</p>
    </>
  );
}
