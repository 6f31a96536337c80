// Component: one chart of time series: lines, bands of rollups, limit lines, odd flags marked. Says
// in words what it shows; the same figures can be had as a table beside it.
import { useEffect, useMemo, useRef } from 'react';
import type { EChartsCoreOption, EChartsType } from 'echarts/core';
import { echarts } from './echarts';
import { useI18n } from '../i18n';
import { useTheme } from '../theme/theme';
import type { Palette } from '../theme/palette';
import { number } from '../lib/format';
import { clock, date, dateTime } from '../lib/time';

export interface ChartLine {
  name: string;
  unit: string;
  points: [number, number | null][];
  /** Low and high of each bucket, for a band behind the line. */
  band?: [number, number | null, number | null][];
  /** Points whose flag is not normal: time, value, words. */
  odd?: [number, number, string][];
  step?: boolean;
}
export interface ChartLimit { value: number; text: string }
interface Props {
  title: string;
  lines: ChartLine[];
  limits?: ChartLimit[];
  /** A stretch of time to point out. */
  mark?: { from: number; to: number; text: string };
  height?: number;
  from?: number;
  to?: number;
}

/** A round number a little above a limit, so that its line is inside the chart. */
function niceAbove(limit: number): number {
  const step = 10 ** Math.floor(Math.log10(Math.abs(limit) || 1)) / 2;
  return Math.ceil((limit * 1.05) / step) * step;
}

const oddShape = 'path://M10 1l9 9l-9 9l-9-9z';

function bandSeries(line: ChartLine, axis: number, colour: string, at: number) {
  const low = line.band?.map(([t, l]) => [t, l]) ?? [];
  const gap = line.band?.map(([t, l, h]) => [t, l === null || h === null ? null : h - l]) ?? [];
  const shared = { type: 'line', stack: `band${at}`, yAxisIndex: axis, symbol: 'none', silent: true, lineStyle: { opacity: 0 }, tooltip: { show: false }, stackStrategy: 'all' };
  return [
    { ...shared, name: '', data: low },
    { ...shared, name: '', data: gap, areaStyle: { color: colour, opacity: 0.16 } },
  ];
}

function option(p: Props, palette: Palette): EChartsCoreOption {
  const units = [...new Set(p.lines.map((l) => l.unit))];
  const text = { color: palette.text };
  const series: unknown[] = [];
  p.lines.forEach((line, i) => {
    const colour = palette.series[i % palette.series.length] ?? palette.accent;
    const axis = Math.min(1, units.indexOf(line.unit));
    if (line.band?.length) series.push(...bandSeries(line, axis, colour, i));
    series.push({
      name: line.name, type: 'line', yAxisIndex: axis, data: line.points, showSymbol: line.points.length < 60, symbolSize: 5,
      connectNulls: false, lineStyle: { width: 2, type: i % 2 ? 'dashed' : 'solid' }, itemStyle: { color: colour }, step: line.step ? 'end' : undefined,
      markLine: i === 0 && p.limits?.length ? {
        symbol: 'none', animation: false,
        data: p.limits.map((l) => ({ yAxis: l.value, label: { formatter: l.text, color: palette.text, position: 'insideEndTop' }, lineStyle: { color: '#e5484d', type: 'dashed', width: 2 } })),
      } : undefined,
      markArea: i === 0 && p.mark ? {
        silent: true, itemStyle: { color: palette.accent, opacity: 0.12 }, label: { color: palette.text },
        data: [[{ xAxis: p.mark.from, name: p.mark.text }, { xAxis: p.mark.to }]],
      } : undefined,
    });
    if (line.odd?.length) {
      series.push({
        name: '', type: 'scatter', yAxisIndex: axis, symbol: oddShape, symbolSize: 11, itemStyle: { color: '#e08a1e', borderColor: palette.text, borderWidth: 1 },
        data: line.odd.map(([t, v, word]) => ({ value: [t, v], word })),
      });
    }
  });
  const limitBottom = Math.min(...(p.limits ?? []).map((l) => l.value), Infinity);
  const limitTop = Math.max(...(p.limits ?? []).map((l) => l.value), -Infinity);
  return {
    animation: false,
    backgroundColor: 'transparent',
    textStyle: { ...text, fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 13 },
    grid: { left: 12, right: units.length > 1 ? 12 : 20, top: p.lines.length > 1 ? 60 : 34, bottom: 40, containLabel: true },
    legend: p.lines.length > 1 ? { top: 0, textStyle: text, type: 'scroll', data: p.lines.map((l) => l.name) } : undefined,
    tooltip: {
      trigger: 'axis', backgroundColor: palette.surface, borderColor: palette.line, textStyle: text, confine: true,
      formatter: (found: unknown) => {
        const rows = (found as { seriesName: string; value: [number, number | null]; data?: { word?: string } }[]).filter((r) => r.seriesName || r.data?.word);
        const first = rows[0];
        if (!first) return '';
        const lines = rows.map((r) => {
          const unit = p.lines.find((l) => l.name === r.seriesName)?.unit ?? '';
          return r.data?.word ? escape(r.data.word) : `${escape(r.seriesName)} <b>${number(r.value[1])}</b> ${escape(unit)}`;
        });
        return [dateTime(first.value[0]), ...lines].join('<br>');
      },
    },
    xAxis: {
      type: 'time', min: p.from, max: p.to,
      axisLabel: { ...text, fontSize: 13, hideOverlap: true, formatter: (at: number) => (clock(at) === '00:00' ? date(at).slice(5) : clock(at)) },
      axisLine: { lineStyle: { color: palette.line } }, splitLine: { show: false },
    },
    yAxis: units.slice(0, 2).map((unit, i) => ({
      type: 'value', scale: true, name: unit, nameTextStyle: { ...text, align: i ? 'right' : 'left' }, axisLabel: { ...text, fontSize: 13, formatter: (v: number) => number(v) }, splitLine: { show: i === 0, lineStyle: { color: palette.grid } },
      min: i === 0 && Number.isFinite(limitBottom) ? (e: { min: number }) => (e.min <= limitBottom ? null : Number((limitBottom * (limitBottom < 0 ? 1.1 : 0.9)).toPrecision(2))) : undefined,
      max: i === 0 && Number.isFinite(limitTop) ? (e: { max: number }) => (e.max >= limitTop ? null : niceAbove(limitTop)) : undefined,
    })),
    dataZoom: [{ type: 'inside', filterMode: 'none', zoomOnMouseWheel: 'ctrl' }, { type: 'slider', height: 18, bottom: 8, filterMode: 'none', textStyle: text, labelFormatter: (at: number) => dateTime(at).slice(5), borderColor: palette.line }],
    series,
  };
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);
}

export default function Chart(props: Props) {
  const { t } = useI18n();
  const { palette } = useTheme();
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  useEffect(() => {
    if (!box.current) return undefined;
    const made = echarts.init(box.current);
    chart.current = made;
    const watch = new ResizeObserver(() => made.resize());
    watch.observe(box.current);
    return () => {
      watch.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);
  useEffect(() => {
    chart.current?.setOption(option(props, palette), { notMerge: true });
  }, [props, palette]);
  const label = useMemo(() => props.lines.map((l) => {
    const values = l.points.flatMap((x) => (x[1] === null ? [] : [x[1]]));
    const [min, max] = values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
    return t('chart.label', { title: `${l.name} (${l.unit})`, n: values.length, min: number(min), max: number(max) });
  }).join('; '), [props.lines, t]);
  return <div ref={box} className="chart" style={{ height: props.height ?? 320 }} role="img" aria-label={`${props.title}: ${label}`} />;
}
