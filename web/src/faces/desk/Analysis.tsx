// Desk: analysis: exceedances, rates, suspects, working conditions, emissions, energy. One question
// to one report per tab, over a stretch of time kept in the address.
import { Select } from 'antd';
import { Link, useLocation, useParams } from 'react-router';
import { useApi } from '../../api/hooks';
import type { Emission, Energy, Exceedances, Rate, Suspect, WorkingCondition } from '../../api/environment';
import type { List } from '../../api/types';
import type { Params } from '../../api/client';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { saveRows, SimpleTable, type SimpleColumn } from '../../components/SimpleTable';
import { TabNav } from '../../components/TabNav';
import { TimeRange, useStretch, type Span } from '../../components/TimeRange';
import { View } from '../../components/View';
import { useI18n, type Key } from '../../i18n';
import { useFilters } from '../../lib/at';
import { number, percent, quantity } from '../../lib/format';
import { useNow } from '../../lib/now';
import { pollutant } from '../../lib/pollutants';
import { useRunning } from '../../lib/running';
import { say } from '../../lib/text';
import { dateTime } from '../../lib/time';
import { useSession } from '../../shell/session';

const TABS: readonly [string, Key][] = [
  ['exceedances', 'analysis.exceedances'], ['rates', 'analysis.rates'], ['suspects', 'analysis.suspects'],
  ['conditions', 'analysis.conditions'], ['emissions', 'analysis.emissions'], ['energy', 'analysis.energy'],
];
/** Reports that look at every reading cover fewer days. */
const SPANS: Record<string, Span[]> = { suspects: ['hour', '6h', 'day'], conditions: ['day', 'week'] };
const REPORTS: Record<string, string> = { conditions: 'working_conditions' };

/** Filters carried to another tab; a stretch longer than a tab may cover is not. */
function keep(search: string): string {
  const params = new URLSearchParams(search);
  for (const name of ['span', 'from', 'to']) params.delete(name);
  const text = params.toString();
  return text ? `?${text}` : '';
}

function StationLink({ station, name }: { station: string; name?: string }) {
  return <Link to={`/desk/stations/${encodeURIComponent(station)}`}>{name || station}</Link>;
}

/** The rows of a report: note, table, provenance with download. */
function Report<T, A extends List<T>>({ path, params, columns, caption, note, rowKey }: {
  path: string; params: Params; columns: SimpleColumn<T>[]; caption: string; note?: (answer: A) => string; rowKey: (row: T, i: number) => string;
}) {
  const { t } = useI18n();
  const query = useApi<A>(path, params, { keep: true });
  return (
    <>
      <View query={query} empty={(d) => d.items.length === 0} emptyText={t('analysis.empty')} lines={8}>
        {(d) => <>{note?.(d) ? <p className="muted">{note(d)}</p> : null}<p>{t('table.total', { n: number(d.items.length, 0) })}</p><SimpleTable caption={caption} columns={columns} rows={d.items} rowKey={rowKey} /></>}
      </View>
      <Provenance asOf={query.dataUpdatedAt} source={path.slice(1)} path={path} params={params} downloads={[{ text: 'CSV', save: () => saveRows(`${path.split('/').pop() ?? 'report'}.csv`, columns, query.data?.items ?? []) }]} />
    </>
  );
}

function useColumns() {
  const { t, lang } = useI18n();
  const running = useRunning();
  const exceedances: SimpleColumn<Exceedances['items'][number]>[] = [
    { title: t('word.station'), cell: (r) => <StationLink station={r.station} name={say(r.name, lang)} />, file: (r) => `${r.station} ${say(r.name, lang)}` },
    { title: t('word.property'), cell: (r) => say(r.title, lang) || pollutant(r.property, lang) },
    { title: t('word.period'), cell: (r) => dateTime(r.period_start) },
    { title: t('analysis.mean'), cell: (r) => quantity(r.mean, r.unit), file: (r) => r.mean, right: true },
    { title: t('word.limit'), cell: (r) => quantity(r.limit, r.unit), file: (r) => r.limit, right: true },
    { title: t('analysis.ratio'), cell: (r) => <span className="over">{number(r.ratio, 2)}</span>, file: (r) => r.ratio, right: true },
    { title: t('analysis.valid_share'), cell: (r) => percent(r.valid_share, 0), right: true },
    { title: t('analysis.source'), cell: (r) => say(r.source, lang) },
  ];
  const rates: SimpleColumn<Rate>[] = [
    { title: t('word.name'), cell: (r) => say(r.title, lang) || r.key },
    { title: t('word.code'), cell: (r) => r.key },
    { title: t('analysis.expected'), cell: (r) => number(r.expected, 0), file: (r) => r.expected, right: true },
    { title: t('analysis.received'), cell: (r) => number(r.received, 0), file: (r) => r.received, right: true },
    { title: t('analysis.valid'), cell: (r) => number(r.valid, 0), file: (r) => r.valid, right: true },
    { title: t('analysis.transmission'), cell: (r) => quantity(r.transmission_rate, '%', 1), right: true },
    { title: t('analysis.validity'), cell: (r) => quantity(r.validity_rate, '%', 1), right: true },
    { title: t('analysis.online'), cell: (r) => quantity(r.online_rate, '%', 1), right: true },
  ];
  const suspects: SimpleColumn<Suspect>[] = [
    { title: t('word.station'), cell: (r) => <StationLink station={r.station} name={say(r.name, lang)} />, file: (r) => r.station },
    { title: t('word.property'), cell: (r) => say(r.title, lang) || pollutant(r.property, lang) },
    { title: t('word.reason'), cell: (r) => say(r.reason, lang) },
    { title: t('analysis.other'), cell: (r) => (r.other ? <StationLink station={r.other} name={say(r.other_name, lang)} /> : '—'), file: (r) => r.other },
    { title: t('word.from'), cell: (r) => dateTime(r.from) },
    { title: t('word.to'), cell: (r) => dateTime(r.to) },
    { title: t('analysis.points'), cell: (r) => number(r.count, 0), file: (r) => r.count, right: true },
  ];
  const conditions: SimpleColumn<WorkingCondition>[] = [
    { title: t('word.station'), cell: (r) => <StationLink station={r.station} name={say(r.name, lang)} />, file: (r) => r.station },
    { title: t('word.from'), cell: (r) => dateTime(r.from) },
    { title: t('word.to'), cell: (r) => dateTime(r.to) },
    { title: t('station.production'), cell: (r) => running(r.production) },
    { title: t('station.treatment'), cell: (r) => running(r.treatment) },
    { title: t('station.finding'), cell: (r) => say(r.finding, lang) },
  ];
  const emissions: SimpleColumn<Emission>[] = [
    { title: t('word.name'), cell: (r) => say(r.title, lang) || r.key },
    { title: t('word.property'), cell: (r) => say(r.property_title, lang) || pollutant(r.property, lang) },
    { title: t('analysis.total'), cell: (r) => quantity(r.total, r.unit), file: (r) => r.total, right: true },
    { title: t('word.unit'), cell: (r) => r.unit },
    { title: t('analysis.hours'), cell: (r) => number(r.hours, 0), file: (r) => r.hours, right: true },
  ];
  const energy: SimpleColumn<Energy>[] = [
    { title: t('word.enterprise'), cell: (r) => say(r.title, lang) || r.enterprise },
    { title: `${t('analysis.electricity')} (kWh)`, cell: (r) => number(r.electricity_kwh), file: (r) => r.electricity_kwh, right: true },
    { title: `${t('analysis.coal')} (t)`, cell: (r) => number(r.coal_t), file: (r) => r.coal_t, right: true },
  ];
  return { exceedances, rates, suspects, conditions, emissions, energy };
}

export default function Analysis() {
  const { tab = 'exceedances' } = useParams();
  const { t, w, lang } = useI18n();
  const { city } = useSession();
  const filters = useFilters();
  const { search } = useLocation();
  const stretch = useStretch(useNow());
  const columns = useColumns();
  const span = { from: stretch.fromText, to: stretch.toText };
  const by = filters.get('by') || 'station';
  const period = filters.get('period') || 'hour';
  const pickBy = (
    <label>{t('analysis.by')}<Select style={{ minWidth: 130 }} aria-label={t('analysis.by')} value={by} onChange={(v: string) => filters.set({ by: v })} options={['station', 'district', 'enterprise'].map((v) => ({ value: v, label: t(`analysis.by_${v}` as Key) }))} /></label>
  );
  const path = `/environment/${REPORTS[tab] ?? tab}`;
  const caption = t((TABS.find(([name]) => name === tab)?.[1] ?? 'analysis.title'));
  return (
    <>
      <PageHead title={t('analysis.title')} />
      <TabNav label={t('analysis.title')} now={tab} items={TABS.map(([key, title]) => ({ key, title: t(title), to: `/desk/analysis/${key}${keep(search)}` }))} />
      <div className="filters">
        <TimeRange stretch={stretch} spans={SPANS[tab] ?? ['day', 'week', 'month']} />
        {tab === 'exceedances' ? (
          <>
            <label>{t('word.period')}<Select aria-label={t('word.period')} style={{ minWidth: 120 }} value={period} onChange={(v: string) => filters.set({ period: v })} options={[{ value: 'hour', label: t('analysis.hour') }, { value: 'day', label: t('analysis.day') }]} /></label>
            <label>{t('word.district')}<Select aria-label={t('word.district')} style={{ minWidth: 130 }} value={filters.get('district')} onChange={(v: string) => filters.set({ district: v })} options={[{ value: '', label: t('word.all') }, ...(city?.districts ?? []).map((d) => ({ value: d.code, label: w(d.title) }))]} /></label>
          </>
        ) : null}
        {tab === 'rates' || tab === 'emissions' ? pickBy : null}
      </div>
      <section className="card" key={tab}>
        {tab === 'exceedances' ? <Report<Exceedances['items'][number], Exceedances> path={path} params={{ ...span, period, district: filters.get('district') }} columns={columns.exceedances} caption={caption} note={(a) => (a.valid_rule ? `${t('analysis.rule')}：${say(a.valid_rule, lang)}` : '')} rowKey={(r) => `${r.station} ${r.property} ${r.period_start}`} /> : null}
        {tab === 'rates' ? <Report<Rate, List<Rate>> path={path} params={{ ...span, by }} columns={columns.rates} caption={caption} rowKey={(r) => r.key} /> : null}
        {tab === 'suspects' ? <Report<Suspect, List<Suspect>> path={path} params={span} columns={columns.suspects} caption={caption} note={() => t('analysis.suspect_note')} rowKey={(_, i) => String(i)} /> : null}
        {tab === 'conditions' ? <Report<WorkingCondition, List<WorkingCondition>> path={path} params={span} columns={columns.conditions} caption={caption} rowKey={(_, i) => String(i)} /> : null}
        {tab === 'emissions' ? <Report<Emission, List<Emission>> path={path} params={{ ...span, by }} columns={columns.emissions} caption={caption} rowKey={(r) => `${r.key} ${r.property}`} /> : null}
        {tab === 'energy' ? <Report<Energy, List<Energy>> path={path} params={span} columns={columns.energy} caption={caption} rowKey={(r) => r.enterprise} /> : null}
      </section>
    </>
  );
}
