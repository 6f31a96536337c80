// Desk, office: mail between colleagues: folders, a thread read (which is its receipt), answered,
// passed on, taken back from who has not read it.
import { useState } from 'react';
import { App, Button, Input, Modal } from 'antd';
import { Link, useNavigate, useParams } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { useApi } from '../../../api/hooks';
import { usePaged } from '../../../api/pages';
import type { Page } from '../../../api/types';
import type { FileLine } from '../../../api/applications';
import { FOLDERS, officeFileAddress, paths, recallMail, sendMail, type NewMail, type OfficeMail, type ReadReceipt } from '../../../api/office';
import { AttachFiles, Attachments } from '../../../components/Attachments';
import { DataTable, type Column } from '../../../components/DataTable';
import { Faults } from '../../../components/Faults';
import { PageHead } from '../../../components/PageHead';
import { Provenance } from '../../../components/Provenance';
import { SimpleTable } from '../../../components/SimpleTable';
import { View } from '../../../components/View';
import { useI18n, type Key } from '../../../i18n';
import { useFilters } from '../../../lib/at';
import { useAttempt } from '../../../lib/attempt';
import { dateTime } from '../../../lib/time';
import { useSession } from '../../../shell/session';
import { OfficeTabs } from './OfficeTabs';
import { PeopleSelect } from './PeopleSelect';
import './office.css';

interface Writing { to: string[]; subject: string; body: string; files: FileLine[]; reply_to?: string; forward_of?: string }

export function useOfficeRefresh() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ predicate: (q) => String(q.queryKey[0]).startsWith('/office') });
}

export default function Mail() {
  const { t } = useI18n();
  const { id } = useParams();
  const [writing, setWriting] = useState<Writing | null>(null);
  return (
    <>
      <PageHead title={t('office.mail')} sub={t('office.mail_sub')} {...(id ? { back: { to: '/desk/office/mail', text: t('office.mail') } } : {})}><Button type="primary" onClick={() => setWriting({ to: [], subject: '', body: '', files: [] })}>{t('office.write')}</Button></PageHead>
      <OfficeTabs now="mail" />
      {id ? <Thread id={id} onWrite={setWriting} /> : <Folder />}
      {writing ? <Write first={writing} onClose={() => setWriting(null)} /> : null}
    </>
  );
}

function Folder() {
  const { t } = useI18n();
  const filters = useFilters();
  const navigate = useNavigate();
  const folder = FOLDERS.find((f) => f === filters.get('folder')) ?? 'inbox';
  const paged = usePaged<OfficeMail>(paths.mail, { folder }, { every: 30_000 });
  const to = (m: OfficeMail) => `/desk/office/mail/${encodeURIComponent(m.id)}`;
  const columns: Column<OfficeMail>[] = [
    { key: 'subject', title: t('office.subject'), width: 240, render: (m) => <Link to={to(m)}>{m.read_at || folder === 'sent' ? m.subject : <strong>{m.subject}</strong>}</Link> },
    folder === 'sent' ? { key: 'to', title: t('office.to'), width: 160, render: (m) => m.to_names.join('、') } : { key: 'from', title: t('office.from'), render: (m) => m.from_name || m.from },
    { key: 'at', title: t('word.time'), render: (m) => dateTime(m.at) },
    folder === 'sent' ? { key: 'read', title: t('office.read'), render: (m) => m.recalled_at ? t('office.recalled') : t('office.read_by', { n: m.read_by, of: m.sent_to }) } : { key: 'read', title: t('word.state'), render: (m) => (m.read_at ? t('office.is_read') : t('office.is_unread')) },
  ];
  return (
    <>
      <div className="filters" role="group" aria-label={t('office.folders')}>{FOLDERS.map((f) => <Button key={f} type={f === folder ? 'primary' : 'default'} aria-pressed={f === folder} onClick={() => filters.set({ folder: f === 'inbox' ? null : f })}>{t(`office.folder_${f}`)}</Button>)}</div>
      <View query={paged.query} empty={(p) => p.items.length === 0 && paged.page === 0} emptyText={t('office.no_mail')} lines={8}>
        {(p) => <DataTable<OfficeMail> name={`mail-${folder}`} caption={t(`office.folder_${folder}`)} rows={p.items} rowKey={(m) => m.id} columns={columns} total={p.total} page={paged.page} hasNext={p.next !== null} onPage={paged.turn} onOpen={(m) => { void navigate(to(m)); }} />}
      </View>
      <Provenance asOf={paged.query.dataUpdatedAt} source="office" path={paths.mail} params={{ folder }} />
    </>
  );
}

function Thread({ id, onWrite }: { id: string; onWrite: (writing: Writing) => void }) {
  const mail = useApi<OfficeMail>(paths.oneMail(id));
  const thread = useApi<{ items: OfficeMail[] }>(paths.thread(id));
  const list = thread.data?.items ?? [];
  return (
    <View query={mail} lines={8}>
      {(m) => (
        <>
          {(list.length ? list : [m]).map((one) => <One key={one.id} mail={one.id === m.id ? m : one} now={one.id === m.id} onWrite={onWrite} />)}
          <Provenance asOf={mail.dataUpdatedAt} source="office" path={paths.oneMail(id)} />
        </>
      )}
    </View>
  );
}

function One({ mail: m, now, onWrite }: { mail: OfficeMail; now: boolean; onWrite: (writing: Writing) => void }) {
  const { t } = useI18n();
  const { session } = useSession();
  const { message } = App.useApp();
  const { error, busy, attempt } = useAttempt();
  const refresh = useOfficeRefresh();
  const mine = m.from === session?.account;
  const quoted = `\n\n${t('office.quote', { who: m.from_name || m.from, at: dateTime(m.at) })}\n${m.body.split('\n').map((line) => `> ${line}`).join('\n')}`;
  const recall = () => attempt(async () => {
    const done = await recallMail(m.id);
    void message.info(t('office.taken_back', { n: done.taken_back, kept: done.kept_by.length }));
    await refresh();
  });
  return (
    <article className={now ? 'card mail now' : 'card mail'} aria-label={m.subject}>
      <h2>{m.subject}</h2>
      <p className="muted small">{t('office.from')} {m.from_name || m.from} · {t('office.to')} {m.to_names.join('、')} · {dateTime(m.at)}</p>
      <p className="prose">{m.body}</p>
      <Attachments files={m.attachments} address={officeFileAddress} />
      {m.recalled_at ? <p className="over">{t('office.recalled')} {dateTime(m.recalled_at)}</p> : null}
      {now ? (
        <div className="row">
          <Button onClick={() => onWrite({ to: [m.from], subject: `${t('office.re')}${m.subject}`.slice(0, 200), body: quoted, files: [], reply_to: m.id })}>{t('office.reply')}</Button>
          <Button onClick={() => onWrite({ to: [], subject: `${t('office.fwd')}${m.subject}`.slice(0, 200), body: quoted, files: m.attachments, forward_of: m.id })}>{t('office.forward')}</Button>
          {mine ? <Button loading={busy} disabled={m.recalled_at !== null} onClick={() => { void recall(); }}>{t('office.recall')}</Button> : null}
        </div>
      ) : null}
      <Faults error={error} />
      {mine && now ? <Receipts id={m.id} /> : null}
    </article>
  );
}

function Receipts({ id }: { id: string }) {
  const { t } = useI18n();
  const query = useApi<Page<ReadReceipt>>(paths.mailReceipts(id), { limit: 200 });
  return (
    <details>
      <summary>{t('office.receipts')}</summary>
      <View query={query}>{(p) => <SimpleTable<ReadReceipt> quiet caption={t('office.receipts')} rows={p.items} rowKey={(r) => r.account} columns={[{ title: t('word.name'), cell: (r) => r.name || r.account }, { title: t('office.read_at'), cell: (r) => (r.read_at ? dateTime(r.read_at) : t('office.is_unread')) }]} />}</View>
    </details>
  );
}

/** What is still missing of a mail, by field. */
export function mailFaults(mail: Pick<Writing, 'to' | 'subject' | 'body'>): Partial<Record<'to' | 'subject' | 'body', Key>> {
  return { ...(mail.to.length ? {} : { to: 'office.need_to' as const }), ...(mail.subject.trim() ? {} : { subject: 'office.need_subject' as const }), ...(mail.body.trim() ? {} : { body: 'office.need_body' as const }) };
}

function Write({ first, onClose }: { first: Writing; onClose: () => void }) {
  const { t } = useI18n();
  const { message } = App.useApp();
  const { error, busy, attempt } = useAttempt();
  const refresh = useOfficeRefresh();
  const [mail, setMail] = useState(first);
  const [tried, setTried] = useState(false);
  const faults = tried ? mailFaults(mail) : {};
  // While a file is on its way others fields are typed in.
  const put = (part: Partial<Writing>) => setMail((now) => ({ ...now, ...part }));
  const finish = async () => {
    setTried(true);
    if (Object.keys(mailFaults(mail)).length) return;
    const made: NewMail = { to: mail.to.map((account) => ({ account })), subject: mail.subject.trim(), body: mail.body.trimEnd(), files: mail.files.map((file) => file.id), ...(mail.reply_to ? { reply_to: mail.reply_to } : {}), ...(mail.forward_of ? { forward_of: mail.forward_of } : {}) };
    if (await attempt(() => sendMail(made))) { void message.success(t('office.sent')); await refresh(); onClose(); }
  };
  return (
    <Modal open width={720} title={t(mail.reply_to ? 'office.reply' : mail.forward_of ? 'office.forward' : 'office.write')} onCancel={onClose} onOk={() => { void finish(); }} confirmLoading={busy} okText={t('office.send')} cancelText={t('verb.cancel')} destroyOnHidden closable={{ 'aria-label': t('verb.close_dialog') }}>
      <div className="stack">
        <label className="stack">{t('office.to')}<PeopleSelect label={t('office.to')} value={mail.to} status={faults.to ? 'error' : undefined} onChange={(to) => put({ to })} /></label>
        {faults.to ? <p className="error-text small" role="alert">{t(faults.to)}</p> : null}
        <label className="stack">{t('office.subject')}<Input name="subject" maxLength={200} value={mail.subject} status={faults.subject ? 'error' : undefined} onChange={(e) => put({ subject: e.target.value })} /></label>
        {faults.subject ? <p className="error-text small" role="alert">{t(faults.subject)}</p> : null}
        <label className="stack">{t('office.body')}<Input.TextArea name="body" rows={10} maxLength={20000} value={mail.body} status={faults.body ? 'error' : undefined} onChange={(e) => put({ body: e.target.value })} /></label>
        {faults.body ? <p className="error-text small" role="alert">{t(faults.body)}</p> : null}
        <AttachFiles files={mail.files} onChange={(files) => put({ files })} />
        <Faults error={error} />
      </div>
    </Modal>
  );
}
