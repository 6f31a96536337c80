// Operator: the message centre: which carriers are there, how many messages stand where, those that
// failed tried again or given up with a reason, the words of templates.
import { useState } from 'react';
import { App, Button, Select } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { useApi } from '../../api/hooks';
import { usePaged } from '../../api/pages';
import type { Page } from '../../api/types';
import { giveUpMessage, MESSAGE_CHANNELS, MESSAGE_STATES, paths, retryMessage, type MessageCounts, type MessageRow, type MessageState, type Template } from '../../api/office';
import { DataTable, type Column } from '../../components/DataTable';
import { Faults } from '../../components/Faults';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SimpleTable } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { useFilters } from '../../lib/at';
import { useAttempt } from '../../lib/attempt';
import { number } from '../../lib/format';
import { dateTime } from '../../lib/time';
import { ReasonDialog } from '../desk/office/ReasonDialog';
import { TemplateDialog } from './TemplateDialog';
import '../desk/alert/alerts.css';

export default function Messages() {
  const { t, w } = useI18n();
  const { message } = App.useApp();
  const filters = useFilters();
  const client = useQueryClient();
  const { error, busy, attempt } = useAttempt();
  const [writing, setWriting] = useState<Template | null>(null);
  const [giving, setGiving] = useState<MessageRow | null>(null);
  const state = MESSAGE_STATES.find((s) => s === filters.get('state'));
  const params = { state: state ?? '', channel: filters.get('channel') };
  const counts = useApi<MessageCounts>(paths.messageCounts, undefined, { every: 15_000, keep: true });
  const paged = usePaged<MessageRow>(paths.messages, params, { every: 15_000 });
  const templates = useApi<Page<Template>>(paths.templates, { limit: 200 });
  const refresh = () => client.invalidateQueries({ predicate: (q) => String(q.queryKey[0]).startsWith('/outgoing') || q.queryKey[0] === paths.templates });
  const retry = (row: MessageRow) => attempt(async () => { await retryMessage(row.id); void message.success(t('messages.tried')); await refresh(); });
  const columns: Column<MessageRow>[] = [
    { key: 'at', title: t('word.time'), render: (m) => dateTime(m.at) },
    { key: 'channel', title: t('messages.channel'), render: (m) => t(`messages.channel_${m.channel}`) },
    { key: 'to', title: t('office.to'), render: (m) => m.to },
    { key: 'template', title: t('messages.template'), render: (m) => <code>{m.template}</code> },
    { key: 'about', title: t('messages.about'), spare: true, render: (m) => m.about || '—' },
    { key: 'state', title: t('word.state'), render: (m) => <>{t(`messages.state_${m.state}`)}{m.maybe_repeated ? <span className="over"> {t('messages.maybe_repeated')}</span> : null}</> },
    { key: 'attempts', title: t('messages.attempts'), align: 'right', render: (m) => m.attempts },
    { key: 'reason', title: t('word.reason'), width: 200, render: (m) => w(m.reason) || '—' },
    { key: 'next', title: t('messages.next'), spare: true, render: (m) => dateTime(m.next_at) },
    { key: 'act', title: t('tasks.act'), render: (m) => (m.state === 'failed' || m.state === 'given_up' ? <span className="row" style={{ flexWrap: 'nowrap' }}><Button size="small" disabled={busy} onClick={() => { void retry(m); }}>{t('messages.retry')}</Button>{m.state === 'failed' ? <Button size="small" danger onClick={() => setGiving(m)}>{t('messages.give_up')}</Button> : null}</span> : '—') },
  ];
  return (
    <>
      <PageHead title={t('messages.title')} sub={t('messages.sub')} />
      <View query={counts}>
        {(c) => (
          <>
            <p>{t('messages.channel_sms')}: <strong>{t(c.sms_ready ? 'messages.ready' : 'messages.not_ready')}</strong> · {t('messages.channel_email')}: <strong>{t(c.email_ready ? 'messages.ready' : 'messages.not_ready')}</strong></p>
            <ul className="queues" aria-label={t('word.state')}>
              {MESSAGE_STATES.map((s: MessageState) => <li key={s}><button type="button" className={s === state ? 'queue now' : 'queue'} aria-pressed={s === state} onClick={() => filters.set({ state: s === state ? null : s })}><span>{t(`messages.state_${s}`)}</span> <strong className="num">{number(c.states[s] ?? 0, 0)}</strong></button></li>)}
            </ul>
          </>
        )}
      </View>
      <div className="filters"><label>{t('messages.channel')}<Select aria-label={t('messages.channel')} style={{ width: 150 }} value={filters.get('channel')} onChange={(v) => filters.set({ channel: v || null })} options={[{ value: '', label: t('word.all') }, ...MESSAGE_CHANNELS.map((c) => ({ value: c as string, label: t(`messages.channel_${c}`) }))]} /></label></div>
      <Faults error={error} />
      <View query={paged.query} empty={(p) => p.items.length === 0 && paged.page === 0} emptyText={t('messages.empty')} lines={8}>
        {(p) => <DataTable<MessageRow> name="messages" caption={t('messages.title')} rows={p.items} rowKey={(m) => m.id} columns={columns} total={p.total} page={paged.page} hasNext={p.next !== null} onPage={paged.turn} />}
      </View>
      <section className="card"><h2>{t('messages.templates')}</h2>
        <View query={templates} empty={(p) => p.items.length === 0}>{(p) => <SimpleTable<Template> quiet caption={t('messages.templates')} rows={p.items} rowKey={(x) => x.name} columns={[{ title: t('messages.template'), cell: (x) => <button type="button" className="link" onClick={() => setWriting(x)}>{x.name}</button> }, { title: t('word.title'), cell: (x) => w(x.title) }, { title: t('office.subject'), cell: (x) => w(x.subject) }, { title: t('messages.sms_text'), cell: (x) => w(x.sms) || '—' }, { title: t('proc.version'), cell: (x) => x.version, right: true }]} />}</View>
      </section>
      {writing ? <TemplateDialog key={writing.name} template={writing} onClose={() => setWriting(null)} onDone={() => { setWriting(null); void message.success(t('office.saved')); void refresh(); }} /> : null}
      {giving ? <ReasonDialog title={t('messages.give_up')} onClose={() => setGiving(null)} onReason={async (reason) => { await giveUpMessage(giving.id, reason); await refresh(); }} /> : null}
      <Provenance asOf={paged.query.dataUpdatedAt} source="messages" path={paths.messages} params={params} />
    </>
  );
}
