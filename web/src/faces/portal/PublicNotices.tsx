// Portal: notices of the city's offices to the public, pinned ones first; for anybody.
import { Link, useNavigate, useParams } from 'react-router';
import { useApi } from '../../api/hooks';
import { paths, publicFileAddress, type Notice } from '../../api/office';
import { usePaged } from '../../api/pages';
import { Attachments } from '../../components/Attachments';
import { DataTable, type Column } from '../../components/DataTable';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { useOrganisations } from '../../lib/organisations';
import { dateTime } from '../../lib/time';

const to = (notice: Notice) => `/portal/notices/${encodeURIComponent(notice.id)}`;

export default function PublicNotices() {
  const { t } = useI18n();
  const { id } = useParams();
  return (
    <>
      <PageHead title={t('office.public')} sub={t('office.public_sub')} {...(id ? { back: { to: '/portal/notices', text: t('office.public') } } : {})} />
      {id ? <One id={id} /> : <List />}
    </>
  );
}

function List() {
  const { t } = useI18n();
  const navigate = useNavigate();
  const nameOf = useOrganisations();
  const paged = usePaged<Notice>(paths.publicNotices, {}, { every: 60_000 });
  const columns: Column<Notice>[] = [
    { key: 'title', title: t('word.title'), width: 280, render: (n) => <Link to={to(n)}>{n.pinned ? `【${t('office.pinned')}】` : ''}{n.title}</Link> },
    { key: 'organisation', title: t('app.organisation'), render: (n) => nameOf(n.organisation) },
    { key: 'at', title: t('office.published_at'), render: (n) => dateTime(n.at) },
  ];
  return (
    <>
      <View query={paged.query} empty={(p) => p.items.length === 0 && paged.page === 0} emptyText={t('office.public_none')} lines={6}>
        {(p) => <DataTable<Notice> name="public-notices" caption={t('office.public')} rows={p.items} rowKey={(n) => n.id} columns={columns} total={p.total} page={paged.page} hasNext={p.next !== null} onPage={paged.turn} onOpen={(n) => { void navigate(to(n)); }} />}
      </View>
      <Provenance asOf={paged.query.dataUpdatedAt} source="office" path={paths.publicNotices} />
    </>
  );
}

function One({ id }: { id: string }) {
  const { t } = useI18n();
  const nameOf = useOrganisations();
  const query = useApi<Notice>(paths.publicNotice(id));
  return (
    <View query={query} lines={6}>
      {(n) => (
        <>
          <article className="card" aria-label={n.title}>
            <h2>{n.title}</h2>
            <p className="muted small">{nameOf(n.organisation)} · {dateTime(n.at)}{n.to ? ` · ${t('office.until', { at: dateTime(n.to) })}` : ''}</p>
            <p className="prose">{n.body}</p>
            <Attachments files={n.attachments} address={publicFileAddress(n.id)} />
          </article>
          <Provenance asOf={query.dataUpdatedAt} source="office" path={paths.publicNotice(id)} />
        </>
      )}
    </View>
  );
}
