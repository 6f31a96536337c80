// Data: the indicators of the city: number, target, trend, where the target comes from.
import { Link } from 'react-router';
import { useApi } from '../../api/hooks';
import type { Indicator, List } from '../../api/types';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { saveRows, type SimpleColumn } from '../../components/SimpleTable';
import { Spark } from '../../components/Spark';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { quantity } from '../../lib/format';
import { dateTime } from '../../lib/time';

/** True when met, false when missed, null when there is no target or no figure. */
export function met(i: Pick<Indicator, 'value' | 'target' | 'better'>): boolean | null {
  if (i.value === null || i.target === null) return null;
  return i.better === 'higher' ? i.value >= i.target : i.value <= i.target;
}

export default function Indicators() {
  const { t, w } = useI18n();
  const query = useApi<List<Indicator>>('/indicators', undefined, { every: 60_000, keep: true });
  const columns: SimpleColumn<Indicator>[] = [
    { title: t('word.code'), cell: (i) => `${i.system}.${i.name}` }, { title: t('word.name'), cell: (i) => w(i.title) },
    { title: t('word.value'), cell: (i) => i.value ?? '' }, { title: t('word.target'), cell: (i) => i.target ?? '' }, { title: t('word.unit'), cell: (i) => i.unit }, { title: t('source.as_of'), cell: (i) => i.computed_at ?? '' },
  ];
  return (
    <>
      <PageHead title={t('data.indicators')} />
      <View query={query} empty={(d) => d.items.length === 0} emptyText={t('data.indicators_empty')}>
        {(d) => (
          <ul className="grid two" style={{ listStyle: 'none', padding: 0 }}>
            {d.items.map((i) => {
              const state = met(i);
              return (
                <li key={`${i.system}.${i.name}`} className="card" style={{ marginBottom: 0 }}>
                  <h2>{w(i.title)}</h2>
                  <p className="figure-line"><strong style={{ fontSize: '2rem' }} className={state === false ? 'over' : ''}>{quantity(i.value, i.unit)}</strong><Spark points={i.trend ?? []} target={i.target} width={200} height={44} /></p>
                  <p>{i.target === null ? t('data.no_target') : <>{t('word.target')} {i.better === 'higher' ? '≥' : '≤'} {quantity(i.target, i.unit)} · {state === null ? '—' : state ? `✓ ${t('data.met')}` : `✗ ${t('data.missed')}`} · {t(i.better === 'higher' ? 'data.better_higher' : 'data.better_lower')}</>}</p>
                  <p className="muted small">{t('data.computed', { time: dateTime(i.computed_at) })}{i.source ? ` · ${t('data.target_source', { source: i.source })}` : ''} · <code>{i.system}.{i.name}</code>{i.page ? <> · <Link to={i.page}>{t('data.parts')}</Link></> : null}</p>
                </li>
              );
            })}
          </ul>
        )}
      </View>
      <Provenance asOf={query.dataUpdatedAt} source="indicators" path="/indicators" downloads={[{ text: 'CSV', save: () => saveRows('indicators.csv', columns, query.data?.items ?? []) }]} />
    </>
  );
}
