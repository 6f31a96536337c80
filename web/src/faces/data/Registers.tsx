// Data: all registers of the city.
import { Link } from 'react-router';
import { useRegisters } from '../../api/registers';
import type { Register } from '../../api/types';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { saveRows, SimpleTable, type SimpleColumn } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { number } from '../../lib/format';

export default function Registers() {
  const { t, w } = useI18n();
  const { query, items } = useRegisters();
  const columns: SimpleColumn<Register>[] = [
    { title: t('word.name'), cell: (r) => <Link to={`/data/registers/${r.name}`}>{w(r.title)}</Link>, file: (r) => w(r.title) },
    { title: t('word.code'), cell: (r) => <code>{r.name}</code>, file: (r) => r.name },
    { title: t('data.system'), cell: (r) => r.system },
    { title: t('data.owner'), cell: (r) => r.owner },
    { title: t('data.fields'), cell: (r) => number(r.fields.length, 0), right: true },
    { title: t('data.records'), cell: (r) => number(r.count, 0), file: (r) => r.count, right: true },
  ];
  return (
    <>
      <PageHead title={t('data.registers')} />
      <section className="card">
        <View query={query} empty={(d) => d.items.length === 0} emptyText={t('data.registers_empty')}>
          {() => <SimpleTable caption={t('data.registers_caption')} columns={columns} rows={items} rowKey={(r) => r.name} />}
        </View>
      </section>
      <Provenance asOf={query.dataUpdatedAt} source="registers" path="/registers" downloads={[{ text: 'CSV', save: () => saveRows('registers.csv', columns, items) }]} />
    </>
  );
}
