// Desk: applications received: queues with exact counts, filters in the address, the clock's light,
// exports of what is selected or of everything that matches.
import { useState } from 'react';
import { Button, Input, Select } from 'antd';
import { Link, useNavigate } from 'react-router';
import { useApi } from '../../../api/hooks';
import { usePaged } from '../../../api/pages';
import type { Page } from '../../../api/types';
import { APPLICATIONS, APPLICATION_STATES, type Application } from '../../../api/applications';
import { CHANNELS, type ItemLine } from '../../../api/items';
import { DataTable, type Column } from '../../../components/DataTable';
import { Light } from '../../../components/Light';
import { PageHead } from '../../../components/PageHead';
import { Provenance } from '../../../components/Provenance';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useFilters } from '../../../lib/at';
import { number } from '../../../lib/format';
import { QUEUES, queueParams, type Queue } from '../../../lib/matter';
import { useOrganisationList, useOrganisations } from '../../../lib/organisations';
import { dateTime, lastMoment } from '../../../lib/time';
import { useSession } from '../../../shell/session';
import { Exports } from '../cases/Exports';
import '../alert/alerts.css';
import '../cases/cases.css';

const FILTERS = ['item', 'organisation', 'channel', 'text'] as const;

function QueueTab({ queue, now, onPick }: { queue: Queue; now: boolean; onPick: () => void }) {
  const { t } = useI18n();
  const count = useApi<Page<Application>>(APPLICATIONS, { ...queueParams(queue), limit: 1 }, { every: 15_000, keep: true });
  return <li><button type="button" className={now ? 'queue now' : 'queue'} aria-current={now ? 'true' : undefined} onClick={onPick}><span>{t(`intake.queue_${queue}`)}</span> <strong className="num">{number(count.data?.total, 0)}</strong></button></li>;
}

export default function Intake() {
  const { t, w } = useI18n();
  const { session, may } = useSession();
  const filters = useFilters();
  const navigate = useNavigate();
  const nameOf = useOrganisations();
  const organisations = useOrganisationList();
  const [selected, setSelected] = useState<string[]>([]);
  const queue = QUEUES.find((q) => q === filters.get('queue')) ?? 'submitted';
  const params = { ...queueParams(queue), ...Object.fromEntries(FILTERS.map((name) => [name, filters.get(name)])) };
  const paged = usePaged<Application>(session === null ? null : APPLICATIONS, params, { every: 15_000 });
  const query = paged.query;
  const items = useApi<{ items: ItemLine[] }>('/items', { limit: 200 });
  const all = { value: '', label: t('word.all') };
  const columns: Column<Application>[] = [
    { key: 'due', title: t('clock.title'), render: (a) => <Light left={a.due} /> },
    { key: 'number', title: t('intake.number'), render: (a) => <Link to={`/desk/applications/${encodeURIComponent(a.id)}`}>{a.number}</Link> },
    { key: 'title', title: t('intake.item'), width: 170, render: (a) => w(a.title) },
    { key: 'applicant', title: t('intake.applicant'), render: (a) => <>{a.applicant.name}{a.applicant.agent ? <span className="muted"> · {t('intake.agent', { name: a.applicant.agent })}</span> : null}</> },
    { key: 'document', title: t('intake.document'), spare: true, render: (a) => a.applicant.number },
    { key: 'state', title: t('word.state'), render: (a) => <span className={`tag plain state-${APPLICATION_STATES.indexOf(a.state) >= 4 ? 'closed' : 'open'}`}>{w(a.refusal) || t(`matter.state_${a.state}`)}</span> },
    { key: 'channel', title: t('intake.channel'), render: (a) => t(`desk_channel.${a.channel}`) },
    { key: 'organisation', title: t('app.organisation'), spare: true, render: (a) => nameOf(a.organisation) },
    { key: 'submitted', title: t('intake.submitted'), render: (a) => dateTime(a.submitted_at) },
    { key: 'delivery', title: t('intake.delivery'), spare: queue !== 'undelivered', render: (a) => (a.delivery ? `${t(`desk_delivery.${a.delivery.way}`)} · ${t(`desk_delivery.state_${a.delivery.state}`)}` : '—') },
    { key: 'rating', title: t('intake.rating'), spare: queue !== 'unanswered', render: (a) => (a.rating === null ? '—' : t('intake.mark', { n: a.rating })) },
  ];
  const chosen = (query.data?.items ?? []).filter((a) => selected.includes(a.id));
  const head = [t('intake.number'), t('intake.item'), t('intake.applicant'), t('intake.document'), t('word.state'), t('intake.channel'), t('app.organisation'), t('intake.submitted'), t('matter.accepted_at'), t('matter.decided_at'), t('clock.title'), t('clock.due'), t('intake.rating')];
  const cells = (a: Application) => [a.number, w(a.title), a.applicant.name, a.applicant.number, w(a.refusal) || t(`matter.state_${a.state}`), t(`desk_channel.${a.channel}`), nameOf(a.organisation), dateTime(a.submitted_at), a.accepted_at ? dateTime(a.accepted_at) : '', a.decided_at ? dateTime(a.decided_at) : '', a.due ? t(`clock.${a.due.light}`) : '', a.due ? dateTime(lastMoment(a.due.due)) : '', a.rating ?? ''];
  return (
    <>
      <PageHead title={t('intake.title')} sub={t('intake.sub')}>
        {may('write', 'service_applications') ? <Link className="button" to="/desk/apply">{t('intake.apply')}</Link> : null}
      </PageHead>
      <div className="alert-desk">
        <aside aria-label={t('intake.queues')}>
          <ul className="queues">{session ? QUEUES.map((one) => <QueueTab key={one} queue={one} now={queue === one} onPick={() => { setSelected([]); filters.set({ queue: one === 'submitted' ? null : one }); }} />) : null}</ul>
        </aside>
        <div>
          <div className="filters">
            <label>{t('intake.item')}<Select aria-label={t('intake.item')} style={{ width: 220 }} showSearch optionFilterProp="label" value={filters.get('item')} onChange={(v) => filters.set({ item: v || null })} options={[all, ...(items.data?.items ?? []).map((i) => ({ value: i.item, label: w(i.title) }))]} /></label>
            {organisations.length ? <label>{t('app.organisation')}<Select aria-label={t('app.organisation')} style={{ width: 200 }} showSearch optionFilterProp="label" value={filters.get('organisation')} onChange={(v) => filters.set({ organisation: v || null })} options={[all, ...organisations.map((o) => ({ value: o.code, label: w(o.title) }))]} /></label> : null}
            <label>{t('intake.channel')}<Select aria-label={t('intake.channel')} style={{ width: 130 }} value={filters.get('channel')} onChange={(v) => filters.set({ channel: v || null })} options={[all, ...CHANNELS.map((c) => ({ value: c as string, label: t(`desk_channel.${c}`) }))]} /></label>
            <label>{t('verb.search')}<span data-search><Input.Search id="search" key={filters.get('text')} defaultValue={filters.get('text')} allowClear placeholder={t('intake.text')} onSearch={(v) => filters.set({ text: v.trim() || null })} /></span></label>
            {FILTERS.some((name) => filters.get(name)) ? <Button onClick={() => filters.set(Object.fromEntries(FILTERS.map((name) => [name, null])))}>{t('verb.clear')}</Button> : null}
          </div>
          <View query={query} empty={(p) => p.items.length === 0 && paged.page === 0} emptyText={t(`intake.empty_${queue === 'submitted' ? 'submitted' : 'other'}`)} lines={10}>
            {(p) => (
              <DataTable<Application> name="intake" caption={t('intake.caption')} rows={p.items} rowKey={(a) => a.id} columns={columns} loading={query.isPlaceholderData}
                total={p.total} page={paged.page} hasNext={p.next !== null} onPage={paged.turn} onOpen={(a) => { void navigate(`/desk/applications/${encodeURIComponent(a.id)}`); }}
                selected={selected} onSelect={setSelected}
                tools={<Exports<Application> name="applications" path={APPLICATIONS} params={params} selected={chosen} head={head} cells={cells} />} />
            )}
          </View>
        </div>
      </div>
      <Provenance asOf={query.dataUpdatedAt} source="applications" path={APPLICATIONS} params={params} />
    </>
  );
}
