// Desk, office: documents sent round (传阅) or countersigned (会签): whose turn it is, what was said,
// who is urged.
import { useState } from 'react';
import { App, Button, Checkbox, Input, Modal, Radio, Select } from 'antd';
import { Link, useNavigate, useParams } from 'react-router';
import { useApi } from '../../../api/hooks';
import { usePaged } from '../../../api/pages';
import type { FileLine } from '../../../api/applications';
import { CIRCULAR_LISTS, circulate, officeFileAddress, paths, signCircular, urgeCircular, withdrawCircular, type Circulation, type Reader, type Round } from '../../../api/office';
import { AttachFiles, Attachments } from '../../../components/Attachments';
import { DataTable, type Column } from '../../../components/DataTable';
import { Faults } from '../../../components/Faults';
import { PageHead } from '../../../components/PageHead';
import { Provenance } from '../../../components/Provenance';
import { SimpleTable } from '../../../components/SimpleTable';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useFilters } from '../../../lib/at';
import { useAttempt } from '../../../lib/attempt';
import { date, dateTime, DAY_MS, fromBeijing, rfc3339 } from '../../../lib/time';
import { useSession } from '../../../shell/session';
import { useOfficeRefresh } from './Mail';
import { OfficeTabs } from './OfficeTabs';
import { PeopleSelect } from './PeopleSelect';
import { ReasonDialog } from './ReasonDialog';
import './office.css';

export default function Circulars() {
  const { t } = useI18n();
  const { id } = useParams();
  const { may } = useSession();
  const [writing, setWriting] = useState(false);
  return (
    <>
      <PageHead title={t('office.circulars')} sub={t('office.circulars_sub')} {...(id ? { back: { to: '/desk/office/circulars', text: t('office.circulars') } } : {})}><Button type="primary" disabled={!may('handle', 'office')} onClick={() => setWriting(true)}>{t('office.circulate')}</Button></PageHead>
      <OfficeTabs now="circulars" />
      {id ? <One id={id} /> : <List />}
      {writing ? <Send onClose={() => setWriting(false)} /> : null}
    </>
  );
}

function List() {
  const { t } = useI18n();
  const filters = useFilters();
  const navigate = useNavigate();
  const which = CIRCULAR_LISTS.find((f) => f === filters.get('which')) ?? 'todo';
  const paged = usePaged<Circulation>(paths.circulars, { which }, { every: 30_000 });
  const to = (c: Circulation) => `/desk/office/circulars/${encodeURIComponent(c.id)}`;
  const columns: Column<Circulation>[] = [
    { key: 'title', title: t('word.title'), width: 240, render: (c) => <Link to={to(c)}>{c.title}</Link> },
    { key: 'kind', title: t('office.kind'), render: (c) => t(c.countersign ? 'office.countersign' : 'office.reading') },
    { key: 'from', title: t('office.from'), render: (c) => c.from_name || c.from },
    { key: 'done', title: t('office.progress'), align: 'right', render: (c) => `${c.done}/${c.of}` },
    { key: 'due', title: t('clock.due'), render: (c) => (c.due ? dateTime(c.due) : '—') },
    { key: 'state', title: t('word.state'), render: (c) => t(`office.round_${c.state}`) },
    { key: 'at', title: t('word.time'), render: (c) => dateTime(c.at) },
  ];
  return (
    <>
      <div className="filters" role="group" aria-label={t('office.lists')}>{CIRCULAR_LISTS.map((f) => <Button key={f} type={f === which ? 'primary' : 'default'} aria-pressed={f === which} onClick={() => filters.set({ which: f === 'todo' ? null : f })}>{t(`office.circulars_${f}`)}</Button>)}</div>
      <View query={paged.query} empty={(p) => p.items.length === 0 && paged.page === 0} emptyText={t('office.no_circulars')} lines={8}>
        {(p) => <DataTable<Circulation> name="circulars" caption={t('office.circulars')} rows={p.items} rowKey={(c) => c.id} columns={columns} total={p.total} page={paged.page} hasNext={p.next !== null} onPage={paged.turn} onOpen={(c) => { void navigate(to(c)); }} />}
      </View>
      <Provenance asOf={paged.query.dataUpdatedAt} source="office" path={paths.circulars} params={{ which }} />
    </>
  );
}

function One({ id }: { id: string }) {
  const { t } = useI18n();
  const { session } = useSession();
  const { message } = App.useApp();
  const query = useApi<Circulation>(paths.circular(id), undefined, { every: 30_000 });
  const { error, busy, attempt } = useAttempt();
  const refresh = useOfficeRefresh();
  const [withdrawing, setWithdrawing] = useState(false);
  const [agrees, setAgrees] = useState<boolean | null>(null);
  const [opinion, setOpinion] = useState('');
  const [missing, setMissing] = useState(false);
  const me = session?.account;
  const sign = async (c: Circulation) => {
    const incomplete = c.countersign && (agrees === null || (!agrees && !opinion.trim()));
    setMissing(incomplete);
    if (incomplete) return;
    if (await attempt(() => signCircular(c.id, c.countersign ? { agrees: agrees ?? false, opinion: opinion.trim() } : { opinion: opinion.trim() }))) { void message.success(t('office.signed')); await refresh(); }
  };
  const urge = (c: Circulation) => attempt(async () => { const { urged } = await urgeCircular(c.id); void message.success(t('office.urged_n', { n: urged })); await refresh(); });
  return (
    <View query={query} lines={8}>
      {(c) => {
        const mine = c.readers.find((r) => r.account === me);
        const turn = c.state === 'running' && mine !== undefined && (mine.state === 'open' || mine.state === 'received');
        return (
          <>
            <article className="card" aria-label={c.title}>
              <h2>{c.title}</h2>
              <p className="muted small">{c.from_name || c.from} · {dateTime(c.at)} · {t(c.countersign ? 'office.countersign' : 'office.reading')} · {t(`office.way_${c.round}`)} · {t(`office.round_${c.state}`)}{c.due ? ` · ${t('clock.due')} ${dateTime(c.due)}` : ''}</p>
              <p className="prose">{c.body}</p>
              <Attachments files={c.attachments} address={officeFileAddress} />
              {turn ? (
                <div className="stack" role="group" aria-label={t('office.my_opinion')}>
                  <h3>{t('office.my_opinion')}</h3>
                  {c.countersign ? <Radio.Group value={agrees} onChange={(e) => setAgrees(e.target.value as boolean)} options={[{ value: true, label: t('office.agree') }, { value: false, label: t('office.disagree') }]} /> : null}
                  <label className="stack">{t('office.opinion')}<Input.TextArea rows={3} maxLength={1000} value={opinion} onChange={(e) => setOpinion(e.target.value)} /></label>
                  {missing ? <p className="error-text" role="alert">{t('office.need_opinion')}</p> : null}
                  <div><Button type="primary" loading={busy} onClick={() => { void sign(c); }}>{t(c.countersign ? 'office.sign' : 'office.done_reading')}</Button></div>
                </div>
              ) : null}
              {c.from === me ? <div className="row"><Button disabled={c.state !== 'running'} loading={busy} onClick={() => { void urge(c); }}>{t('task.urge')}</Button><Button danger disabled={c.state !== 'running'} onClick={() => setWithdrawing(true)}>{t('office.end_round')}</Button></div> : null}
              <Faults error={error} />
            </article>
            <section className="card"><h2>{t('office.readers_round', { n: c.done, of: c.of })}</h2>
              <SimpleTable<Reader> quiet caption={t('office.readers')} rows={c.readers} rowKey={(r) => r.account} columns={[
                { title: '#', cell: (r) => r.place }, { title: t('word.name'), cell: (r) => r.name || r.account },
                { title: t('word.state'), cell: (r) => t(`office.reader_${r.state}`) },
                { title: t('office.opinion'), cell: (r) => <>{r.agrees === null ? '' : t(r.agrees ? 'office.agree' : 'office.disagree')} {r.opinion}</> },
                { title: t('word.time'), cell: (r) => dateTime(r.done_at ?? r.received_at ?? r.came_at) }]} />
            </section>
            {withdrawing ? <ReasonDialog title={t('office.end_round')} onClose={() => setWithdrawing(false)} onReason={async (reason) => { await withdrawCircular(c.id, reason); await refresh(); }} /> : null}
            <Provenance asOf={query.dataUpdatedAt} source="office" path={paths.circular(id)} />
          </>
        );
      }}
    </View>
  );
}

function Send({ onClose }: { onClose: () => void }) {
  const { t } = useI18n();
  const { message } = App.useApp();
  const { error, busy, attempt } = useAttempt();
  const refresh = useOfficeRefresh();
  const [doc, setDoc] = useState({ title: '', body: '', readers: [] as string[], files: [] as FileLine[], round: 'parallel' as Round, countersign: false, due: '' });
  const [missing, setMissing] = useState(false);
  const put = (part: Partial<typeof doc>) => setDoc((now) => ({ ...now, ...part }));
  const finish = async () => {
    setMissing(!doc.title.trim() || doc.readers.length === 0);
    if (!doc.title.trim() || doc.readers.length === 0) return;
    const { due, files, ...rest } = doc;
    if (await attempt(() => circulate({ ...rest, title: doc.title.trim(), files: files.map((file) => file.id), ...(due ? { due: rfc3339(fromBeijing(due) + DAY_MS - 1000) } : {}) }))) { void message.success(t('office.sent')); await refresh(); onClose(); }
  };
  return (
    <Modal open width={720} title={t('office.circulate')} onCancel={onClose} onOk={() => { void finish(); }} confirmLoading={busy} okText={t('office.send')} cancelText={t('verb.cancel')} destroyOnHidden closable={{ 'aria-label': t('verb.close_dialog') }}>
      <div className="stack">
        <label className="stack">{t('word.title')}<Input name="title" maxLength={200} value={doc.title} onChange={(e) => put({ title: e.target.value })} /></label>
        <label className="stack">{t('office.body')}<Input.TextArea name="body" rows={6} maxLength={20000} value={doc.body} onChange={(e) => put({ body: e.target.value })} /></label>
        <label className="stack">{t('office.readers')}<PeopleSelect label={t('office.readers')} value={doc.readers} onChange={(readers) => put({ readers })} /></label>
        <label className="stack">{t('office.way')}<Select<Round> aria-label={t('office.way')} value={doc.round} onChange={(round) => put({ round })} options={(['parallel', 'ordered'] as const).map((r) => ({ value: r, label: t(`office.way_${r}`) }))} /></label>
        <label className="stack">{t('clock.due')}<Input type="date" min={date(Date.now())} value={doc.due} onChange={(e) => put({ due: e.target.value })} /></label>
        <Checkbox checked={doc.countersign} onChange={(e) => put({ countersign: e.target.checked })}>{t('office.countersign_help')}</Checkbox>
        <AttachFiles files={doc.files} onChange={(files) => put({ files })} />
        {missing ? <p className="error-text" role="alert">{t('office.need_round')}</p> : null}
        <Faults error={error} />
      </div>
    </Modal>
  );
}
