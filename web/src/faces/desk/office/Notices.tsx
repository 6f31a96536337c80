// Desk, office: notices: those for me, those I must confirm, those I published; who read them.
import { useState } from 'react';
import { App, Button, Checkbox, Input, Modal, Select } from 'antd';
import { Link, useNavigate, useParams } from 'react-router';
import { useApi } from '../../../api/hooks';
import { usePaged } from '../../../api/pages';
import type { Page } from '../../../api/types';
import type { FileLine } from '../../../api/applications';
import { confirmNotice, NOTICE_LISTS, officeFileAddress, paths, publishNotice, withdrawNotice, type Audience, type Notice, type ReadReceipt } from '../../../api/office';
import { AttachFiles, Attachments } from '../../../components/Attachments';
import { DataTable, type Column } from '../../../components/DataTable';
import { Faults } from '../../../components/Faults';
import { PageHead } from '../../../components/PageHead';
import { Provenance } from '../../../components/Provenance';
import { SimpleTable } from '../../../components/SimpleTable';
import { View } from '../../../components/View';
import { useI18n, type I18n } from '../../../i18n';
import { useFilters } from '../../../lib/at';
import { useAttempt } from '../../../lib/attempt';
import { useOrganisationList, useOrganisations } from '../../../lib/organisations';
import { dateTime, fromBeijing, rfc3339 } from '../../../lib/time';
import { useSession } from '../../../shell/session';
import { useOfficeRefresh } from './Mail';
import { OfficeTabs } from './OfficeTabs';
import { ReasonDialog } from './ReasonDialog';
import './office.css';

export default function Notices() {
  const { t } = useI18n();
  const { id } = useParams();
  const { may } = useSession();
  const [writing, setWriting] = useState(false);
  const publishes = may('write', 'office') || may('operate', 'office');
  return (
    <>
      <PageHead title={t('office.notices')} sub={t('office.notices_sub')} {...(id ? { back: { to: '/desk/office/notices', text: t('office.notices') } } : {})}>
        <Button type="primary" disabled={!publishes} aria-describedby={publishes ? undefined : 'no-publish'} onClick={() => setWriting(true)}>{t('office.publish')}</Button>
      </PageHead>
      {publishes ? null : <p id="no-publish" className="muted small">{t('office.no_publish')}</p>}
      <OfficeTabs now="notices" />
      {id ? <One id={id} /> : <List />}
      {writing ? <Publish onClose={() => setWriting(false)} /> : null}
    </>
  );
}

function audienceText(audience: Audience, t: I18n['t'], nameOf: (code: string) => string): string {
  return typeof audience === 'string' ? t(`office.audience_${audience}`) : audience.organisations.map(nameOf).join(', ');
}

function List() {
  const { t } = useI18n();
  const filters = useFilters();
  const navigate = useNavigate();
  const which = NOTICE_LISTS.find((f) => f === filters.get('which')) ?? 'mine';
  const paged = usePaged<Notice>(paths.notices, { which }, { every: 60_000 });
  const to = (n: Notice) => `/desk/office/notices/${encodeURIComponent(n.id)}`;
  const columns: Column<Notice>[] = [
    { key: 'title', title: t('word.title'), width: 260, render: (n) => <Link to={to(n)}>{n.pinned ? `【${t('office.pinned')}】` : ''}{n.read_at ? n.title : <strong>{n.title}</strong>}</Link> },
    { key: 'organisation', title: t('app.organisation'), render: (n) => <OrganisationName code={n.organisation} /> },
    { key: 'at', title: t('office.published_at'), render: (n) => dateTime(n.at) },
    { key: 'state', title: t('word.state'), render: (n) => n.withdrawn_at ? t('office.withdrawn') : n.confirm ? t(n.confirmed_at ? 'office.confirmed' : 'office.to_confirm') : t(n.read_at ? 'office.is_read' : 'office.is_unread') },
  ];
  return (
    <>
      <div className="filters" role="group" aria-label={t('office.lists')}>{NOTICE_LISTS.map((f) => <Button key={f} type={f === which ? 'primary' : 'default'} aria-pressed={f === which} onClick={() => filters.set({ which: f === 'mine' ? null : f })}>{t(`office.notices_${f}`)}</Button>)}</div>
      <View query={paged.query} empty={(p) => p.items.length === 0 && paged.page === 0} emptyText={t('office.no_notices')} lines={8}>
        {(p) => <DataTable<Notice> name="notices" caption={t('office.notices')} rows={p.items} rowKey={(n) => n.id} columns={columns} total={p.total} page={paged.page} hasNext={p.next !== null} onPage={paged.turn} onOpen={(n) => { void navigate(to(n)); }} />}
      </View>
      <Provenance asOf={paged.query.dataUpdatedAt} source="office" path={paths.notices} params={{ which }} />
    </>
  );
}

function OrganisationName({ code }: { code: string | null }) {
  return <>{useOrganisations()(code)}</>;
}

function One({ id }: { id: string }) {
  const { t } = useI18n();
  const { session } = useSession();
  const { message } = App.useApp();
  const query = useApi<Notice>(paths.notice(id));
  const nameOf = useOrganisations();
  const { error, busy, attempt } = useAttempt();
  const refresh = useOfficeRefresh();
  const [withdrawing, setWithdrawing] = useState(false);
  const confirm = () => attempt(async () => { await confirmNotice(id); void message.success(t('office.confirmed')); await refresh(); });
  return (
    <View query={query} lines={6}>
      {(n) => (
        <>
          <article className="card" aria-label={n.title}>
            <h2>{n.title}</h2>
            <p className="muted small"><OrganisationName code={n.organisation} /> · {dateTime(n.at)} · {audienceText(n.audience, t, nameOf)}{n.to ? ` · ${t('office.until', { at: dateTime(n.to) })}` : ''}</p>
            {n.withdrawn_at ? <p className="over">{t('office.withdrawn')} {dateTime(n.withdrawn_at)}</p> : null}
            <p className="prose">{n.body}</p>
            <Attachments files={n.attachments} address={officeFileAddress} />
            <div className="row">
              {n.confirm ? <Button type="primary" loading={busy} disabled={n.confirmed_at !== null} onClick={() => { void confirm(); }}>{t(n.confirmed_at ? 'office.confirmed' : 'office.confirm')}</Button> : null}
              {n.by === session?.account ? <Button danger disabled={n.withdrawn_at !== null} onClick={() => setWithdrawing(true)}>{t('office.withdraw')}</Button> : null}
            </div>
            <Faults error={error} />
          </article>
          {n.by === session?.account ? <Readers id={n.id} /> : null}
          {withdrawing ? <ReasonDialog title={t('office.withdraw')} onClose={() => setWithdrawing(false)} onReason={async (reason) => { await withdrawNotice(n.id, reason); await refresh(); }} /> : null}
          <Provenance asOf={query.dataUpdatedAt} source="office" path={paths.notice(id)} />
        </>
      )}
    </View>
  );
}

function Readers({ id }: { id: string }) {
  const { t } = useI18n();
  const [which, setWhich] = useState<'read' | 'unread'>('unread');
  const query = useApi<Page<ReadReceipt>>(paths.noticeReaders(id), { which, limit: 200 }, { keep: true });
  return (
    <section className="card"><h2>{t('office.readers')}</h2>
      <div className="filters">{(['unread', 'read'] as const).map((one) => <Button key={one} size="small" aria-pressed={one === which} type={one === which ? 'primary' : 'default'} onClick={() => setWhich(one)}>{t(one === 'read' ? 'office.who_read' : 'office.who_not')}</Button>)}</div>
      <View query={query} empty={(p) => p.items.length === 0}>{(p) => <><p>{t('table.total', { n: p.total })}</p><SimpleTable<ReadReceipt> quiet caption={t('office.readers')} rows={p.items} rowKey={(r) => r.account} columns={[{ title: t('word.name'), cell: (r) => r.name || r.account }, { title: t('office.read_at'), cell: (r) => dateTime(r.read_at) }]} /></>}</View>
    </section>
  );
}

function Publish({ onClose }: { onClose: () => void }) {
  const { t, w } = useI18n();
  const { may } = useSession();
  const { message } = App.useApp();
  const { error, busy, attempt } = useAttempt();
  const refresh = useOfficeRefresh();
  const organisations = useOrganisationList();
  const all = may('operate', 'office');
  const [notice, setNotice] = useState({ title: '', body: '', kind: all ? 'members' : 'organisations', codes: [] as string[], files: [] as FileLine[], pinned: false, confirm: false, until: '' });
  const [missing, setMissing] = useState(false);
  const put = (part: Partial<typeof notice>) => setNotice((now) => ({ ...now, ...part }));
  const finish = async () => {
    const incomplete = !notice.title.trim() || !notice.body.trim() || (notice.kind === 'organisations' && notice.codes.length === 0);
    setMissing(incomplete);
    if (incomplete) return;
    const audience: Audience = notice.kind === 'organisations' ? { organisations: notice.codes } : notice.kind === 'public' ? 'public' : 'members';
    if (await attempt(() => publishNotice({ title: notice.title.trim(), body: notice.body.trim(), files: notice.files.map((file) => file.id), audience, pinned: notice.pinned, confirm: notice.confirm && audience !== 'public', ...(notice.until ? { to: rfc3339(fromBeijing(notice.until) + 86_400_000) } : {}) }))) { void message.success(t('office.published')); await refresh(); onClose(); }
  };
  return (
    <Modal open width={720} title={t('office.publish')} onCancel={onClose} onOk={() => { void finish(); }} confirmLoading={busy} okText={t('office.publish')} cancelText={t('verb.cancel')} destroyOnHidden closable={{ 'aria-label': t('verb.close_dialog') }}>
      <div className="stack">
        <label className="stack">{t('word.title')}<Input name="title" maxLength={200} value={notice.title} onChange={(e) => put({ title: e.target.value })} /></label>
        <label className="stack">{t('office.body')}<Input.TextArea name="body" rows={8} maxLength={20000} value={notice.body} onChange={(e) => put({ body: e.target.value })} /></label>
        <label className="stack">{t('office.audience')}<Select aria-label={t('office.audience')} value={notice.kind} onChange={(kind) => put({ kind })} options={['organisations', ...(all ? ['members', 'public'] : [])].map((k) => ({ value: k, label: t(`office.audience_${k as 'members'}`) }))} /></label>
        {notice.kind === 'organisations' ? <label className="stack">{t('office.audience_organisations')}<Select aria-label={t('office.audience_organisations')} mode="multiple" optionFilterProp="label" value={notice.codes} onChange={(codes: string[]) => put({ codes })} options={organisations.map((o) => ({ value: o.code, label: w(o.title) }))} /></label> : null}
        <label className="stack">{t('office.shown_until')}<Input type="date" value={notice.until} onChange={(e) => put({ until: e.target.value })} /></label>
        <div className="row"><Checkbox checked={notice.pinned} onChange={(e) => put({ pinned: e.target.checked })}>{t('office.pinned')}</Checkbox><Checkbox checked={notice.confirm} disabled={notice.kind === 'public'} onChange={(e) => put({ confirm: e.target.checked })}>{t('office.must_confirm')}</Checkbox></div>
        <AttachFiles files={notice.files} onChange={(files) => put({ files })} />
        {missing ? <p className="error-text" role="alert">{t('office.need_notice')}</p> : null}
        <Faults error={error} />
      </div>
    </Modal>
  );
}
