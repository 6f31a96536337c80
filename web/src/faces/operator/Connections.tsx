// Operator: open connections of the gateways.
import { useApi } from '../../api/hooks';
import type { List } from '../../api/types';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { saveRows, SimpleTable, type SimpleColumn } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { bytes, number } from '../../lib/format';
import { dateTimeSeconds } from '../../lib/time';

interface Connection { gateway: string; peer: string; thing: string | null; since: string; frames: number; bytes: number }

export default function Connections() {
  const { t } = useI18n();
  const query = useApi<List<Connection>>('/operator/connections', undefined, { every: 5_000, keep: true });
  const columns: SimpleColumn<Connection>[] = [
    { title: t('operator.peer'), cell: (c) => c.peer },
    { title: t('word.device'), cell: (c) => c.thing ?? t('operator.unidentified') },
    { title: t('operator.gateways'), cell: (c) => c.gateway },
    { title: t('operator.since'), cell: (c) => dateTimeSeconds(c.since) },
    { title: t('operator.frames'), cell: (c) => number(c.frames, 0), file: (c) => c.frames, right: true },
    { title: t('operator.bytes'), cell: (c) => bytes(c.bytes), file: (c) => c.bytes, right: true },
  ];
  return (
    <>
      <PageHead title={t('operator.connections')} />
      <section className="card">
        <View query={query} empty={(d) => d.items.length === 0} emptyText={t('operator.connections_empty')}>
          {(d) => <><p>{t('table.total', { n: number(d.items.length, 0) })}</p><SimpleTable caption={t('operator.connections_caption')} columns={columns} rows={d.items} rowKey={(c, i) => `${c.peer} ${i}`} /></>}
        </View>
      </section>
      <Provenance asOf={query.dataUpdatedAt} source="gateways" path="/operator/connections" downloads={[{ text: 'CSV', save: () => saveRows('connections.csv', columns, query.data?.items ?? []) }]} />
    </>
  );
}
