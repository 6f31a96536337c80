// Component: figures side by side as bars, two or more for each name; says in words what it shows. The
// same figures stand in a table beside it.
import { useEffect, useMemo, useRef } from 'react';
import type { EChartsCoreOption, EChartsType } from 'echarts/core';
import { echarts } from './echarts';
import { useTheme } from '../theme/theme';
import type { Palette } from '../theme/palette';

export interface BarRow { name: string; values: (number | null)[] }
interface Props { title: string; series: string[]; rows: BarRow[]; unit: string; show: (value: number) => string }

const ROW_PX = 46;
const FRAME_PX = 100;
/** Characters of a name on the axis; the table has the whole. */
const NAME = 14;

function option({ series, rows, unit, show }: Props, palette: Palette): EChartsCoreOption {
  const text = { color: palette.text, fontSize: 13 };
  return {
    animation: false, backgroundColor: 'transparent', textStyle: { ...text, fontFamily: getComputedStyle(document.body).fontFamily },
    // Told apart by pattern too, not by colour alone.
    aria: { enabled: true, label: { enabled: false }, decal: { show: true } },
    grid: { left: 8, right: 104, top: 36, bottom: 28, containLabel: true },
    legend: { top: 0, textStyle: text, data: series },
    tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' }, backgroundColor: palette.surface, borderColor: palette.line, textStyle: text, confine: true, valueFormatter: (v: unknown) => (typeof v === 'number' ? show(v) : '—') },
    xAxis: { type: 'value', name: unit, nameLocation: 'middle', nameTextStyle: text, nameGap: 28, axisLabel: { ...text, hideOverlap: true }, splitLine: { lineStyle: { color: palette.grid } } },
    yAxis: { type: 'category', inverse: true, data: rows.map((r) => r.name), axisLabel: { ...text, width: 120, overflow: 'break', formatter: (name: string) => (name.length > NAME ? `${name.slice(0, NAME - 1)}…` : name) }, axisLine: { lineStyle: { color: palette.line } }, axisTick: { show: false } },
    series: series.map((name, i) => ({
      name, type: 'bar', barMaxWidth: 16, itemStyle: { color: palette.series[i % palette.series.length] ?? palette.accent }, data: rows.map((r) => r.values[i] ?? null),
      label: { show: true, position: 'right', color: palette.text, fontSize: 12, formatter: (p: { value: unknown }) => (typeof p.value === 'number' ? show(p.value) : '') },
    })),
  };
}

export default function Bars(props: Props) {
  const { palette } = useTheme();
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const height = props.rows.length * ROW_PX + FRAME_PX;
  useEffect(() => {
    if (!box.current) return undefined;
    const made = echarts.init(box.current);
    chart.current = made;
    const watch = new ResizeObserver(() => made.resize());
    watch.observe(box.current);
    return () => { watch.disconnect(); made.dispose(); chart.current = null; };
  }, []);
  useEffect(() => { chart.current?.setOption(option(props, palette), { notMerge: true }); }, [props, palette]);
  const label = useMemo(() => props.rows.map((r) => `${r.name}: ${props.series.map((s, i) => { const v = r.values[i]; return `${s} ${typeof v === 'number' ? props.show(v) : '—'}`; }).join(', ')}`).join('; '), [props]);
  return <div ref={box} className="chart" style={{ height }} role="img" aria-label={`${props.title}: ${label}`} />;
}
