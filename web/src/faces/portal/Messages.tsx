// Portal: one's own inbox: what the city told one, the newest first; opened ones are marked as read.
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { get as ask, type ApiError } from '../../api/client';
import type { Page } from '../../api/types';
import { markRead, type InboxEntry } from '../../api/visiting';
import { FormFault, useAct } from '../../components/Inputs';
import { Choices } from '../../components/Licence';
import { PageHead } from '../../components/PageHead';
import { Skeleton } from '../../components/Skeleton';
import { Empty, Failure } from '../../components/View';
import { useI18n } from '../../i18n';
import { useFilters } from '../../lib/at';
import { dateTime } from '../../lib/time';
import { pageOf } from '../../lib/visits';
import { PortalGate } from './PortalGate';
import '../../components/licences.css';
import '../../components/services.css';

function List() {
  const { t, w } = useI18n();
  const client = useQueryClient();
  const { get, set } = useFilters();
  const act = useAct();
  const unread = get('show') === 'unread';
  const query = useInfiniteQuery<Page<InboxEntry>, ApiError, { pages: Page<InboxEntry>[] }, unknown[], string | null>({
    queryKey: ['/messages', { unread }],
    queryFn: ({ pageParam, signal }) => ask<Page<InboxEntry>>('/messages', { unread: unread || null, after: pageParam, limit: 30 }, signal),
    initialPageParam: null,
    getNextPageParam: (last) => last.next,
  });
  const read = async (which: Parameters<typeof markRead>[0]) => {
    await act.run(() => markRead(which));
    void client.invalidateQueries({ queryKey: ['/messages'] });
  };
  const all = query.data?.pages.flatMap((p) => p.items) ?? [];
  return (
    <>
      <div className="service-filters">
        <Choices name="show" legend={t('verb.filter')} value={unread ? 'unread' : 'all'} onChange={(v) => set({ show: v === 'unread' ? v : null })} options={[{ value: 'all', text: t('inbox.all') }, { value: 'unread', text: t('inbox.unread_only') }]} />
        {all.some((m) => !m.read_at) ? <button type="button" className="button" disabled={act.busy} onClick={() => { void read('all'); }}>{t('inbox.read_all')}</button> : null}
      </div>
      <FormFault error={act.error} />
      {query.error && !query.data ? <Failure error={query.error} retry={() => { void query.refetch(); }} /> : null}
      {!query.data && !query.error ? <Skeleton /> : null}
      {query.data && all.length === 0 ? <Empty text={t('inbox.empty')} /> : null}
      {all.map((m) => {
        const to = pageOf(m.about);
        return (
          <details key={m.id} className="card" data-message={m.id} onToggle={(e) => { if (e.currentTarget.open && !m.read_at) void read({ ids: [m.id] }); }}>
            <summary>{m.read_at ? null : <strong className="tag plain">{t('inbox.new')}</strong>} <strong>{w(m.subject)}</strong> <span className="muted small">{dateTime(m.at)}</span></summary>
            <p style={{ whiteSpace: 'pre-line' }}>{w(m.text)}</p>
            {to ? <p><Link to={to}>{t('inbox.open')}</Link></p> : null}
          </details>
        );
      })}
      {query.hasNextPage ? <p><button type="button" className="button" disabled={query.isFetchingNextPage} onClick={() => { void query.fetchNextPage(); }}>{t('svc.more')}</button></p> : null}
    </>
  );
}

/** The same for members of an office: deadlines that come near, tasks that are urged, documents to read. */
export function DeskMessages() {
  const { t } = useI18n();
  return (
    <>
      <PageHead title={t('inbox.desk_title')} sub={t('inbox.desk_sub')} />
      <List />
    </>
  );
}

export default function Messages() {
  const { t } = useI18n();
  return (
    <div className="one-thing">
      <PageHead title={t('inbox.title')} sub={t('inbox.sub')} back={{ to: '/portal', text: t('portal.home') }} />
      <PortalGate><List /></PortalGate>
    </div>
  );
}
