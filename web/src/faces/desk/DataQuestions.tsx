// Desk: what residents ask about, or object to, in the use of their data; each is answered once.
import { useState } from 'react';
import { App, Button, Checkbox, Drawer, Form, Input, Select } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../api/client';
import { usePaged } from '../../api/pages';
import type { components } from '../../api/schema';
import { DataTable, type Column } from '../../components/DataTable';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { View } from '../../components/View';
import { useI18n, type Key } from '../../i18n';
import { dateTime } from '../../lib/time';

type Case = components['schemas']['DataQuestionCase'];
type Answer = components['schemas']['DataQuestionAnswer'];
const MEASURES: readonly Answer['measure'][] = ['explained', 'upheld', 'rejected'];

export default function DataQuestions() {
  const { t, w, lang } = useI18n();
  const { message } = App.useApp();
  const client = useQueryClient();
  const [all, setAll] = useState(false);
  const [open, setOpen] = useState<Case | null>(null);
  const [error, setError] = useState<string | null>(null);
  const params = { state: all ? undefined : 'open' };
  const paged = usePaged<Case>('/data-questions', params);
  const answer = async (values: Answer) => {
    if (!open) return;
    setError(null);
    try {
      await send('POST', `/data-questions/${encodeURIComponent(open.id)}/answer`, values);
      void message.success(t('questions.sent'));
      setOpen(null);
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      setError([e.say(lang), ...e.problems.map((p) => p.words[lang])].join(' '));
    }
    void client.invalidateQueries({ queryKey: ['/data-questions'] });
  };
  const look = (c: Case) => c.entry ? `${dateTime(c.entry.at)} · ${c.entry.display} · ${c.entry.object_title ? w(c.entry.object_title) : c.entry.object}` : t('questions.gone');
  const columns: Column<Case>[] = [
    { key: 'created_at', title: t('questions.asked'), render: (c) => dateTime(c.created_at) },
    { key: 'kind', title: t('mydata.kind'), render: (c) => t(`mydata.kind.${c.kind}` as Key) },
    { key: 'text', title: t('questions.text'), render: (c) => c.text },
    { key: 'look', title: t('questions.look'), render: look },
    { key: 'state', title: t('word.state'), render: (c) => c.state === 'open' ? t('mydata.open') : c.measure ? t(`mydata.measure.${c.measure}` as Key) : t('mydata.answered') },
    { key: 'answer', title: t('questions.answer'), render: (c) => c.state === 'open' ? <Button size="small" type="primary" aria-label={`${t('questions.answer')} ${c.id}`} onClick={() => { setError(null); setOpen(c); }}>{t('questions.answer')}</Button> : c.answer },
  ];
  return (
    <>
      <PageHead title={t('questions.title')} sub={t('questions.help')} />
      <div className="filters"><Checkbox checked={all} onChange={(e) => setAll(e.target.checked)}>{t('questions.all')}</Checkbox></div>
      <View query={paged.query} empty={(p) => p.items.length === 0 && paged.page === 0} emptyText={t('questions.empty')}>
        {(p) => <DataTable<Case> name="data-questions" caption={t('questions.caption')} rows={p.items} rowKey={(c) => c.id} columns={columns} total={p.total} page={paged.page} hasNext={p.next !== null} onPage={paged.turn} />}
      </View>
      <Drawer open={open !== null} onClose={() => setOpen(null)} destroyOnHidden size={520} title={t('questions.answer')} closable={{ 'aria-label': t('verb.close_dialog') }}>
        {open ? (
          <>
            <blockquote>{open.text}</blockquote>
            <p className="muted">{look(open)}</p>
            {open.entry ? <p className="small muted">{t('mydata.purpose')}：{open.entry.purpose || '—'} · {t('mydata.basis')}：{open.entry.basis || '—'}</p> : null}
            {error ? <p className="error-box" role="alert">{error}</p> : null}
            <Form<Answer> layout="vertical" onFinish={(v) => { void answer(v); }}>
              <Form.Item name="measure" label={t('questions.measure')} rules={[{ required: true, message: t('alerts.need_text') }]}><Select options={MEASURES.map((m) => ({ value: m, label: t(`mydata.measure.${m}` as Key) }))} /></Form.Item>
              <Form.Item name="answer" label={t('questions.answer')} rules={[{ required: true, message: t('alerts.need_text') }]}><Input.TextArea rows={5} maxLength={2000} showCount /></Form.Item>
              <Button type="primary" htmlType="submit">{t('questions.answer')}</Button>
            </Form>
          </>
        ) : null}
      </Drawer>
      <Provenance asOf={paged.query.dataUpdatedAt} source="audit" path="/data-questions" params={params} />
    </>
  );
}
