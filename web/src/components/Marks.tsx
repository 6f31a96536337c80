// Component: marks that carry meaning by shape, colour and word together: warning levels, AQI
// classes, station states, quality flags.
import type { AlertState, Level } from '../api/types';
import type { StationState } from '../api/environment';
import { useI18n, type Key } from '../i18n';
import { aqiClass, aqiClasses, levels, stationStates, type Shape } from '../theme/palette';
import { shapePaths } from '../theme/shapes';
import { useTheme } from '../theme/theme';
import { number } from '../lib/format';

export function Mark({ shape, fill, size = 14 }: { shape: Shape; fill: string; size?: number }) {
  return (
    <svg className="mark" viewBox="0 0 20 20" width={size} height={size} aria-hidden="true">
      <path d={shapePaths[shape]} fill={fill} fillRule="evenodd" stroke="var(--mark-line)" strokeWidth="1" />
    </svg>
  );
}

export function LevelTag({ level, short }: { level: Level; short?: boolean }) {
  const { t } = useI18n();
  const look = levels[level];
  const word = t(`level.${level}`);
  return (
    <span className="tag">
      <Mark shape={look.shape} fill={look.fill} />
      {short ? word.replace(/[（(].*$/, '').trim() : word}
    </span>
  );
}

export function StateTag({ state }: { state: AlertState }) {
  const { t } = useI18n();
  return <span className={`tag plain state-${state}`}>{t(`alert_state.${state}`)}</span>;
}

export function StationTag({ state }: { state: StationState }) {
  const { t } = useI18n();
  const { mode } = useTheme();
  const look = stationStates[state] ?? stationStates.offline;
  return <span className="tag"><Mark shape={look.shape} fill={look[mode]} />{t(`station.${state}`)}</span>;
}

/** Title of an AQI's class. */
export function aqiKey(aqi: number | null | undefined): Key {
  const n = aqiClass(aqi);
  return n === 0 ? 'aqi.none' : (`aqi.${n}` as Key);
}

export function AqiTag({ aqi }: { aqi: number | null | undefined }) {
  const { t } = useI18n();
  const look = aqiClasses[aqiClass(aqi) - 1];
  if (!look) return <span className="tag plain">{t('aqi.none')}</span>;
  return (
    <span className="tag">
      <Mark shape={look.shape} fill={look.fill} />
      <strong>{number(aqi, 0)}</strong> {t(aqiKey(aqi))}
    </span>
  );
}

export function FlagTag({ flag }: { flag: string | null | undefined }) {
  const { t } = useI18n();
  const letter = flag ?? '';
  const known = ['', 'N', 'F', 'M', 'S', 'D', 'C', 'T', 'B'].includes(letter);
  const word = known ? t(`flag.${letter}` as Key) : letter;
  const fine = letter === '' || letter === 'N';
  return <span className={fine ? 'flag' : 'flag odd'}>{letter ? `${letter} ` : ''}{word}</span>;
}
