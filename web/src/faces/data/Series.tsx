// Data: the series explorer: pick series, choose a stretch and a rollup, compare, take away. The
// choice lives in the address.
import { useMemo } from 'react';
import { Button, Input, Select } from 'antd';
import { address } from '../../api/client';
import { usePaged } from '../../api/pages';
import type { SeriesInfo } from '../../api/types';
import { DataTable, type Column } from '../../components/DataTable';
import { FlagTag } from '../../components/Marks';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SeriesChart, type SeriesPick } from '../../components/SeriesChart';
import { TimeRange, useStretch } from '../../components/TimeRange';
import { View } from '../../components/View';
import { useI18n, type Key } from '../../i18n';
import { useFilters } from '../../lib/at';
import { quantity } from '../../lib/format';
import { useNow } from '../../lib/now';
import { kindWords, PERIODS } from '../../lib/series';
import { say } from '../../lib/text';
import { dateTime } from '../../lib/time';

const MOST = 6;
const STEPS = ['auto', 'raw', 'thin', '10 min', '1 h', '1 d'] as const;
const SEPARATOR = '~';

export const toName = (s: Pick<SeriesPick, 'thing' | 'property' | 'kind'>): string => [s.thing, s.property, s.kind].join(SEPARATOR);
export function fromName(name: string): SeriesPick | null {
  const [thing, property, kind] = name.split(SEPARATOR);
  return thing && property && kind ? { thing, property, kind } : null;
}

export default function Series() {
  const { t, lang } = useI18n();
  const filters = useFilters();
  const stretch = useStretch(useNow());
  const chosenText = filters.get('series');
  const chosen = useMemo(() => chosenText.split(',').flatMap((n) => fromName(n) ?? []).slice(0, MOST), [chosenText]);
  const choose = (next: SeriesPick[]) => filters.set({ series: next.map(toName).join(',') });
  const params = { thing: filters.get('thing'), property: filters.get('property'), kind: filters.get('kind') };
  const paged = usePaged<SeriesInfo>('/series', params, { limit: 20 });
  const step = filters.get('step') || 'auto';
  const first = chosen[0];
  const range = first ? { thing: first.thing, property: first.property, kind: first.kind, from: stretch.fromText, to: stretch.toText } : null;
  const kinds = PERIODS.flatMap((p) => (p === 'real_time' ? [p] : [`${p}.mean`, `${p}.min`, `${p}.max`, `${p}.total`]));
  const columns: Column<SeriesInfo>[] = [
    { key: 'thing', title: t('data.thing'), render: (s) => <code>{s.thing}</code> },
    { key: 'property', title: t('word.property'), render: (s) => <>{say(s.title, lang)} <span className="muted small">{s.property}</span></> },
    { key: 'kind', title: t('data.kind'), render: (s) => kindWords(s.kind, t) },
    { key: 'latest', title: t('data.latest'), align: 'right', render: (s) => quantity(s.latest?.value, s.unit) },
    { key: 'flag', title: t('word.flag'), render: (s) => <FlagTag flag={s.latest?.flag} />, spare: true },
    { key: 'time', title: t('word.time'), render: (s) => dateTime(s.latest?.time) },
  ];
  const selected = chosen.map(toName);
  const onSelect = (keys: string[]) => choose(keys.flatMap((k) => fromName(k) ?? []).slice(0, MOST));
  return (
    <>
      <PageHead title={t('data.series')} sub={t('data.series_help')} />
      <section className="card">
        <div className="filters">
          <TimeRange stretch={stretch} />
          <label>{t('data.step')}<Select style={{ minWidth: 150 }} aria-label={t('data.step')} value={step} onChange={(v: string) => filters.set({ step: v })} options={STEPS.map((s) => ({ value: s, label: t(`data.step_${s}` as Key) }))} /></label>
        </div>
        {chosen.length ? (
          <>
            <ul className="row" style={{ listStyle: 'none', padding: 0, margin: '0 0 8px' }} aria-label={t('data.chosen')}>
              {chosen.map((s) => <li key={toName(s)} className="tag plain">{s.thing} · {s.property} · {kindWords(s.kind, t)} <button type="button" className="link" aria-label={`${t('data.remove')} ${s.thing} ${s.property}`} onClick={() => choose(chosen.filter((c) => toName(c) !== toName(s)))}>✕</button></li>)}
            </ul>
            <SeriesChart title={t('data.series')} series={chosen} from={stretch.from} to={stretch.to} step={step} height={420} />
          </>
        ) : <p className="state">{t('data.none_chosen')}</p>}
      </section>
      <section className="card">
        <div className="filters">
          <label>{t('data.thing')}<span data-search><Input.Search allowClear defaultValue={params.thing} onSearch={(v) => filters.set({ thing: v.trim() })} /></span></label>
          <label>{t('word.property')}<Input.Search allowClear defaultValue={params.property} onSearch={(v) => filters.set({ property: v.trim() })} /></label>
          <label>{t('data.kind')}<Select style={{ minWidth: 150 }} aria-label={t('data.kind')} value={params.kind} onChange={(v: string) => filters.set({ kind: v })} options={[{ value: '', label: t('word.all') }, ...kinds.map((k) => ({ value: k, label: kindWords(k, t) }))]} /></label>
        </div>
        <View query={paged.query} empty={(p) => p.items.length === 0 && paged.page === 0} emptyText={t('data.series_empty')}>
          {(p) => (
            <DataTable<SeriesInfo> name="series" caption={t('data.series_caption')} rows={p.items} rowKey={toName} columns={columns} loading={paged.query.isPlaceholderData} total={p.total} page={paged.page} hasNext={p.next !== null} onPage={paged.turn}
              selected={selected} onSelect={(keys) => onSelect([...selected.filter((k) => keys.includes(k)), ...keys.filter((k) => !selected.includes(k))])}
              onOpen={(s) => { if (!selected.includes(toName(s))) choose([...chosen, { thing: s.thing, property: s.property, kind: s.kind }].slice(-MOST)); }}
              tools={chosen.length ? <Button onClick={() => choose([])}>{t('verb.clear')}</Button> : null} />
          )}
        </View>
      </section>
      <Provenance asOf={paged.query.dataUpdatedAt} source="observations" path={range ? '/series/range' : '/series'} params={range ? { ...range, step } : params}
        downloads={chosen.flatMap((s) => (['csv', 'xlsx', 'parquet'] as const).map((format) => ({ text: `${s.property} ${format.toUpperCase()}`, href: address('/series/export', { thing: s.thing, property: s.property, kind: s.kind, from: stretch.fromText, to: stretch.toText, format }) })))} />
    </>
  );
}
