// Desk: breaking the glass: access in an emergency, at once and for an hour at most, with a reason
// and a review afterwards.
import { useState } from 'react';
import { App, Button, Form, Input, InputNumber, Select } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { components } from '../../api/schema';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SimpleTable } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { dateTime } from '../../lib/time';

type Grant = components['schemas']['Grant'];
interface Glass { could: { object: string; verbs: string[]; purpose: string; basis: string }[]; open: Grant[]; minutes: number }
interface Wish { object: string; record?: string; reason: string; minutes: number }

export default function BreakGlass() {
  const { t, lang } = useI18n();
  const { message, modal } = App.useApp();
  const client = useQueryClient();
  const query = useApi<Glass>('/access/break-glass', undefined, { keep: true });
  const [error, setError] = useState<ApiError | null>(null);
  const open = async (v: Wish) => {
    setError(null);
    try {
      await send('POST', '/access/break-glass', { ...v, record: v.record?.trim() ? v.record.trim() : null });
      void message.success(t('operator.done'));
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      setError(e);
    }
    void client.invalidateQueries({ queryKey: ['/access/break-glass'] });
  };
  const need = [{ required: true, message: t('alerts.need_text') }];
  const confirm = (v: Wish) => { modal.confirm({ title: t('access.glass_confirm'), content: t('access.glass_help'), okText: t('access.open_now'), cancelText: t('verb.cancel'), okButtonProps: { danger: true }, onOk: () => open(v) }); };
  return (
    <>
      <PageHead title={t('access.break_glass')} />
      <p>{t('access.glass_help')}</p>
      {error ? <div className="error-box" role="alert"><p>{error.say(lang)}</p>{error.problems.map((p, i) => <p key={i}><code>{p.at}</code> {p.words[lang]}</p>)}</div> : null}
      <View query={query} empty={(d) => d.could.length === 0 && d.open.length === 0} emptyText={t('access.glass_none')}>
        {(d) => (
          <>
            {d.open.length ? (
              <section className="card">
                <SimpleTable<Grant> caption={t('access.glass_open')} rows={d.open} rowKey={(g) => g.id} columns={[
                  { title: t('operator.object'), cell: (g) => <code>{g.record ? `${g.object}/${g.record}` : g.object}</code> }, { title: t('access.reason'), cell: (g) => g.reason }, { title: t('access.until'), cell: (g) => dateTime(g.until) }]} />
              </section>
            ) : null}
            <section className="card">
              <Form<Wish> layout="vertical" initialValues={{ object: d.could[0]?.object, minutes: 30 }} onFinish={confirm}>
                <Form.Item name="object" label={t('operator.object')} rules={need}><Select options={d.could.map((c) => ({ value: c.object, label: `${c.object}：${c.purpose}（${c.basis}）` }))} /></Form.Item>
                <Form.Item name="record" label={t('access.record')}><Input autoComplete="off" /></Form.Item>
                <Form.Item name="minutes" label={t('access.minutes')} rules={need}><InputNumber min={1} max={d.minutes} /></Form.Item>
                <Form.Item name="reason" label={t('access.reason')} rules={need}><Input.TextArea rows={3} /></Form.Item>
                <Button danger type="primary" htmlType="submit">{t('access.open_now')}</Button>
              </Form>
            </section>
          </>
        )}
      </View>
      <Provenance asOf={query.dataUpdatedAt} source="policy" path="/access/break-glass" />
    </>
  );
}
