// Desk: the daily bulletin, one day on printable pages (A4). The report answers everything at once;
// parts it does not know by name are still shown as plain facts, nothing is dropped.
import { Button, DatePicker } from 'antd';
import dayjs from 'dayjs';
import { useApi } from '../../api/hooks';
import type { Air, AirStation, Exceedance, Rate, Suspect } from '../../api/environment';
import type { Alert } from '../../api/types';
import { AqiTag, LevelTag, StateTag } from '../../components/Marks';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SimpleTable } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { useFilters } from '../../lib/at';
import { number, percent, quantity } from '../../lib/format';
import { useNow } from '../../lib/now';
import { pollutant } from '../../lib/pollutants';
import { say } from '../../lib/text';
import { DAY_MS, date, dateTime, weekday } from '../../lib/time';
import { useSession } from '../../shell/session';

/** Parts come as a list or as an object with `items`. */
type Part<T> = T[] | { items: T[] } | null | undefined;
interface Answer {
  date?: string; at?: string; edition?: string; summary?: unknown; city?: Air['city'];
  air?: Part<AirStation> | Air; exceedances?: Part<Exceedance>; rates?: Part<Rate>; alerts?: Part<Alert> | Record<string, unknown>; suspects?: Part<Suspect>;
}

function items<T>(part: unknown): T[] {
  if (Array.isArray(part)) return part as T[];
  if (part && typeof part === 'object' && Array.isArray((part as { items?: unknown }).items)) return (part as { items: T[] }).items;
  return [];
}

/** Plain facts of a part: figures and texts only. */
function Facts({ part }: { part: unknown }) {
  const { lang } = useI18n();
  if (!part || typeof part !== 'object' || Array.isArray(part)) return part === null || part === undefined ? null : <p>{String(part)}</p>;
  if ('zh' in part && 'en' in part) return <p>{say(part as { zh: string; en: string }, lang)}</p>;
  const rows = Object.entries(part).filter(([, v]) => v !== null && ['number', 'string', 'boolean'].includes(typeof v));
  return <dl className="facts">{rows.map(([name, v]) => [<dt key={`${name} t`}>{name}</dt>, <dd key={name}>{typeof v === 'number' ? number(v) : String(v)}</dd>])}</dl>;
}

function Body({ a }: { a: Answer }) {
  const { t, w, lang } = useI18n();
  const { city } = useSession();
  const air = items<AirStation>(a.air);
  const cityAir = a.city ?? (a.air && !Array.isArray(a.air) && 'city' in a.air ? a.air.city : null);
  const exceedances = items<Exceedance>(a.exceedances);
  const rates = items<Rate>(a.rates);
  const alerts = items<Alert>(a.alerts);
  const suspects = items<Suspect>(a.suspects);
  const none = <p>{t('bulletin.none')}</p>;
  return (
    <article className="card bulletin">
      <h2 style={{ textAlign: 'center', fontSize: '1.5rem' }}>{city ? w(city.title) : ''}{t('bulletin.title')}</h2>
      <p style={{ textAlign: 'center' }}>{a.date ?? date(a.at)} {weekday(a.date ? Date.parse(`${a.date}T00:00:00+08:00`) : (a.at ?? 0), lang)}</p>
      <Facts part={a.summary} />
      <h3>{t('bulletin.air')}</h3>
      {cityAir ? <p>{t('portal.city_aqi')}：<AqiTag aqi={cityAir.aqi} /></p> : null}
      {air.length ? <SimpleTable caption={t('bulletin.air')} rows={air} rowKey={(r) => r.station} columns={[
        { title: t('word.station'), cell: (r) => say(r.name, lang) || r.station }, { title: 'AQI', cell: (r) => <AqiTag aqi={r.aqi} /> },
        { title: t('word.property'), cell: (r) => (r.primary ?? []).map((p) => pollutant(p, lang)).join('、') || '—' }]} /> : none}
      <h3>{t('bulletin.exceedances')}</h3>
      {exceedances.length ? <SimpleTable caption={t('bulletin.exceedances')} rows={exceedances} rowKey={(r) => `${r.station} ${r.property} ${r.period_start}`} columns={[
        { title: t('word.station'), cell: (r) => say(r.name, lang) || r.station }, { title: t('word.property'), cell: (r) => say(r.title, lang) || pollutant(r.property, lang) },
        { title: t('word.period'), cell: (r) => dateTime(r.period_start) }, { title: t('analysis.mean'), cell: (r) => quantity(r.mean, r.unit), right: true }, { title: t('word.limit'), cell: (r) => quantity(r.limit, r.unit), right: true }, { title: t('analysis.ratio'), cell: (r) => number(r.ratio, 2), right: true }]} /> : none}
      <h3>{t('bulletin.rates')}</h3>
      {rates.length ? <SimpleTable caption={t('bulletin.rates')} rows={rates} rowKey={(r) => r.key} columns={[
        { title: t('word.name'), cell: (r) => say(r.title, lang) || r.key }, { title: t('analysis.transmission'), cell: (r) => percent(r.transmission_rate), right: true }, { title: t('analysis.validity'), cell: (r) => percent(r.validity_rate), right: true }, { title: t('analysis.online'), cell: (r) => percent(r.online_rate), right: true }]} /> : Array.isArray(a.rates) ? none : <Facts part={a.rates} />}
      <h3>{t('bulletin.alerts')}</h3>
      {alerts.length ? <SimpleTable caption={t('bulletin.alerts')} rows={alerts} rowKey={(r) => r.id} columns={[
        { title: t('alerts.about'), cell: (r) => w(r.message) || w(r.title) }, { title: t('alerts.level'), cell: (r) => <LevelTag level={r.level} short /> }, { title: t('alerts.raised'), cell: (r) => dateTime(r.raised_at) }, { title: t('word.state'), cell: (r) => <StateTag state={r.state} /> }]} /> : a.alerts && !Array.isArray(a.alerts) && !('items' in a.alerts) ? <Facts part={a.alerts} /> : none}
      <h3>{t('bulletin.suspects')}</h3>
      {suspects.length ? <SimpleTable caption={t('bulletin.suspects')} rows={suspects} rowKey={(_, i) => String(i)} columns={[
        { title: t('word.station'), cell: (r) => r.station }, { title: t('word.property'), cell: (r) => pollutant(r.property, lang) }, { title: t('word.reason'), cell: (r) => say(r.reason, lang) }]} /> : none}
      <p className="muted small" style={{ marginTop: 24 }}>{t('bulletin.issued', { city: city ? w(city.title) : '', time: dateTime(a.at ?? city?.now) })}</p>
    </article>
  );
}

export default function Bulletin() {
  const { t } = useI18n();
  const filters = useFilters();
  const now = useNow();
  const day = filters.get('date') || date(now - DAY_MS);
  const query = useApi<Answer>('/environment/bulletin', { date: day });
  return (
    <>
      <div className="no-print">
        <PageHead title={t('bulletin.title')}>
          <DatePicker aria-label={t('bulletin.date')} allowClear={false} value={dayjs(day)} format="YYYY-MM-DD" disabledDate={(d) => d.format('YYYY-MM-DD') > date(now)} onChange={(d) => { if (d) filters.set({ date: d.format('YYYY-MM-DD') }); }} />
          <Button type="primary" onClick={() => print()}>{t('bulletin.print')}</Button>
        </PageHead>
      </div>
      <View query={query} lines={14} emptyText={t('bulletin.empty')}>{(a) => <Body a={{ ...a, date: a.date ?? day }} />}</View>
      <div className="no-print"><Provenance asOf={query.dataUpdatedAt} source="environment/bulletin" path="/environment/bulletin" params={{ date: day }} /></div>
    </>
  );
}
