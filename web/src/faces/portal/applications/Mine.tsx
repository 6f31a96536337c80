// Portal: my matters: drafts on top, then what was handed in, each with its line of progress and
// what is wanted of me.
import { useState } from 'react';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { APPLICATIONS, discardDraft, type Application, type DraftLine } from '../../../api/applications';
import { get as ask, type ApiError } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { Page } from '../../../api/types';
import { FormFault, useAct } from '../../../components/Inputs';
import { Choices } from '../../../components/Licence';
import { PageHead } from '../../../components/PageHead';
import { useDepartments } from '../../../components/Service';
import { Skeleton } from '../../../components/Skeleton';
import { Empty, Failure } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useFilters } from '../../../lib/at';
import { date, dateTime } from '../../../lib/time';
import { LookedAtFor, PortalGate } from '../PortalGate';
import { ApplicationCard } from './Card';
import '../../../components/inputs.css';
import '../../../components/licences.css';

const AT_ONCE = 30;
const SHOWN = { all: '', open: 'submitted,correction,accepted', todo: 'correction', ended: 'not_accepted,approved,refused,withdrawn,terminated' } as const;
type Show = keyof typeof SHOWN;

function DraftItem({ line }: { line: DraftLine }) {
  const { t, w } = useI18n();
  const client = useQueryClient();
  const act = useAct();
  const [sure, setSure] = useState(false);
  const remove = async () => {
    const done = await act.run(() => discardDraft(line.id).then(() => true));
    if (done) void client.invalidateQueries({ queryKey: ['/drafts'] });
  };
  return (
    <li>
      <div><strong>{w(line.title)}</strong></div>
      <div className="muted small">{t('app.draft_saved', { time: dateTime(line.saved_at), day: date(line.expires_at) })}</div>
      <FormFault error={act.error} />
      {sure ? (
        <div role="alert" className="stack"><p>{t('app.draft_sure')}</p><p className="row"><button type="button" className="button" disabled={act.busy} onClick={() => { void remove(); }}>{t('app.draft_delete')}</button><button type="button" className="button" onClick={() => setSure(false)}>{t('app.draft_keep')}</button></p></div>
      ) : (
        <p className="row">
          <Link className="button strong" to={`/apply/${encodeURIComponent(line.id)}`} aria-label={`${t('app.draft_go')} ${w(line.title)}`}>{t('app.draft_go')}</Link>
          <button type="button" className="button" aria-label={t('app.draft_delete_named', { name: w(line.title) })} onClick={() => setSure(true)}>{t('app.draft_delete')}</button>
        </p>
      )}
    </li>
  );
}

function Drafts() {
  const { t } = useI18n();
  const query = useApi<{ items: DraftLine[] }>('/drafts');
  const items = query.data?.items ?? [];
  if (query.error && !query.data) return <Failure error={query.error} retry={() => { void query.refetch(); }} />;
  if (items.length === 0) return null;
  return (
    <section className="card" aria-labelledby="drafts">
      <h2 id="drafts">{t('app.drafts')}</h2>
      <ul className="tie-list">{items.map((d) => <DraftItem key={d.id} line={d} />)}</ul>
    </section>
  );
}

function HandedIn() {
  const { t } = useI18n();
  const { get, set } = useFilters();
  const { name } = useDepartments();
  const wish = get('show');
  const show: Show = wish === 'open' || wish === 'todo' || wish === 'ended' ? wish : 'all';
  const params = { mine: true, state: SHOWN[show], limit: AT_ONCE };
  const query = useInfiniteQuery<Page<Application>, ApiError, { pages: Page<Application>[] }, unknown[], string | null>({
    queryKey: [APPLICATIONS, params, 'mine'],
    queryFn: ({ pageParam, signal }) => ask<Page<Application>>(APPLICATIONS, { ...params, after: pageParam }, signal),
    initialPageParam: null,
    getNextPageParam: (last) => last.next,
    placeholderData: (before) => before,
  });
  const all = query.data?.pages.flatMap((p) => p.items) ?? [];
  return (
    <section aria-labelledby="handed-in">
      <h2 id="handed-in">{t('app.list')}</h2>
      <div className="service-filters">
        <Choices name="show" legend={t('app.filter')} value={show} onChange={(v) => set({ show: v === 'all' ? null : v })} options={(['all', 'open', 'todo', 'ended'] as const).map((v) => ({ value: v, text: t(`app.filter_${v}`) }))} />
      </div>
      {query.error && !query.data ? <Failure error={query.error} retry={() => { void query.refetch(); }} /> : null}
      {!query.data && !query.error ? <Skeleton /> : null}
      {query.data && all.length === 0 ? <Empty text={<>{t('app.none')} <Link to="/services">{t('svc.title')}</Link></>} /> : null}
      <ul className="service-cards">{all.map((a) => <ApplicationCard key={a.id} application={a} department={name(a.organisation)} />)}</ul>
      {query.hasNextPage ? <p><button type="button" className="button" disabled={query.isFetchingNextPage} onClick={() => { void query.fetchNextPage(); }}>{t('svc.more')}</button></p> : null}
    </section>
  );
}

export default function Mine() {
  const { t } = useI18n();
  return (
    <>
      <PageHead title={t('app.mine')} sub={t('app.mine_sub')}><Link className="button strong" to="/services">{t('svc.title')}</Link></PageHead>
      <PortalGate><LookedAtFor /><Drafts /><HandedIn /></PortalGate>
    </>
  );
}
