// Component: chart (or table) of one or several series over a stretch of time, asked from
// /series/range with automatic rollup.
import { lazy, Suspense, useMemo, useState } from 'react';
import { useQueries } from '@tanstack/react-query';
import { Alert as Note, Button } from 'antd';
import { ApiError, get } from '../api/client';
import type { Range } from '../api/types';
import { useI18n, type Key } from '../i18n';
import { number } from '../lib/format';
import { kindWords, lineOf, stepWords } from '../lib/series';
import { say } from '../lib/text';
import { dateTime, dateTimeSeconds, rfc3339 } from '../lib/time';
import type { ChartLimit } from './Chart';
import { Skeleton } from './Skeleton';
import { Failure } from './View';

const Chart = lazy(() => import('./Chart'));
const POINTS = 600;
const TABLE_ROWS = 500;

export interface SeriesPick { thing: string; property: string; kind: string; title?: string }
interface Props {
  title: string;
  series: SeriesPick[];
  from: number;
  to: number;
  step?: string;
  asOf?: string | null;
  limits?: ChartLimit[];
  mark?: { from: number; to: number; text: string };
  height?: number;
  every?: number;
}

export function SeriesChart(p: Props) {
  const { t, lang } = useI18n();
  const [table, setTable] = useState(false);
  const results = useQueries({
    queries: p.series.map((s) => {
      const params = { thing: s.thing, property: s.property, kind: s.kind, from: rfc3339(p.from), to: rfc3339(p.to), step: p.step ?? 'auto', points: POINTS, as_of: p.asOf };
      return {
        queryKey: ['/series/range', params],
        queryFn: ({ signal }: { signal: AbortSignal }) => get<Range>('/series/range', params, signal),
        refetchInterval: p.every ?? (false as const),
      };
    }),
  });
  const answers = results.map((r) => r.data);
  const ready = answers.every((a) => a !== undefined);
  const failed = results.find((r) => r.error && r.data === undefined);
  const several = new Set(p.series.map((s) => s.thing)).size > 1;
  const stamp = results.map((r) => r.dataUpdatedAt).join();
  const lines = useMemo(() => answers.flatMap((a, i) => {
    const s = p.series[i];
    if (!a || !s) return [];
    const line = lineOf(a, (flag) => t(`flag.${flag}` as Key));
    const name = `${several ? `${s.thing} · ` : ''}${say(a.title, lang) || s.title || s.property} · ${kindWords(s.kind, t)}`;
    return [{ name, unit: a.unit, ...line }];
    // `stamp` changes exactly when an answer does.
  }), [stamp, p.series, lang, t, several]);

  if (failed?.error) return <Failure error={failed.error as ApiError} retry={() => { void failed.refetch(); }} />;
  if (!ready) return <Skeleton lines={6} />;
  const empty = lines.every((l) => l.points.length === 0);
  const first = answers[0];
  return (
    <div>
      {answers.some((a) => a?.cut) ? <Note type="warning" showIcon title={t('chart.cut')} /> : null}
      {empty ? <p className="state">{t('chart.empty')}</p> : table ? <Figures lines={lines} title={p.title} /> : (
        <Suspense fallback={<Skeleton lines={6} />}>
          <Chart title={p.title} lines={lines} limits={p.limits} mark={p.mark} height={p.height} from={p.from} to={p.to} />
        </Suspense>
      )}
      <div className="row no-print" style={{ justifyContent: 'space-between' }}>
        <span className="muted small">{first ? stepWords(first, t, lang) : ''}</span>
        <Button type="link" onClick={() => setTable(!table)}>{t(table ? 'verb.as_chart' : 'verb.as_table')}</Button>
      </div>
    </div>
  );
}

function Figures({ lines, title }: { lines: { name: string; unit: string; points: [number, number | null][] }[]; title: string }) {
  const { t } = useI18n();
  const times = [...new Set(lines.flatMap((l) => l.points.filter((x) => x[1] !== null).map((x) => x[0])))].sort((a, b) => b - a).slice(0, TABLE_ROWS);
  const maps = lines.map((l) => new Map(l.points));
  return (
    <div className="scroll" style={{ maxHeight: 420 }} tabIndex={0} role="region" aria-label={title}>
      <table className="plain-table">
        <caption>{title} · {dateTime(times[times.length - 1])} – {dateTime(times[0])}</caption>
        <thead><tr><th scope="col">{t('word.time')}</th>{lines.map((l) => <th key={l.name} scope="col" className="num">{l.name} ({l.unit || '1'})</th>)}</tr></thead>
        <tbody>{times.map((at) => <tr key={at}><th scope="row">{dateTimeSeconds(at)}</th>{maps.map((m, i) => <td key={i} className="num">{number(m.get(at))}</td>)}</tr>)}</tbody>
      </table>
    </div>
  );
}
