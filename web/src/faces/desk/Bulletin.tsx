// Desk: the daily bulletin, one day on printable pages (A4), from one answer of the report.
import { Button, DatePicker } from 'antd';
import dayjs from 'dayjs';
import { useApi } from '../../api/hooks';
import type { Air, AirStation, Emission, Energy, Exceedance, Rate, Suspect, Text, WorkingCondition } from '../../api/environment';
import type { Alert } from '../../api/types';
import { AqiTag, LevelTag, StateTag } from '../../components/Marks';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SimpleTable } from '../../components/SimpleTable';
import { StationName } from '../../components/StationName';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { useFilters } from '../../lib/at';
import { number, quantity } from '../../lib/format';
import { useNow } from '../../lib/now';
import { pollutant } from '../../lib/pollutants';
import { useRunning } from '../../lib/running';
import { say } from '../../lib/text';
import { DAY_MS, date, dateTime, weekday } from '../../lib/time';
import { useSession } from '../../shell/session';

/** Parts come as a list or as an object with `items`. */
type Part<T> = T[] | { items: T[] } | null | undefined;
interface Answer {
  date?: string; at?: string; edition?: string; summary?: unknown; city?: Air['city'];
  air?: Part<AirStation> | Air; exceedances?: Part<Exceedance>; rates?: Part<Rate>; alerts?: { count?: number; closed?: number; items: Alert[] } | Alert[]; suspects?: Part<Suspect>;
  generated_at?: string; complete?: boolean; stations?: number; remark?: Text | null; working_conditions?: Part<WorkingCondition>; emissions?: Part<Emission>; energy?: Part<Energy>;
}

function items<T>(part: unknown): T[] {
  if (Array.isArray(part)) return part as T[];
  if (part && typeof part === 'object' && Array.isArray((part as { items?: unknown }).items)) return (part as { items: T[] }).items;
  return [];
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
  const conditions = items<WorkingCondition>(a.working_conditions);
  const emissions = items<Emission>(a.emissions);
  const energy = items<Energy>(a.energy);
  const running = useRunning();
  const none = <p>{t('bulletin.none')}</p>;
  return (
    <article className="card bulletin">
      <h2 style={{ textAlign: 'center', fontSize: '1.5rem' }}>{city ? w(city.title) : ''}{t('bulletin.title')}</h2>
      <p style={{ textAlign: 'center' }}>{date(a.date)} {weekday(a.date ?? 0, lang)}</p>
      <p>{t('bulletin.stations')}：{number(a.stations, 0)}{a.complete === false ? ` · ${t('bulletin.incomplete')}` : ''}</p>
      {a.remark ? <p>{say(a.remark, lang)}</p> : null}
      <h3 className="part">{t('bulletin.air')}</h3>
      {cityAir ? <p>{t('portal.city_aqi')}：<AqiTag aqi={cityAir.aqi} /></p> : null}
      {air.length ? <SimpleTable quiet caption={t('bulletin.air')} rows={air} rowKey={(r) => r.station} columns={[
        { title: t('word.station'), cell: (r) => say(r.name, lang) || r.station }, { title: 'AQI', cell: (r) => <AqiTag aqi={r.aqi} /> },
        { title: t('bulletin.primary'), cell: (r) => (r.primary ?? []).map((p) => pollutant(p, lang)).join('、') || '—' }]} /> : none}
      <h3 className="part">{t('bulletin.exceedances')}</h3>
      {exceedances.length ? <SimpleTable quiet caption={t('bulletin.exceedances')} rows={exceedances} rowKey={(r) => `${r.station} ${r.property} ${r.period_start}`} columns={[
        { title: t('word.station'), cell: (r) => say(r.name, lang) || r.station }, { title: t('word.property'), cell: (r) => say(r.title, lang) || pollutant(r.property, lang) },
        { title: t('word.period'), cell: (r) => dateTime(r.period_start) }, { title: t('analysis.mean'), cell: (r) => quantity(r.mean, r.unit), right: true }, { title: t('word.limit'), cell: (r) => quantity(r.limit, r.unit), right: true }, { title: t('analysis.ratio'), cell: (r) => number(r.ratio, 2), right: true }]} /> : none}
      <h3 className="part">{t('bulletin.rates')}</h3>
      {rates.length ? <SimpleTable quiet caption={t('bulletin.rates')} rows={rates} rowKey={(r) => r.key} columns={[
        { title: t('word.name'), cell: (r) => say(r.title, lang) || r.key }, { title: t('analysis.transmission'), cell: (r) => quantity(r.transmission_rate, '%', 1), right: true }, { title: t('analysis.validity'), cell: (r) => quantity(r.validity_rate, '%', 1), right: true }, { title: t('analysis.online'), cell: (r) => quantity(r.online_rate, '%', 1), right: true }]} /> : none}
      <h3 className="part">{t('bulletin.alerts')}</h3>
      {a.alerts && !Array.isArray(a.alerts) && a.alerts.count !== undefined ? <p>{t('bulletin.raised', { n: number(a.alerts.count, 0), closed: number(a.alerts.closed, 0) })}</p> : null}
      {alerts.length ? <SimpleTable quiet caption={t('bulletin.alerts')} rows={alerts} rowKey={(r) => r.id} columns={[
        { title: t('word.station'), cell: (r) => <StationName thing={r.thing} /> }, { title: t('alerts.about'), cell: (r) => <>{w(r.title)}<div className="muted small">{w(r.message)}</div></> }, { title: t('alerts.level'), cell: (r) => <LevelTag level={r.level} short /> }, { title: t('alerts.raised'), cell: (r) => dateTime(r.raised_at) }, { title: t('word.state'), cell: (r) => <StateTag state={r.state} /> }]} /> : none}
      <h3 className="part">{t('bulletin.suspects')}</h3>
      {suspects.length ? <SimpleTable quiet caption={t('bulletin.suspects')} rows={suspects} rowKey={(_, i) => String(i)} columns={[
        { title: t('word.station'), cell: (r) => say(r.name, lang) || r.station }, { title: t('word.property'), cell: (r) => say(r.title, lang) || pollutant(r.property, lang) }, { title: t('word.reason'), cell: (r) => say(r.reason, lang) }]} /> : none}
      <h3 className="part">{t('bulletin.conditions')}</h3>
      {conditions.length ? <SimpleTable quiet caption={t('bulletin.conditions')} rows={conditions} rowKey={(_, i) => String(i)} columns={[
        { title: t('word.station'), cell: (r) => say(r.name, lang) || r.station }, { title: t('word.from'), cell: (r) => dateTime(r.from) }, { title: t('word.to'), cell: (r) => dateTime(r.to) },
        { title: t('station.production'), cell: (r) => running(r.production) }, { title: t('station.treatment'), cell: (r) => running(r.treatment) }, { title: t('station.finding'), cell: (r) => say(r.finding, lang) }]} /> : none}
      <h3 className="part">{t('bulletin.emissions')}</h3>
      {emissions.length ? <SimpleTable quiet caption={t('bulletin.emissions')} rows={emissions} rowKey={(r) => r.property} columns={[
        { title: t('word.property'), cell: (r) => say(r.title, lang) || r.property }, { title: t('analysis.total'), cell: (r) => quantity(r.total, r.unit), right: true }, { title: t('analysis.hours'), cell: (r) => number(r.hours, 0), right: true }]} /> : none}
      <h3 className="part">{t('bulletin.energy')}</h3>
      {energy.length ? <SimpleTable quiet caption={t('bulletin.energy')} rows={energy} rowKey={(r) => r.enterprise} columns={[
        { title: t('word.enterprise'), cell: (r) => say(r.title, lang) || r.enterprise }, { title: `${t('analysis.electricity')} (kWh)`, cell: (r) => number(r.electricity_kwh), right: true }, { title: `${t('analysis.coal')} (t)`, cell: (r) => number(r.coal_t), right: true }]} /> : none}
      <p className="muted small" style={{ marginTop: 24 }}>{t('bulletin.issued', { city: city ? w(city.title) : '', time: dateTime(a.generated_at ?? city?.now) })}</p>
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
      <View query={query} lines={14} emptyText={t('bulletin.empty')}>{(a) => <Body a={{ ...a, date: a.date ?? `${day}T00:00:00+08:00` }} />}</View>
      <div className="no-print"><Provenance asOf={query.dataUpdatedAt} source="environment/bulletin" path="/environment/bulletin" params={{ date: day }} /></div>
    </>
  );
}
