// Command: the wall. Map in the middle, vital figures left, what is wrong now right, a slider into
// the past 24 hours below. Quiet: grey is normal, colour is deviation. Looking at the past stops
// the live feed and the shell's banner says so.
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { useApi } from '../../api/hooks';
import { useLive } from '../../api/live';
import type { MapStation, StationMap, StationState, Vitals as VitalsAnswer } from '../../api/environment';
import type { MapMark } from '../../components/CityMap';
import { Mark } from '../../components/Marks';
import { Skeleton } from '../../components/Skeleton';
import { useLiveLine } from '../../components/LiveLine';
import { useTitle } from '../../components/PageHead';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { useAt } from '../../lib/at';
import { number } from '../../lib/format';
import { say } from '../../lib/text';
import { useNow } from '../../lib/now';
import { dateTimeSeconds, weekday } from '../../lib/time';
import { aqiClass, aqiClasses, STATES, stationStates, type Mode } from '../../theme/palette';
import { useTheme } from '../../theme/theme';
import { LiveAlerts } from './LiveAlerts';
import { StationDrawer } from './StationDrawer';
import { TimeSlider } from './TimeSlider';
import { Vitals } from './Vitals';
import './command.css';

const CityMap = lazy(() => import('../../components/CityMap'));
const REFRESH_MS = 15_000;
/** A live event asks for fresh figures at most this often. */
const LIVE_PAUSE_MS = 3_000;

function marksOf(items: MapStation[], shown: Set<StationState>, mode: Mode, say1: (s: MapStation) => string): MapMark[] {
  return items.flatMap((s) => {
    if (!s.place || !shown.has(s.state)) return [];
    const look = stationStates[s.state] ?? stationStates.offline;
    const classLook = aqiClasses[aqiClass(s.aqi) - 1];
    return [{
      key: s.station, name: say1(s), place: s.place, shape: look.shape, fill: look[mode], rank: STATES.length - STATES.indexOf(s.state),
      aqi: classLook && s.aqi !== null ? { text: number(s.aqi, 0), fill: classLook.fill, ink: classLook.ink } : undefined,
    }];
  });
}

function Clock() {
  const { lang } = useI18n();
  const now = useNow(1000);
  return <time className="wall-clock">{dateTimeSeconds(now)} {weekday(now, lang)}</time>;
}

/** The keyboard's way to a station on the map. */
function FindStation({ items, onPick }: { items: MapStation[]; onPick: (key: string) => void }) {
  const { t, lang } = useI18n();
  const [text, setText] = useState('');
  const change = (value: string) => {
    setText(value);
    const found = items.find((s) => s.station === value || say(s.name, lang) === value);
    if (found) onPick(found.station);
  };
  return (
    <label className="find" data-search>
      {t('command.find')}
      <input list="stations-of-map" value={text} onChange={(e) => change(e.target.value)} />
      <datalist id="stations-of-map">{items.map((s) => <option key={s.station} value={say(s.name, lang)}>{s.station}</option>)}</datalist>
    </label>
  );
}

function Legend({ items, shown, toggle }: { items: MapStation[]; shown: Set<StationState>; toggle: (s: StationState) => void }) {
  const { t } = useI18n();
  const { mode } = useTheme();
  return (
    <fieldset className="legend">
      <legend>{t('command.legend')}</legend>
      {STATES.map((state) => (
        <label key={state}>
          <input type="checkbox" checked={shown.has(state)} onChange={() => toggle(state)} />
          <Mark shape={stationStates[state].shape} fill={stationStates[state][mode]} />
          {t(`station.${state}`)} <span className="num">{number(items.filter((i) => i.state === state).length, 0)}</span>
        </label>
      ))}
    </fieldset>
  );
}

export default function Command() {
  const { t, lang } = useI18n();
  const { mode } = useTheme();
  const { at } = useAt();
  const client = useQueryClient();
  useTitle(t('command.title'));
  const stations = useApi<StationMap>('/environment/map', { at }, { every: at ? 0 : REFRESH_MS, keep: true });
  const vitals = useApi<VitalsAnswer>('/environment/vitals', { at }, { every: at ? 0 : REFRESH_MS, keep: true });
  const [shown, setShown] = useState<Set<StationState>>(() => new Set(STATES));
  const [chosen, setChosen] = useState<string | null>(null);
  const due = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => () => { if (due.current) clearTimeout(due.current); }, []);
  const refresh = (paths: string[]) => {
    if (due.current) return;
    due.current = setTimeout(() => {
      due.current = null;
      void client.invalidateQueries({ predicate: (q) => paths.includes(String(q.queryKey[0])) });
    }, LIVE_PAUSE_MS);
  };
  const [heard, hear] = useLiveLine();
  const live = useLive(at === null, null, {
    alert: (alert) => { hear(alert); refresh(['/alerts', '/environment/map', '/environment/vitals']); },
    device: () => refresh(['/environment/map', '/environment/vitals']),
  });
  const items = stations.data?.items ?? [];
  const marks = useMemo(() => marksOf(items, shown, mode, (s) => say(s.name, lang)), [items, shown, mode, lang]);
  const unplaced = items.filter((i) => !i.place).length;
  const toggle = (state: StationState) => setShown((before) => {
    const after = new Set(before);
    if (!after.delete(state)) after.add(state);
    return after;
  });
  return (
    <div className="wall">
      <h1 className="hidden">{t('command.title')}</h1>
      <section className="wall-left" aria-label={t('command.vitals')}>
        <div className="wall-head"><h2>{t('command.vitals')}</h2></div>
        <View query={vitals}>{(v) => <Vitals vitals={v} />}</View>
      </section>
      <section className="wall-map" aria-label={t('command.map')}>
        <div className="wall-head">
          <Clock />
          <FindStation items={items} onPick={setChosen} />
          <span role="status" className={live ? 'live on' : 'live'}>{at ? '' : t(live ? 'live.on' : 'live.off')}</span>
        </div>
        <View query={stations}>
          {(found) => (
            <div className="map-frame">
              <Suspense fallback={<Skeleton lines={8} />}>
                <CityMap marks={marks} title={t('command.map')} chosen={chosen} onPick={setChosen} />
              </Suspense>
              <Legend items={found.items} shown={shown} toggle={toggle} />
            </div>
          )}
        </View>
        {unplaced ? <p className="muted small">{t('command.unplaced', { n: unplaced })}</p> : null}
        <TimeSlider />
      </section>
      <section className="wall-right" aria-label={t('command.alerts')}>
        <LiveAlerts at={at} heard={heard} />
      </section>
      <StationDrawer station={items.find((i) => i.station === chosen) ?? null} onClose={() => setChosen(null)} />
    </div>
  );
}
