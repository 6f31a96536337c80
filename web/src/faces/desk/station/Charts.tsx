// Desk, station: charts of chosen properties, minute, hour or day, with limit lines and odd flags.
import { useMemo } from 'react';
import { Segmented, Select } from 'antd';
import { useApi } from '../../../api/hooks';
import type { Station } from '../../../api/environment';
import type { Page, SeriesInfo } from '../../../api/types';
import { SeriesChart } from '../../../components/SeriesChart';
import { TimeRange, useStretch } from '../../../components/TimeRange';
import { View } from '../../../components/View';
import { useI18n, type Key } from '../../../i18n';
import { useAt, useFilters } from '../../../lib/at';
import { number } from '../../../lib/format';
import { useNow } from '../../../lib/now';
import { kindParts, kindWords, PERIODS, type Period } from '../../../lib/series';
import { say } from '../../../lib/text';
import { ms } from '../../../lib/time';

/** The finest period that reaches back to the beginning of the stretch, else the one that reaches furthest. */
export function usualPeriod(all: SeriesInfo[], from: number): Period | undefined {
  const reach = PERIODS.flatMap((period) => {
    const firsts = all.filter((s) => kindParts(s.kind).period === period).map((s) => ms(s.first));
    return firsts.length ? [{ period, first: Math.min(...firsts) }] : [];
  });
  const covering = reach.find((r) => r.first <= from);
  return covering?.period ?? reach.sort((a, b) => a.first - b.first)[0]?.period;
}

export default function Charts({ answer, thing }: { answer: Station; thing: string }) {
  const { t, lang } = useI18n();
  const { at } = useAt();
  const now = useNow();
  const filters = useFilters();
  const stretch = useStretch(at ? ms(at) : now);
  const series = useApi<Page<SeriesInfo>>('/series', { thing, limit: 500 });
  const all = series.data?.items ?? [];
  const periods = PERIODS.filter((p) => all.some((s) => kindParts(s.kind).period === p));
  const wanted = filters.get('period') as Period;
  const period = periods.includes(wanted) ? wanted : usualPeriod(all, stretch.from);
  const properties = useMemo(() => [...new Set(all.map((s) => s.property))], [all]);
  const firstKnown = answer.properties.find((p) => properties.includes(p.property))?.property ?? properties[0];
  const property = filters.get('property') && properties.includes(filters.get('property')) ? filters.get('property') : firstKnown;
  const kinds = all.filter((s) => s.property === property && period !== undefined && kindParts(s.kind).period === period).map((s) => s.kind);
  const usual = kinds.filter((k) => ['value', 'mean'].includes(kindParts(k).statistic));
  const chosen = (filters.get('kind') ? filters.get('kind').split(',') : []).filter((k) => kinds.includes(k));
  const shown = chosen.length ? chosen : usual.length ? usual : kinds.slice(0, 1);
  const title = say(answer.properties.find((p) => p.property === property)?.title ?? all.find((s) => s.property === property)?.title, lang) || property || '';
  const limits = answer.limits.filter((l) => l.property === property).map((l) => ({ value: l.limit, text: `${t('word.limit')} ${number(l.limit)}` }));
  const picks = useMemo(() => shown.map((kind) => ({ thing, property: property ?? '', kind, title })), [shown.join(), thing, property, title]);
  return (
    <View query={series} empty={(d) => d.items.length === 0} emptyText={t('station.no_values')}>
      {() => (
        <section className="card">
          <div className="filters">
            <label>{t('word.property')}
              <Select style={{ minWidth: 220 }} showSearch={{ optionFilterProp: 'label' }} value={property} aria-label={t('word.property')} onChange={(v: string) => filters.set({ property: v, kind: null })}
                options={properties.map((p) => ({ value: p, label: `${say(answer.properties.find((x) => x.property === p)?.title ?? all.find((s) => s.property === p)?.title, lang) || p} (${p})` }))} />
            </label>
            <label>{t('word.period')}
              <Segmented value={period} options={periods.map((p) => ({ value: p, label: t(`kind.${p}` as Key) }))} onChange={(v: Period) => filters.set({ period: v, kind: null })} />
            </label>
            <label>{t('data.kinds')}
              <Select mode="multiple" style={{ minWidth: 220 }} value={shown} aria-label={t('data.kinds')} onChange={(v: string[]) => filters.set({ kind: v.join(',') })} options={kinds.map((k) => ({ value: k, label: kindWords(k, t) }))} />
            </label>
          </div>
          <TimeRange stretch={stretch} />
          <SeriesChart title={title} series={picks} from={stretch.from} to={stretch.to} limits={limits} height={380} />
        </section>
      )}
    </View>
  );
}
