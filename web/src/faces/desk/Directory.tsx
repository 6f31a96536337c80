// Desk: the directory: who works where, in which position, under which number.
import { Input } from 'antd';
import { Link } from 'react-router';
import { usePaged } from '../../api/pages';
import type { components } from '../../api/schema';
import { DataTable } from '../../components/DataTable';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { View } from '../../components/View';
import { useI18n, type Key } from '../../i18n';
import { useFilters } from '../../lib/at';
import { personName } from '../../lib/person';
import { useSession } from '../../shell/session';

type Entry = components['schemas']['DirectoryEntry'];

export default function Directory() {
  const { t, w, lang } = useI18n();
  const { may } = useSession();
  const filters = useFilters();
  const text = filters.get('text');
  const paged = usePaged<Entry>('/directory', { text });
  const manages = may('write', 'organisations');
  return (
    <>
      <PageHead title={t('directory.title')} />
      <section className="card">
        <Input.Search defaultValue={text} allowClear aria-label={t('directory.search')} placeholder={t('directory.search')} onSearch={(v) => filters.set({ text: v || null })} />
        <View query={paged.query} empty={(d) => d.items.length === 0} emptyText={t('directory.empty')}>
          {(d) => (
            <DataTable<Entry> name="directory" caption={t('directory.caption')} rows={d.items} rowKey={(e) => e.appointment} total={d.total} page={paged.page} hasNext={d.next !== null} onPage={paged.turn} columns={[
              { key: 'name', title: t('org.person'), render: (e) => manages ? <Link to={`/operator/members/${encodeURIComponent(e.account)}`}>{personName(e.account, e.name, lang)}</Link> : personName(e.account, e.name, lang) },
              { key: 'organisation', title: t('org.title'), render: (e) => w(e.organisation_title) },
              { key: 'title', title: t('org.position'), render: (e) => w(e.title) },
              { key: 'rank', title: t('org.rank'), render: (e) => t(`rank.${e.rank}` as Key), spare: true },
              { key: 'phone', title: t('org.phone'), render: (e) => e.phone ? <a href={`tel:${e.phone}`}>{e.phone}</a> : '—' },
              { key: 'room', title: t('org.room'), render: (e) => e.room || '—' },
              { key: 'state', title: t('word.state'), render: (e) => e.away ? e.substitute ? t('org.away_by', { name: e.substitute }) : t('org.away') : '—' },
            ]} />
          )}
        </View>
      </section>
      <Provenance asOf={paged.query.dataUpdatedAt} source="organisations" path="/directory" />
    </>
  );
}
