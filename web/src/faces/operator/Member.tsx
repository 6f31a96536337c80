// Operator: one member: positions now and before, leave, delegations, hand-overs; handing over.
import { useState } from 'react';
import { App, Button, DatePicker, Drawer, Form, Input } from 'antd';
import type { Dayjs } from 'dayjs';
import { useParams } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { send } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { components } from '../../api/schema';
import { Faults } from '../../components/Faults';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SimpleTable } from '../../components/SimpleTable';
import { fromPicker } from '../../components/TimeRange';
import { Empty, View } from '../../components/View';
import { useI18n } from '../../i18n';
import { useAttempt } from '../../lib/attempt';
import { personName } from '../../lib/person';
import { useRoles } from '../../lib/roles';
import { date, dateTime, rfc3339 } from '../../lib/time';
import { useSession } from '../../shell/session';
import { scopeOf, standing } from '../account/Delegations';
import { HandOver } from './organisations/HandOver';

type S = components['schemas'];
type Detail = S['MemberDetail'];

export default function Member() {
  const roleTitle = useRoles();
  const { account = '' } = useParams();
  const { t, w, lang } = useI18n();
  const { may } = useSession();
  const client = useQueryClient();
  const path = `/members/${encodeURIComponent(account)}`;
  const query = useApi<Detail>(path);
  const [open, setOpen] = useState<'leave' | 'hand_over' | null>(null);
  const again = () => {
    setOpen(null);
    void client.invalidateQueries();
  };
  const name = personName(account, query.data?.member?.name ?? '', lang);
  const now = query.dataUpdatedAt;
  return (
    <>
      <PageHead title={name} back={{ to: '/operator/organisations', text: t('org.title') }}>
        <span className="row"><Button onClick={() => setOpen('leave')}>{t('member.take_leave')}</Button>{may('write', 'organisations') ? <Button danger onClick={() => setOpen('hand_over')}>{t('member.hand_over')}</Button> : null}</span>
      </PageHead>
      <View query={query}>
        {(d) => (
          <>
            <section className="card">
              {d.member?.left_at ? <p className="banner warn">{t('member.left', { time: dateTime(d.member.left_at) })}</p> : null}
              <dl className="facts"><dt>{t('org.account')}</dt><dd><code>{account}</code></dd><dt>{t('org.phone')}</dt><dd>{d.member?.phone || '—'}</dd><dt>{t('org.room')}</dt><dd>{d.member?.room || '—'}</dd></dl>
              <h2>{t('member.appointments')}</h2>
              <SimpleTable<Detail['appointments'][number]> caption={t('member.appointments_caption')} rows={d.appointments} rowKey={(a) => a.appointment.id} columns={[
                { title: t('org.position'), cell: (a) => w(a.position?.title) }, { title: t('org.title'), cell: (a) => w(a.organisation) }, { title: t('org.main'), cell: (a) => t(a.appointment.main ? 'org.main' : 'org.concurrent') },
                { title: t('org.roles'), cell: (a) => a.position?.roles.map(roleTitle).join('、') || '—' }, { title: t('member.period'), cell: (a) => `${date(a.appointment.valid_from)} – ${a.appointment.valid_to ? date(a.appointment.valid_to) : ''}` }]} />
            </section>
            <section className="card"><h2>{t('member.leaves')}</h2><Leaves detail={d} again={again} now={now} /></section>
            <section className="card">
              <h2>{t('delegation.title')}</h2>
              {d.delegations.length ? <SimpleTable<S['Delegation']> caption={t('delegation.caption')} rows={d.delegations} rowKey={(x) => x.id} columns={[
                { title: t('delegation.giver'), cell: (x) => <code>{x.giver}</code> }, { title: t('delegation.receiver'), cell: (x) => <code>{x.receiver}</code> }, { title: t('delegation.scope'), cell: (x) => scopeOf(x, t('delegation.all')) },
                { title: t('member.period'), cell: (x) => `${dateTime(x.from)} – ${dateTime(x.to)}` }, { title: t('word.state'), cell: (x) => t(standing(x, now)) }]} /> : <Empty text={t('delegation.empty')} />}
            </section>
            {d.hand_overs.length ? (
              <section className="card">
                <h2>{t('member.hand_overs')}</h2>
                <SimpleTable<S['HandOver']> caption={t('member.hand_overs_caption')} rows={d.hand_overs} rowKey={(h) => h.id} columns={[
                  { title: t('member.signed_by'), cell: (h) => `${h.by} · ${dateTime(h.at)}` }, { title: t('org.reason'), cell: (h) => h.reason },
                  { title: t('member.items_n'), cell: (h) => <ul>{h.items.map((i) => <li key={i.item.id}>{w(i.item.title)} → {i.to === 'queue' ? t('member.to_queue') : (i.to as { account: string }).account}</li>)}</ul> }, { title: t('member.ends'), cell: (h) => h.appointments.length }]} />
              </section>
            ) : null}
            <Drawer open={open !== null} onClose={() => setOpen(null)} destroyOnHidden size={560} title={open === 'leave' ? t('member.take_leave') : t('member.hand_over_title', { name })} closable={{ 'aria-label': t('verb.close_dialog') }}>
              {open === 'leave' ? <TakeLeave path={path} done={again} /> : open === 'hand_over' ? <HandOver detail={d} now={now} done={again} /> : null}
            </Drawer>
          </>
        )}
      </View>
      <Provenance asOf={now} source="organisations" path={path} />
    </>
  );
}

function Leaves({ detail, again, now }: { detail: Detail; again: () => void; now: number }) {
  const { t } = useI18n();
  const { modal } = App.useApp();
  const { error, attempt } = useAttempt();
  const cancel = (l: S['Leave']) => modal.confirm({
    title: t('member.cancel_leave'), okText: t('member.cancel_leave'), cancelText: t('verb.cancel'),
    onOk: async () => { if (await attempt(() => send('POST', `/leaves/${l.id}/cancel`))) again(); },
  });
  if (!detail.leaves.length) return <Empty text={t('member.no_leaves')} />;
  return (
    <>
      <Faults error={error} />
      <SimpleTable<S['Leave']> caption={t('member.leaves_caption')} rows={detail.leaves} rowKey={(l) => l.id} columns={[
        { title: t('member.period'), cell: (l) => `${dateTime(l.from)} – ${dateTime(l.to)}` }, { title: t('member.substitute'), cell: (l) => l.substitute ?? '—' }, { title: t('org.reason'), cell: (l) => l.reason },
        { title: t('word.state'), cell: (l) => l.cancelled_at ? t('member.cancelled') : Date.parse(l.to) > now ? <Button size="small" onClick={() => cancel(l)}>{t('member.cancel_leave')}</Button> : '—' }]} />
    </>
  );
}

function TakeLeave({ path, done }: { path: string; done: () => void }) {
  const { t } = useI18n();
  const { error, busy, attempt } = useAttempt();
  const need = [{ required: true, message: t('alerts.need_text') }];
  const take = async (v: { period: [Dayjs, Dayjs]; substitute?: string; reason: string }) => {
    const body = { from: rfc3339(fromPicker(v.period[0])), to: rfc3339(fromPicker(v.period[1])), substitute: v.substitute || null, reason: v.reason };
    if (await attempt(() => send('POST', `${path}/leaves`, body))) done();
  };
  return (
    <>
      <Faults error={error} />
      <Form<{ period: [Dayjs, Dayjs]; substitute?: string; reason: string }> layout="vertical" onFinish={(v) => { void take(v); }}>
        <Form.Item name="period" label={t('member.period')} rules={need}><DatePicker.RangePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" /></Form.Item>
        <Form.Item name="substitute" label={t('member.substitute')}><Input autoComplete="off" /></Form.Item>
        <Form.Item name="reason" label={t('org.reason')} rules={need}><Input autoComplete="off" /></Form.Item>
        <Button type="primary" htmlType="submit" loading={busy}>{t('member.take_leave')}</Button>
      </Form>
    </>
  );
}
