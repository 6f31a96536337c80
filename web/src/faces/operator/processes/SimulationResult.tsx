// Operator, simulation: what came of it: in a sentence how far it is to be believed, the figures side by
// side, where cases wait, who is busy, what was assumed; as charts, tables and CSV files.
import { lazy, Suspense, useMemo, type ReactNode } from 'react';
import { Button } from 'antd';
import type { NodeFigures, Simulated } from '../../../api/cases';
import type { BarRow } from '../../../components/Bars';
import { saveRows, SimpleTable, type SimpleColumn } from '../../../components/SimpleTable';
import { Skeleton } from '../../../components/Skeleton';
import { useI18n } from '../../../i18n';
import { stepsOf } from '../../../lib/bpmn';
import { number, percent } from '../../../lib/format';
import { useRoles } from '../../../lib/roles';
import { axisOf, BUSY, FEW, loads, measures, verdictOf, workingTime, type Load, type Measure } from '../../../lib/simulation';

const Bars = lazy(() => import('../../../components/Bars'));

interface Props { result: Simulated; xml: string; process: string; stale: boolean }

export function SimulationResult({ result, xml, process, stale }: Props) {
  const { t } = useI18n();
  const names = useMemo(() => new Map([...stepsOf(xml).map((s) => [s.id, s.name] as const), ...result.by_node.map((n) => [n.node, n.name || n.node] as const)]), [xml, result]);
  const nameOf = (node: string) => names.get(node) ?? node;
  if (result.arrivals === 0) return <section className="card sim" role="status"><h2>{t('sim.result')}</h2><p><strong>{t('sim.none')}</strong></p><p>{t('sim.none_help')}</p></section>;
  const { baseline, changed } = result;
  const series = [t('sim.before'), t('sim.after')];
  return (
    <>
      <section className="card sim" aria-label={t('sim.result')}>
        <h2>{t('sim.result')}</h2>
        {stale ? <p className="stale" role="status">{t('sim.stale')}</p> : null}
        <div role="status"><Verdict result={result} /></div>
        <p className="muted">{t('sim.counted', { arrivals: number(result.arrivals, 0), compared: number(result.compared, 0) })}</p>
        {result.compared ? <Summary result={result} nameOf={nameOf} file={`simulation-${process}.csv`} /> : null}
      </section>
      {result.compared ? (
        <>
          <section className="card sim">
            <h2>{t('sim.durations')}</h2>
            <Suspense fallback={<Skeleton lines={4} />}>
              <TimeBars title={t('sim.durations')} series={series} rows={[{ name: t('sim.half'), values: [baseline.minutes.p50, changed.minutes.p50] }, { name: t('sim.nine'), values: [baseline.minutes.p90, changed.minutes.p90] }]} />
            </Suspense>
          </section>
          <Steps result={result} series={series} file={`simulation-steps-${process}.csv`} />
          <People result={result} nameOf={nameOf} file={`simulation-people-${process}.csv`} />
        </>
      ) : null}
      <Doubts result={result} />
    </>
  );
}

/** Minutes as bars, on an axis of a unit that fits them. */
function TimeBars({ title, series, rows }: { title: string; series: string[]; rows: BarRow[] }) {
  const { t, lang } = useI18n();
  const { by, unit } = axisOf(rows.flatMap((r) => r.values));
  return <Bars title={title} series={series} unit={t(`sim.axis.${unit}`)} show={(v) => workingTime(v * by, lang)} rows={rows.map((r) => ({ name: r.name, values: r.values.map((v) => (v === null ? null : v / by)) }))} />;
}

function Head({ title, onCsv }: { title: string; onCsv: () => void }) {
  const { t } = useI18n();
  return <div className="row spread"><h2>{title}</h2><Button size="small" aria-label={t('sim.csv_of', { what: title })} onClick={onCsv}>CSV</Button></div>;
}

function Verdict({ result }: { result: Simulated }) {
  const { t, lang } = useI18n();
  const { verdict, share, error } = verdictOf(result);
  const { baseline: b, changed: c } = result;
  const time = (minutes: number) => workingTime(minutes, lang);
  return (
    <>
      {verdict === 'nothing' ? null : <p><strong>{t('sim.sentence', { before: time(b.minutes.p50), after: time(c.minutes.p50), before90: time(b.minutes.p90), after90: time(c.minutes.p90) })}</strong></p>}
      <p>{t(`sim.verdict.${verdict}`, { share: percent(share), error: percent(error) })}</p>
      {result.compared > 0 && result.compared < FEW ? <p>{t('sim.few', { n: number(result.compared, 0) })}</p> : null}
    </>
  );
}

function Summary({ result, nameOf, file }: { result: Simulated; nameOf: (node: string) => string; file: string }) {
  const { t, lang } = useI18n();
  const show = (m: Measure, value: Measure['before']): string => {
    if (value === null) return '—';
    if (typeof value === 'string') return nameOf(value);
    return m.unit === 'minutes' ? workingTime(value, lang) : m.unit === 'share' ? percent(value) : number(value, 0);
  };
  const difference = (m: Measure): ReactNode => {
    if (typeof m.before !== 'number' || typeof m.after !== 'number') return '—';
    const d = m.after - m.before;
    if (m.unit === 'share') return `${d > 0 ? '+' : ''}${number(d * 100, 1)} ${t('sim.points')}`;
    if (m.unit === 'cases') return d === 0 ? '0' : `${d > 0 ? '+' : '−'}${number(Math.abs(d), 0)}`;
    const sign = d > 0 ? '+' : d < 0 ? '−' : '';
    return `${sign}${workingTime(Math.abs(d), lang)}${m.before > 0 ? ` (${sign}${percent(Math.abs(d) / m.before)})` : ''}`;
  };
  const rows = measures(result);
  const plain = (value: Measure['before']) => (typeof value === 'string' ? nameOf(value) : value);
  const columns: SimpleColumn<Measure>[] = [
    { title: t('sim.measure'), cell: (m) => t(m.key), file: (m) => `${t(m.key)}${m.unit === 'minutes' ? ` (${t('sim.minutes_unit')})` : ''}` },
    { title: t('sim.before'), right: true, cell: (m) => show(m, m.before), file: (m) => plain(m.before) },
    { title: t('sim.after'), right: true, cell: (m) => show(m, m.after), file: (m) => plain(m.after) },
    { title: t('sim.difference'), right: true, cell: difference, file: (m) => (typeof m.before === 'number' && typeof m.after === 'number' ? m.after - m.before : '') },
  ];
  return <><Head title={t('sim.summary')} onCsv={() => saveRows(file, columns, rows)} /><SimpleTable<Measure> quiet caption={t('sim.summary')} rows={rows} rowKey={(m) => m.key} columns={columns} /></>;
}

function Steps({ result, series, file }: { result: Simulated; series: string[]; file: string }) {
  const { t, lang } = useI18n();
  const rows = result.by_node;
  const time = (minutes: number | undefined) => (minutes === undefined ? '—' : workingTime(minutes, lang));
  const mark = (n: NodeFigures) => [n.baseline === null ? t('sim.new_step') : '', n.changed === null ? t('sim.gone_step') : '', result.baseline.congested === n.node ? t('sim.jam_before') : '', result.changed.congested === n.node ? t('sim.jam_after') : ''].filter(Boolean).join(' · ');
  const pair = (title: string, of: (load: NonNullable<NodeFigures['baseline']>) => number): SimpleColumn<NodeFigures>[] => [['before', 'baseline'] as const, ['after', 'changed'] as const].map(([word, side]) => ({
    title: `${title} · ${t(`sim.${word}`)}`, right: true,
    cell: (n: NodeFigures) => { const load = n[side]; return time(load ? of(load) : undefined); },
    file: (n: NodeFigures) => { const load = n[side]; return load ? of(load) : ''; },
  }));
  const columns: SimpleColumn<NodeFigures>[] = [
    { title: t('sim.step'), cell: (n) => <>{n.name || n.node}{mark(n) ? <><br /><span className="small over">{mark(n)}</span></> : null}</>, file: (n) => `${n.name || n.node} (${n.node})` },
    ...pair(t('sim.wait_mean'), (l) => l.waiting.mean), ...pair(t('sim.wait_p90'), (l) => l.waiting.p90), ...pair(t('sim.work_p50'), (l) => l.work.p50),
  ];
  return (
    <section className="card sim">
      <Head title={t('sim.steps')} onCsv={() => saveRows(file, columns, rows)} />
      <p className="muted small">{t('sim.steps_help')}</p>
      <Suspense fallback={<Skeleton lines={6} />}><TimeBars title={t('sim.wait_mean')} series={series} rows={rows.map((n) => ({ name: n.name || n.node, values: [n.baseline?.waiting.mean ?? null, n.changed?.waiting.mean ?? null] }))} /></Suspense>
      <SimpleTable<NodeFigures> quiet caption={t('sim.steps')} rows={rows} rowKey={(n) => n.node} columns={columns} />
    </section>
  );
}

function People({ result, nameOf, file }: { result: Simulated; nameOf: (node: string) => string; file: string }) {
  const roleTitle = useRoles();
  const { t } = useI18n();
  const rows = loads(result);
  const busy = (side: Load['before']) => (side === null ? '—' : <span className={side.share >= BUSY ? 'over' : ''}>{percent(side.share)}{side.share >= BUSY ? ` ▲ ${t('sim.busy_people')}` : ''}</span>);
  const columns: SimpleColumn<Load>[] = [
    { title: t('sim.role'), cell: (l) => (l.nodes.includes(l.name) ? nameOf(l.name) : roleTitle(l.name)), file: (l) => l.name },
    { title: t('sim.does'), cell: (l) => l.nodes.map(nameOf).join('、'), file: (l) => l.nodes.map(nameOf).join('、') },
    { title: `${t('sim.workers')} · ${t('sim.before')}`, right: true, cell: (l) => number(l.before?.workers, 0), file: (l) => l.before?.workers },
    { title: `${t('sim.workers')} · ${t('sim.after')}`, right: true, cell: (l) => number(l.after?.workers, 0), file: (l) => l.after?.workers },
    { title: `${t('sim.share')} · ${t('sim.before')}`, right: true, cell: (l) => busy(l.before), file: (l) => l.before?.share },
    { title: `${t('sim.share')} · ${t('sim.after')}`, right: true, cell: (l) => busy(l.after), file: (l) => l.after?.share },
  ];
  if (rows.length === 0) return null;
  return (
    <section className="card sim">
      <Head title={t('sim.people')} onCsv={() => saveRows(file, columns, rows)} />
      <p className="muted small">{t('sim.people_help')}</p>
      <SimpleTable<Load> quiet caption={t('sim.people')} rows={rows} rowKey={(l) => l.name} columns={columns} />
    </section>
  );
}

/** How far it is to be believed: against what really was, what was left out, what was assumed. */
function Doubts({ result }: { result: Simulated }) {
  const { t, w, lang } = useI18n();
  const { calibration, unplayed, assumptions } = result;
  return (
    <section className="card sim">
      <h2>{t('sim.doubts')}</h2>
      {calibration ? (
        <p>{t('sim.calibration', { n: number(calibration.actual.count, 0), actual: workingTime(calibration.actual.mean, lang), replayed: workingTime(calibration.replayed.mean, lang), error: percent(Math.abs(calibration.error)), one: workingTime(calibration.of_a_case, lang) })}</p>
      ) : <p>{t('sim.no_calibration')}</p>}
      {unplayed.length ? (
        <>
          <h3>{t('sim.unplayed')}</h3>
          <ul>{unplayed.map((u, i) => <li key={i}>{t(u.changed ? 'sim.after' : 'sim.before')}: {t('sim.unplayed_n', { n: number(u.cases, 0) })} — {w(u.reason)} <span className="muted">({u.numbers.join(', ')}{u.cases > u.numbers.length ? ' …' : ''})</span></li>)}</ul>
        </>
      ) : null}
      <details open={result.compared === 0 || undefined}>
        <summary>{t('sim.assumed', { n: assumptions.length })}</summary>
        <ul>{assumptions.map((a, i) => <li key={i}>{w(a)}</li>)}</ul>
      </details>
    </section>
  );
}
