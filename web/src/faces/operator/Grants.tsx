// Operator: grants for some time, and broken glass that waits for its review.
import { useState } from 'react';
import { App, Button, Drawer, Form, Input, InputNumber, Select } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { components } from '../../api/schema';
import type { List } from '../../api/types';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SimpleTable } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { dateTime } from '../../lib/time';

type Grant = components['schemas']['Grant'];
interface Wish { account?: string; role?: string; verbs: string[]; object: string; record?: string; days: number; reason: string; basis: string }
type Act = { what: 'end' | 'review'; grant: Grant };
const VERBS = ['read', 'export', 'write', 'handle', 'command', 'operate'];

export default function Grants() {
  const { t, lang } = useI18n();
  const { message } = App.useApp();
  const client = useQueryClient();
  const queue = useApi<List<Grant>>('/operator/grants', { unreviewed: true }, { keep: true });
  const all = useApi<List<Grant>>('/operator/grants', undefined, { keep: true });
  const [giving, setGiving] = useState(false);
  const [act, setAct] = useState<Act | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const attempt = async (work: () => Promise<unknown>) => {
    setError(null);
    try {
      await work();
      void message.success(t('operator.done'));
      setGiving(false);
      setAct(null);
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      setError(e);
      void message.error(e.say(lang));
    }
    void client.invalidateQueries({ queryKey: ['/operator/grants'] });
  };
  const give = (v: Wish) => attempt(() => send('POST', '/operator/grants', {
    account: v.account?.trim() ? v.account.trim() : null, role: v.role?.trim() ? v.role.trim() : null, record: v.record?.trim() ? v.record.trim() : null,
    verbs: v.verbs, object: v.object.trim(), reason: v.reason, basis: v.basis, until: new Date(Date.now() + v.days * 86_400_000).toISOString(),
  }));
  const path = (g: Grant) => `/operator/grants/${encodeURIComponent(g.id)}`;
  const faults = error ? <div className="error-box" role="alert"><p>{error.say(lang)}</p>{error.problems.map((p, i) => <p key={i}><code>{p.at}</code> {p.words[lang]}</p>)}</div> : null;
  const need = [{ required: true, message: t('alerts.need_text') }];
  const state = (g: Grant) => g.in_force ? t('access.in_force') : t('access.over');
  const columns = [
    { title: t('access.kind'), cell: (g: Grant) => t(g.kind === 'break_glass' ? 'access.break_glass' : 'access.temporary') },
    { title: t('access.grantee'), cell: (g: Grant) => g.account ?? g.role ?? '—' },
    { title: t('operator.object'), cell: (g: Grant) => <code>{g.record ? `${g.object}/${g.record}` : g.object}</code> },
    { title: t('operator.verb'), cell: (g: Grant) => g.verbs.join('、') },
    { title: t('access.reason'), cell: (g: Grant) => g.reason }, { title: t('access.basis'), cell: (g: Grant) => g.basis },
    { title: t('access.granted_by'), cell: (g: Grant) => g.granted_by },
    { title: t('access.until'), cell: (g: Grant) => `${dateTime(g.until)} ${state(g)}` },
    { title: t('operator.outcome'), cell: (g: Grant) => g.outcome ? `${t(g.outcome === 'approved' ? 'access.approved' : 'access.objected')} ${g.reviewed_by ?? ''} ${g.remark ?? ''}` : (g.remark ?? '—') },
  ];
  const button = (what: Act['what'], g: Grant) => <Button size="small" danger={what === 'end'} aria-label={`${t(`access.${what}`)} ${g.id}`} onClick={() => { setError(null); setAct({ what, grant: g }); }}>{t(`access.${what}`)}</Button>;
  return (
    <>
      <PageHead title={t('access.grants')}><Button type="primary" onClick={() => { setError(null); setGiving(true); }}>{t('access.new_grant')}</Button></PageHead>
      <section className="card">
        <View query={queue} empty={(d) => d.items.length === 0} emptyText={t('access.review_empty')}>
          {(d) => <SimpleTable<Grant> caption={t('access.review_queue')} rows={d.items} rowKey={(g) => g.id} columns={[...columns, { title: t('access.review'), cell: (g) => button('review', g) }]} />}
        </View>
      </section>
      <section className="card">
        <View query={all} empty={(d) => d.items.length === 0} emptyText={t('access.grants_empty')}>
          {(d) => <SimpleTable<Grant> caption={t('access.grants_caption')} rows={d.items} rowKey={(g) => g.id} columns={[...columns, { title: t('access.end'), cell: (g) => g.in_force ? button('end', g) : '—' }]} />}
        </View>
      </section>
      <Drawer open={giving} onClose={() => { setGiving(false); }} destroyOnHidden size={480} title={t('access.new_grant')} closable={{ 'aria-label': t('verb.close_dialog') }}>
        {faults}
        <Form<Wish> layout="vertical" initialValues={{ verbs: ['read'], days: 7 }} onFinish={(v) => { void give(v); }}>
          <Form.Item name="account" label={t('access.grantee')}><Input autoComplete="off" /></Form.Item>
          <Form.Item name="role" label={t('access.grantee_role')}><Input autoComplete="off" /></Form.Item>
          <Form.Item name="object" label={t('operator.object')} rules={need}><Input autoComplete="off" /></Form.Item>
          <Form.Item name="record" label={t('access.record')}><Input autoComplete="off" /></Form.Item>
          <Form.Item name="verbs" label={t('operator.verb')} rules={need}><Select mode="multiple" options={VERBS.map((v) => ({ value: v, label: v }))} /></Form.Item>
          <Form.Item name="days" label={t('access.days')} rules={need}><InputNumber min={1} max={90} /></Form.Item>
          <Form.Item name="reason" label={t('access.reason')} rules={need}><Input.TextArea rows={2} /></Form.Item>
          <Form.Item name="basis" label={t('access.basis')} rules={need}><Input /></Form.Item>
          <Button type="primary" htmlType="submit">{t('verb.create')}</Button>
        </Form>
      </Drawer>
      <Drawer open={act !== null} onClose={() => { setAct(null); }} destroyOnHidden size={480} title={act ? t(`access.${act.what}`) : ''} closable={{ 'aria-label': t('verb.close_dialog') }}>
        {faults}
        {act?.what === 'end' ? (
          <Form<{ reason: string }> layout="vertical" onFinish={(v) => { void attempt(() => send('DELETE', `${path(act.grant)}?reason=${encodeURIComponent(v.reason)}`)); }}>
            <Form.Item name="reason" label={t('access.reason')} rules={need}><Input.TextArea rows={2} /></Form.Item>
            <Button danger type="primary" htmlType="submit">{t('access.end')}</Button>
          </Form>
        ) : null}
        {act?.what === 'review' ? (
          <Form<{ approve: boolean; remark: string }> layout="vertical" initialValues={{ approve: true }} onFinish={(v) => { void attempt(() => send('POST', `${path(act.grant)}/review`, v)); }}>
            <p>{act.grant.account} · {act.grant.object} · {act.grant.reason}</p>
            <Form.Item name="approve" label={t('access.review')}><Select options={[{ value: true, label: t('access.approve') }, { value: false, label: t('access.object_to') }]} /></Form.Item>
            <Form.Item name="remark" label={t('access.remark')} rules={need}><Input.TextArea rows={2} /></Form.Item>
            <Button type="primary" htmlType="submit">{t('access.review')}</Button>
          </Form>
        ) : null}
      </Drawer>
      <Provenance asOf={all.dataUpdatedAt} source="policy" path="/operator/grants" />
    </>
  );
}
