// Component: a stretch of time, kept in the address: the last hours or days, or two instants in
// Beijing time whatever the clock of the reader's computer says.
import { DatePicker, Segmented } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { useMemo } from 'react';
import { useFilters } from '../lib/at';
import { useI18n, type Key } from '../i18n';
import { dateTime, DAY_MS, fromBeijing, HOUR_MS, rfc3339 } from '../lib/time';

export type Span = 'hour' | '6h' | 'day' | 'week' | 'month';
const SPANS: Record<Span, number> = { hour: HOUR_MS, '6h': 6 * HOUR_MS, day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS };
const GRAIN_MS = 60_000;

/** The pickers work in the reader's local time; wall times are carried over as text. */
export const toPicker = (at: number): Dayjs => dayjs(dateTime(at));
export const fromPicker = (at: Dayjs): number => fromBeijing(at.format('YYYY-MM-DD HH:mm'));

export interface Stretch { from: number; to: number; span: Span | null; fromText: string; toText: string }

/** The chosen stretch; `now` is the city's clock. */
export function useStretch(now: number, fallback: Span = 'day'): Stretch & { choose: (span: Span) => void; set: (from: number, to: number) => void } {
  const { get, set } = useFilters();
  const from = Date.parse(get('from'));
  const to = Date.parse(get('to'));
  const fixed = Number.isFinite(from) && Number.isFinite(to) && from < to;
  const span = fixed ? null : ((get('span') in SPANS ? get('span') : fallback) as Span);
  const rounded = Math.ceil(now / GRAIN_MS) * GRAIN_MS;
  return useMemo(() => {
    const range = fixed || span === null ? { from, to } : { from: rounded - SPANS[span], to: rounded };
    return {
      ...range, span, fromText: rfc3339(range.from), toText: rfc3339(range.to),
      choose: (next: Span) => set({ span: next, from: null, to: null }),
      set: (a: number, b: number) => set({ span: null, from: rfc3339(a), to: rfc3339(b) }),
    };
  }, [fixed, from, to, span, rounded, set]);
}

export function TimeRange({ stretch, spans = ['hour', '6h', 'day', 'week', 'month'] }: { stretch: ReturnType<typeof useStretch>; spans?: Span[] }) {
  const { t } = useI18n();
  const options = [...spans.map((s) => ({ value: s as string, label: t(`range.${s}` as Key) })), ...(stretch.span ? [] : [{ value: 'custom', label: t('range.custom') }])];
  return (
    <div className="row no-print" role="group" aria-label={t('word.range')}>
      <Segmented value={stretch.span ?? 'custom'} options={options} onChange={(v) => { if (v !== 'custom') stretch.choose(v as Span); }} />
      <DatePicker.RangePicker
        showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" allowClear={false}
        value={[toPicker(stretch.from), toPicker(stretch.to)]}
        onChange={(v) => { if (v?.[0] && v[1]) stretch.set(fromPicker(v[0]), fromPicker(v[1])); }}
        aria-label={t('word.range')}
      />
    </div>
  );
}
