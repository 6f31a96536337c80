// Operator: the hand-over in two steps: who takes what, then a check list to sign off.
import { useState } from 'react';
import { Button, Checkbox, Input, Radio, Steps } from 'antd';
import { send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { components } from '../../../api/schema';
import { Faults } from '../../../components/Faults';
import { SimpleTable } from '../../../components/SimpleTable';
import { Empty, View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import { dateTime } from '../../../lib/time';

type S = components['schemas'];

export function HandOver({ detail, now, done }: { detail: S['MemberDetail']; now: number; done: () => void }) {
  const { t, w } = useI18n();
  const path = `/members/${encodeURIComponent(detail.account)}`;
  const work = useApi<S['OpenWorkPage']>(`${path}/work`);
  const { error, busy, attempt } = useAttempt();
  const [step, setStep] = useState(0);
  const [leaves, setLeaves] = useState(true);
  const [ends, setEnds] = useState<string[]>([]);
  const [to, setTo] = useState('');
  const [single, setSingle] = useState<Record<string, string>>({});
  const [reason, setReason] = useState('');
  const held = detail.appointments.filter((a) => !a.appointment.valid_to || Date.parse(a.appointment.valid_to) > now);
  const successor = (name: string): S['Successor'] => (name ? { account: name } : 'queue');
  const sign = async () => {
    const items = Object.fromEntries(Object.entries(single).filter(([, name]) => name).map(([key, name]) => [key, successor(name)]));
    const body = { leaves_service: leaves, appointments: leaves ? [] : ends, to: successor(to), items, reason };
    if (await attempt(() => send('POST', `${path}/hand-over`, body))) done();
  };
  const count = leaves ? held.length : ends.length;
  return (
    <div className="stack">
      <Steps size="small" current={step} items={[{ title: t('member.step_work') }, { title: t('member.step_confirm') }]} />
      {step === 0 ? (
        <>
          <Radio.Group value={leaves} onChange={(e) => setLeaves(e.target.value as boolean)}><Radio value={true}>{t('member.leaves_service')}</Radio><Radio value={false}>{t('member.moves')}</Radio></Radio.Group>
          {leaves ? null : <fieldset><legend>{t('member.ends')}</legend><Checkbox.Group value={ends} onChange={(v) => setEnds(v as string[])} options={held.map((a) => ({ value: a.appointment.id, label: `${w(a.organisation)} ${w(a.position?.title)}` }))} /></fieldset>}
          <label>{t('member.to_default')} <Input name="to" placeholder={t('member.to_queue')} value={to} onChange={(e) => setTo(e.target.value.trim())} /></label>
          <View query={work}>
            {(d) => d.items.length ? (
              <SimpleTable<S['OpenItem']> caption={t('member.work_caption')} rows={d.items} rowKey={(i) => `${i.kind}/${i.id}`} columns={[
                { title: t('member.step_work'), cell: (i) => w(i.title) }, { title: t('org.since'), cell: (i) => dateTime(i.since) },
                { title: t('member.to'), cell: (i) => <Input size="small" aria-label={`${t('member.to')} ${w(i.title)}`} placeholder={to || t('member.to_queue')} value={single[`${i.kind}/${i.id}`] ?? ''} onChange={(e) => setSingle({ ...single, [`${i.kind}/${i.id}`]: e.target.value.trim() })} /> }]} />
            ) : <Empty text={t('member.no_work')} />}
          </View>
          <Button type="primary" onClick={() => setStep(1)}>{t('member.next')}</Button>
        </>
      ) : (
        <>
          <p>{t('member.check_list')}</p>
          <ul><li>{t('member.check_work', { n: work.data?.items.length ?? 0 })}：{to || t('member.to_queue')}</li><li>{t('member.check_positions', { n: count })}</li>{leaves ? <li>{t('member.check_account')}</li> : null}</ul>
          <label>{t('org.reason')} <Input name="reason" value={reason} onChange={(e) => setReason(e.target.value)} /></label>
          <Faults error={error} />
          <span className="row"><Button onClick={() => setStep(0)}>{t('member.back')}</Button><Button type="primary" danger loading={busy} disabled={!reason.trim()} onClick={() => { void sign(); }}>{t('member.sign_off')}</Button></span>
        </>
      )}
    </div>
  );
}
