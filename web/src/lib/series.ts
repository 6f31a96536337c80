// Library: series names in words, and answers of /series/range turned into lines of a chart.
import type { Key } from '../i18n';
import type { Range } from '../api/types';
import { duration } from './time';
import type { Lang } from '../i18n/lang';

export type Period = 'real_time' | 'minute' | 'hour' | 'day';
export const PERIODS: readonly Period[] = ['real_time', 'minute', 'hour', 'day'];

/** The parts of a kind such as `minute.max.converted`. */
export function kindParts(kind: string): { period: Period; statistic: string; converted: boolean } {
  const parts = kind.split('.');
  const period = PERIODS.find((p) => p === parts[0]) ?? 'real_time';
  const converted = parts[parts.length - 1] === 'converted';
  const statistic = parts[1] && parts[1] !== 'converted' ? parts[1] : 'value';
  return { period, statistic, converted };
}

/** A kind in words: `分钟均值（折算）`. */
export function kindWords(kind: string, t: (key: Key) => string): string {
  const { period, statistic, converted } = kindParts(kind);
  const head = t(`kind.${period}` as Key);
  const known = ['value', 'mean', 'min', 'max', 'total'].includes(statistic);
  const tail = period === 'real_time' && statistic === 'value' ? '' : ` ${known ? t(`kind.${statistic}` as Key) : statistic}`;
  return `${head}${tail}${converted ? ` (${t('kind.converted')})` : ''}`;
}

export interface Line {
  points: [number, number | null][];
  band: [number, number | null, number | null][];
  odd: [number, number, string][];
}

/** Points, band and odd points of an answer. A gap of several steps becomes a break in the line. */
export function lineOf(range: Range, flagWords: (flag: string) => string): Line {
  const buckets = range.buckets ?? [];
  if (buckets.length > 0 || !range.points) {
    const stepMs = (range.step_s ?? 0) * 1000;
    return {
      points: withGaps(buckets.map((b) => [b[0], b[1]]), stepMs * 1.5),
      band: withGaps3(buckets.map((b) => [b[0], b[2], b[3]]), stepMs * 1.5),
      odd: buckets.flatMap((b) => (b[5] < b[4] && b[1] !== null ? [[b[0], b[1], `${b[5]}/${b[4]}`] as [number, number, string]] : [])),
    };
  }
  const distances = range.points.slice(1).map((p, i) => p[0] - (range.points?.[i]?.[0] ?? p[0])).sort((a, b) => a - b);
  const usual = distances[Math.floor(distances.length / 2)] ?? 0;
  return {
    points: withGaps(range.points.map((p) => [p[0], p[1]]), usual * 4),
    band: [],
    odd: range.points.filter((p) => p[2] !== '' && p[2] !== 'N').map((p) => [p[0], p[1], flagWords(p[2])]),
  };
}

function withGaps(points: [number, number | null][], gapMs: number): [number, number | null][] {
  const out: [number, number | null][] = [];
  for (const point of points) {
    const before = out[out.length - 1];
    if (before && gapMs > 0 && point[0] - before[0] > gapMs) out.push([before[0] + 1, null]);
    out.push(point);
  }
  return out;
}

function withGaps3(points: [number, number | null, number | null][], gapMs: number): [number, number | null, number | null][] {
  const out: [number, number | null, number | null][] = [];
  for (const point of points) {
    const before = out[out.length - 1];
    if (before && gapMs > 0 && point[0] - before[0] > gapMs) out.push([before[0] + 1, null, null]);
    out.push(point);
  }
  return out;
}

/** How an answer was put together, in words. */
export function stepWords(range: Range, t: (key: Key, fill?: Record<string, string>) => string, lang: Lang): string {
  if (range.step_s) return t('chart.bucket', { step: duration(range.step_s * 1000, lang) });
  return t('chart.raw');
}
