// Account: delegations given and received; accept, refuse, take back, act under one.
import { useState } from 'react';
import { App, Button, Checkbox, DatePicker, Drawer, Form, Input, Select } from 'antd';
import type { Dayjs } from 'dayjs';
import { useQueryClient } from '@tanstack/react-query';
import { acting, actUnder, send } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { components } from '../../api/schema';
import type { List } from '../../api/types';
import { Faults } from '../../components/Faults';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SimpleTable } from '../../components/SimpleTable';
import { fromPicker } from '../../components/TimeRange';
import { View } from '../../components/View';
import { useI18n, type Key } from '../../i18n';
import { useAttempt } from '../../lib/attempt';
import { dateTime, rfc3339 } from '../../lib/time';
import { useSession } from '../../shell/session';

export type Delegation = components['schemas']['Delegation'];
interface Wanted { receiver: string; period: [Dayjs, Dayjs]; roles?: string[]; objects?: string[]; matter?: string; reason: string; must_accept?: boolean }

/** Where a delegation stands now, as a word. */
export function standing(d: Delegation, now: number): Key {
  if (d.state !== 'agreed') return `delegation.${d.state}`;
  if (now < Date.parse(d.from)) return 'delegation.waiting';
  return now < Date.parse(d.to) ? 'delegation.agreed' : 'delegation.over';
}

export function scopeOf(d: Delegation, all: string): string {
  return [...d.roles, ...d.objects, ...(d.matter ? [d.matter] : [])].join('、') || all;
}

/** The list and its acts, for one's own account. */
export function DelegationList() {
  const { t } = useI18n();
  const { modal } = App.useApp();
  const { session } = useSession();
  const client = useQueryClient();
  const query = useApi<List<Delegation>>('/me/delegations');
  const { error, attempt, clear } = useAttempt();
  const [creating, setCreating] = useState(false);
  const mine = session?.account;
  const under = acting();
  const again = () => client.invalidateQueries({ queryKey: ['/me/delegations'] });
  const give = async (v: Wanted) => {
    const body = { receiver: v.receiver, from: rfc3339(fromPicker(v.period[0])), to: rfc3339(fromPicker(v.period[1])), roles: v.roles ?? [], objects: v.objects ?? [], matter: v.matter ?? null, reason: v.reason, must_accept: v.must_accept ?? false };
    if (await attempt(() => send('POST', '/me/delegations', body))) setCreating(false);
    void again();
  };
  const answer = async (d: Delegation, word: 'accept' | 'refuse') => {
    await attempt(() => send('POST', `/me/delegations/${d.id}/${word}`));
    void again();
  };
  const end = (d: Delegation) => {
    let reason = '';
    modal.confirm({
      title: t('delegation.end_title'), okText: t('delegation.end'), cancelText: t('verb.cancel'), okButtonProps: { danger: true },
      content: <label>{t('org.reason')} <Input onChange={(e) => { reason = e.target.value; }} /></label>,
      onOk: async () => {
        await attempt(() => send('DELETE', `/me/delegations/${d.id}?reason=${encodeURIComponent(reason)}`));
        if (under?.id === d.id) actUnder(null);
        void again();
      },
    });
  };
  const use = (d: Delegation | null) => {
    actUnder(d ? { id: d.id, giver: d.giver } : null);
    location.reload();
  };
  const acts = (d: Delegation) => {
    const state = standing(d, query.dataUpdatedAt);
    const open = ['delegation.offered', 'delegation.agreed', 'delegation.waiting'].includes(state);
    return (
      <span className="row">
        {state === 'delegation.offered' && d.receiver === mine ? <><Button size="small" type="primary" onClick={() => { void answer(d, 'accept'); }}>{t('delegation.accept')}</Button><Button size="small" onClick={() => { void answer(d, 'refuse'); }}>{t('delegation.refuse')}</Button></> : null}
        {state === 'delegation.agreed' && d.receiver === mine ? under?.id === d.id ? <Button size="small" onClick={() => use(null)}>{t('delegation.stop')}</Button> : <Button size="small" type="primary" onClick={() => use(d)}>{t('delegation.use')}</Button> : null}
        {open ? <Button size="small" danger onClick={() => end(d)}>{t(d.giver === mine ? 'delegation.end' : 'delegation.give_back')}</Button> : null}
      </span>
    );
  };
  return (
    <section className="card">
      <p className="muted">{t('delegation.help')}</p>
      <p><Button type="primary" disabled={under !== null} onClick={() => { clear(); setCreating(true); }}>{t('delegation.new')}</Button></p>
      {creating ? null : <Faults error={error} />}
      <View query={query} empty={(d) => d.items.length === 0} emptyText={t('delegation.empty')}>
        {(d) => (
          <SimpleTable<Delegation> caption={t('delegation.caption')} rows={d.items} rowKey={(x) => x.id} columns={[
            { title: t('delegation.giver'), cell: (x) => <code>{x.giver}</code> }, { title: t('delegation.receiver'), cell: (x) => <code>{x.receiver}</code> },
            { title: t('delegation.scope'), cell: (x) => scopeOf(x, t('delegation.all')) }, { title: t('member.period'), cell: (x) => `${dateTime(x.from)} – ${dateTime(x.to)}` },
            { title: t('org.reason'), cell: (x) => x.reason }, { title: t('word.state'), cell: (x) => t(standing(x, query.dataUpdatedAt)) }, { title: t('org.do'), cell: acts }]} />
        )}
      </View>
      <Drawer open={creating} onClose={() => setCreating(false)} destroyOnHidden size={480} title={t('delegation.new')} closable={{ 'aria-label': t('verb.close_dialog') }}>
        <Faults error={error} />
        <Form<Wanted> layout="vertical" onFinish={(v) => { void give(v); }}>
          <Form.Item name="receiver" label={t('delegation.receiver_account')} rules={[{ required: true, message: t('alerts.need_text') }]}><Input autoComplete="off" /></Form.Item>
          <Form.Item name="period" label={t('member.period')} rules={[{ required: true, message: t('alerts.need_text') }]}><DatePicker.RangePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" /></Form.Item>
          <Form.Item name="roles" label={t('delegation.roles')}><Select mode="multiple" options={(session?.roles ?? []).map((r) => ({ value: r, label: r }))} /></Form.Item>
          <Form.Item name="objects" label={t('delegation.objects')}><Select mode="tags" /></Form.Item>
          <Form.Item name="matter" label={t('delegation.matter')}><Input autoComplete="off" /></Form.Item>
          <Form.Item name="reason" label={t('org.reason')} rules={[{ required: true, message: t('alerts.need_text') }]}><Input autoComplete="off" /></Form.Item>
          <Form.Item name="must_accept" valuePropName="checked"><Checkbox>{t('delegation.must_accept')}</Checkbox></Form.Item>
          <Button type="primary" htmlType="submit">{t('delegation.new')}</Button>
        </Form>
      </Drawer>
      <Provenance asOf={query.dataUpdatedAt} source="organisations" path="/me/delegations" />
    </section>
  );
}

export default function Delegations() {
  const { t } = useI18n();
  return <><PageHead title={t('delegation.title')} /><DelegationList /></>;
}
