// Services: how the one window works, per department: items on line against the target of the plan,
// one visit, on time, ratings; as table and chart. The same page for the desk and for everybody.
import { useMemo } from 'react';
import { useApi } from '../../api/hooks';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { saveRows, SimpleTable, type SimpleColumn } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { useFilters } from '../../lib/at';
import { chosenDays, daysOf, MEASURES, PERIODS, ranked, reached, shareOf, stretchOf, TARGETS, type Measure, type Period, type ServiceFigures as Row } from '../../lib/figures';
import { number, percent } from '../../lib/format';
import { useNow } from '../../lib/now';
import { useOrganisations } from '../../lib/organisations';
import './services.css';

export default function ServiceFigures() {
  const { t } = useI18n();
  const filters = useFilters();
  const now = useNow();
  const period = PERIODS.find((p) => p === filters.get('period')) ?? 'month';
  const measure = MEASURES.find((m) => m === filters.get('measure')) ?? 'online';
  const days = chosenDays(filters.get('from'), filters.get('to'), period, now);
  const params = stretchOf(days);
  const query = useApi<{ items: Row[] }>('/service-figures', params, { keep: true, every: 60_000 });
  const nameOf = useOrganisations();
  const name = (row: Row) => (row.organisation === '' ? t('figures.all') : nameOf(row.organisation));
  const columns: SimpleColumn<Row>[] = [
    { title: t('figures.department'), cell: (row) => (row.organisation === '' ? <strong>{t('figures.all')}</strong> : nameOf(row.organisation)), file: name },
    { title: t('figures.items'), cell: (row) => number(row.items, 0), file: (row) => row.items, right: true },
    ...MEASURES.map((m): SimpleColumn<Row> => ({ title: t(`figures.${m}`), right: true, cell: (row) => <ShareCell row={row} measure={m} />, file: (row) => { const s = shareOf(row, m); return s.share === null ? '' : `${s.part}/${s.of}`; } })),
    { title: t('figures.submitted'), cell: (row) => number(row.submitted, 0), file: (row) => row.submitted, right: true },
    { title: t('figures.submitted_online'), cell: (row) => number(row.submitted_online, 0), file: (row) => row.submitted_online, right: true },
  ];
  const rows = ranked(query.data?.items ?? [], measure);
  return (
    <>
      <PageHead title={t('figures.title')} sub={t('figures.sub')} />
      <form className="filters figures-filter" onSubmit={(e) => e.preventDefault()}>
        <label>{t('figures.period')}
          <select value={days.own ? 'own' : period} onChange={(e) => {
            const next = PERIODS.find((p) => p === e.target.value) as Period | undefined;
            if (next) filters.set({ period: next, from: null, to: null });
            else filters.set(daysOf(period, now) as unknown as Record<string, string>);
          }}>
            {PERIODS.map((p) => <option key={p} value={p}>{t(`figures.${p}`)}</option>)}
            <option value="own">{t('range.custom')}</option>
          </select>
        </label>
        <label>{t('word.from')}<input type="date" value={days.from} max={days.to} onChange={(e) => { if (e.target.value) filters.set({ from: e.target.value, to: days.to }); }} /></label>
        <label>{t('word.to')}<input type="date" value={days.to} min={days.from} onChange={(e) => { if (e.target.value) filters.set({ from: days.from, to: e.target.value }); }} /></label>
        <label>{t('figures.measure')}
          <select value={measure} onChange={(e) => filters.set({ measure: e.target.value })}>{MEASURES.map((m) => <option key={m} value={m}>{t(`figures.${m}`)}</option>)}</select>
        </label>
      </form>
      <View query={query} empty={(d) => d.items.length === 0} emptyText={t('figures.empty')}>
        {() => (
          <>
            <section className="card"><h2>{t(`figures.${measure}`)}</h2>
              <p className="muted">{t(`figures.about_${measure}`)}</p>
              <Bars rows={rows} measure={measure} name={name} />
            </section>
            <section className="card"><h2>{t('figures.table')}</h2>
              <SimpleTable<Row> caption={t('figures.caption', { from: days.from, to: days.to })} rows={rows} rowKey={(row) => row.organisation} columns={columns} />
            </section>
          </>
        )}
      </View>
      <Provenance asOf={query.dataUpdatedAt} source="applications · items" path="/service-figures" params={params} downloads={[{ text: 'CSV', save: () => saveRows('service-figures.csv', columns, rows) }]} />
    </>
  );
}

function ShareCell({ row, measure }: { row: Row; measure: Measure }) {
  const { t } = useI18n();
  const { part, of, share } = shareOf(row, measure);
  if (share === null) return <span className="muted">{t('figures.none')}</span>;
  const met = reached(share, measure);
  return <>{percent(share)} <span className="muted small">{number(part, 0)}/{number(of, 0)}</span>{met === null ? null : <div className={met ? 'small' : 'small over'}>{t(met ? 'figures.met' : 'figures.not_met')}</div>}</>;
}

/** Bars of one measure; the line is the target. Everything in them is in the table too. */
function Bars({ rows, measure, name }: { rows: readonly Row[]; measure: Measure; name: (row: Row) => string }) {
  const { t } = useI18n();
  const target = TARGETS[measure];
  const said = useMemo(() => rows.map((row) => `${name(row)} ${percent(shareOf(row, measure).share)}`).join('; '), [rows, measure, name]);
  return (
    <figure className="share-bars" role="img" aria-label={`${t(`figures.${measure}`)}: ${said}`}>
      {rows.map((row) => {
        const { share } = shareOf(row, measure);
        return (
          <div key={row.organisation} className={row.organisation === '' ? 'share-bar whole' : 'share-bar'}>
            <span className="share-name">{name(row)}</span>
            <span className="share-track">
              {share === null ? null : <span className={reached(share, measure) === false ? 'share-fill below' : 'share-fill'} style={{ width: `${share * 100}%` }} />}
              {target === undefined ? null : <span className="share-target" style={{ left: `${target * 100}%` }} />}
            </span>
            <span className="num">{share === null ? '—' : percent(share)}</span>
          </div>
        );
      })}
      {target === undefined ? null : <figcaption className="muted small">{t('figures.target', { share: percent(target) })}</figcaption>}
    </figure>
  );
}
