// Desk: one station. The tabs are addresses, so that a colleague can be sent to the right one.
import { lazy, Suspense } from 'react';
import { Link, useLocation, useParams } from 'react-router';
import { useApi } from '../../api/hooks';
import type { Station as StationAnswer } from '../../api/environment';
import { StationTag } from '../../components/Marks';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { Skeleton } from '../../components/Skeleton';
import { TabNav } from '../../components/TabNav';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { quantity } from '../../lib/format';
import { useDistrictName } from '../../lib/places';
import { Values } from './station/Values';

const Charts = lazy(() => import('./station/Charts'));
const Frames = lazy(() => import('./station/Frames'));
const Commands = lazy(() => import('./station/Commands'));
const Conditions = lazy(() => import('./station/Conditions'));
const StationAlerts = lazy(() => import('./station/StationAlerts'));
const RecordHistory = lazy(() => import('../../components/RecordHistory'));
const REFRESH_MS = 15_000;
const TABS = ['values', 'charts', 'alerts', 'conditions', 'frames', 'commands', 'history'] as const;

/** The device of a station: the report names it; else the register's field for it; else the key. */
export function thingOf(answer: StationAnswer): string {
  const named = answer.device?.thing ?? answer.record.fields['thing'] ?? answer.record.fields['device'] ?? answer.record.fields['mn'];
  return typeof named === 'string' && named ? named : answer.record.key;
}

export default function Station() {
  const { station = '', tab = 'values' } = useParams();
  const { t } = useI18n();
  const districtName = useDistrictName();
  const { search } = useLocation();
  const query = useApi<StationAnswer>('/environment/station', { station }, { every: REFRESH_MS, keep: true });
  return (
    <View query={query} lines={12}>
      {(s) => {
        const thing = thingOf(s);
        const fields = s.record.fields;
        const district = districtName(fields['district']);
        const name = String(fields['name'] ?? s.record.key);
        const rates = t('station.rates', { transmission: quantity(s.rates.transmission, '%', 1), validity: quantity(s.rates.validity, '%', 1), online: quantity(s.rates.online, '%', 1) });
        return (
          <>
            <PageHead title={name} back={{ to: '/desk/stations', text: t('desk.stations') }}
              sub={<>{s.state ? <><StationTag state={s.state} /> · </> : null}<code>{s.record.key}</code>{district ? ` · ${district}` : ''}{s.enterprise ? <> · <Link to={`/data/registers/${s.enterprise.register}/${encodeURIComponent(s.enterprise.key)}`}>{String(s.enterprise.fields['name'] ?? s.enterprise.key)}</Link></> : null} · {rates}</>} />
            <TabNav label={name} now={tab} items={TABS.map((key) => ({ key, title: t(`station.tab_${key}`), to: `/desk/stations/${encodeURIComponent(station)}/${key}${search}` }))} />
            <Suspense fallback={<Skeleton />}>
              {tab === 'values' ? <Values answer={s} thing={thing} /> : null}
              {tab === 'charts' ? <Charts answer={s} thing={thing} /> : null}
              {tab === 'alerts' ? <StationAlerts thing={thing} /> : null}
              {tab === 'conditions' ? <Conditions station={station} /> : null}
              {tab === 'frames' ? <Frames thing={thing} /> : null}
              {tab === 'commands' ? <Commands thing={thing} device={s.device ?? null} /> : null}
              {tab === 'history' ? <RecordHistory register={s.record.register || 'station'} recordKey={s.record.key} /> : null}
            </Suspense>
            <Provenance asOf={query.dataUpdatedAt} source={`environment/station · ${s.device?.gateway ?? 'hj212'}`} path="/environment/station" params={{ station }} />
          </>
        );
      }}
    </View>
  );
}
