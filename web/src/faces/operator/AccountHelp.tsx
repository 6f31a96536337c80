// Operator: helping somebody with their account: a temporary password, second factors taken away,
// the wait lifted, sessions ended. Each with its reason; the page says once what was given.
import { useState } from 'react';
import { Button, Drawer, Form, Input } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { SessionItem } from '../../api/types';
import { SimpleTable } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { dateTime } from '../../lib/time';
import { useStepUp } from '../../shell/StepUp';

export function AccountHelp({ name, onClose }: { name: string; onClose: () => void }) {
  const { t, lang } = useI18n();
  const client = useQueryClient();
  const { attempt, dialog } = useStepUp();
  const [said, setSaid] = useState<{ text: string; secret?: string; bad?: boolean } | null>(null);
  const own = `/operator/accounts/${encodeURIComponent(name)}`;
  const query = useApi<{ items: SessionItem[] }>(`${own}/sessions`);
  const [form] = Form.useForm<{ reason: string }>();
  const act = async (work: () => Promise<{ text: string; secret?: string }>) => {
    setSaid(null);
    try {
      setSaid(await attempt(work));
    } catch (e) {
      if (e instanceof ApiError) setSaid({ text: [e.say(lang), ...e.problems.map((p) => p.words[lang])].join(' '), bad: true });
    }
    void client.invalidateQueries({ queryKey: [`${own}/sessions`] });
    void client.invalidateQueries({ queryKey: ['/operator/accounts'] });
  };
  const withReason = async (work: (reason: string) => Promise<{ text: string; secret?: string }>) => {
    const { reason } = await form.validateFields();
    await act(() => work(reason));
  };
  const resetPassword = () => withReason(async (reason) => {
    const { password } = await send<{ password: string }>('POST', `${own}/reset-password`, { reason });
    return { text: t('operator.temporary_password'), secret: password };
  });
  const resetFactors = () => withReason(async (reason) => {
    await send('POST', `${own}/reset-factors`, { reason });
    return { text: t('operator.done') };
  });
  const unlock = () => act(async () => { await send('POST', `${own}/unlock`, {}); return { text: t('operator.done') }; });
  const end = (path: string) => act(async () => { await send('DELETE', path); return { text: t('account.ended') }; });
  return (
    <Drawer open onClose={onClose} destroyOnHidden size={560} title={`${t('operator.help_account')}: ${name}`} closable={{ 'aria-label': t('verb.close_dialog') }}>
      {said ? <div className={said.bad ? 'error-box' : 'stack'} role={said.bad ? 'alert' : 'status'}><p>{said.text}</p>{said.secret ? <p><code data-secret>{said.secret}</code></p> : null}</div> : null}
      <Form form={form} layout="vertical">
        <Form.Item name="reason" label={t('operator.reset_reason')} rules={[{ required: true, whitespace: true, message: t('alerts.need_text') }]}><Input maxLength={200} /></Form.Item>
        <p className="row">
          <Button danger onClick={() => { void resetPassword().catch(() => {}); }}>{t('operator.reset_password')}</Button>
          <Button danger onClick={() => { void resetFactors().catch(() => {}); }}>{t('operator.reset_factors')}</Button>
        </p>
      </Form>
      <p className="row">
        <Button onClick={() => { void unlock(); }}>{t('operator.unlock')}</Button>
        <Button onClick={() => { void end(`${own}/sessions`); }}>{t('operator.end_sessions')}</Button>
      </p>
      <View query={query} empty={(d) => d.items.length === 0}>
        {(d) => (
          <SimpleTable<SessionItem> caption={t('operator.sessions_of', { name })} rows={d.items} rowKey={(s) => s.id} columns={[
            { title: t('account.since'), cell: (s) => dateTime(s.created_at) }, { title: t('account.address'), cell: (s) => s.address },
            { title: t('account.by'), cell: (s) => s.factors.join(' + ') }, { title: t('account.last_active'), cell: (s) => dateTime(s.last_used) },
            { title: t('account.end'), cell: (s) => <Button size="small" aria-label={`${t('account.end')} ${dateTime(s.created_at)}`} onClick={() => { void end(`${own}/sessions/${s.id}`); }}>{t('account.end')}</Button> }]} />
        )}
      </View>
      {dialog}
    </Drawer>
  );
}
