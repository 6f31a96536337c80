// Operator: who used how much, how every limit stands, quotas set with a reason.
import { useMemo, useState } from 'react';
import { App, Button, Drawer, Form, Input, InputNumber, Select } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { address, ApiError, send } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { List } from '../../api/types';
import Chart from '../../components/Chart';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SimpleTable } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n, type Key } from '../../i18n';
import { bytes, number, percent } from '../../lib/format';
import { dateTime, ms } from '../../lib/time';

interface Used { start: string; organisation: string; application: string; meter: string; amount: number }
interface Limit { quota: string; meter: string; window: string; limit: number; used: number; left: number; resets_at: string | null }
interface Standing { organisation: string; application: string; limits: Limit[] }
interface Quota { name: string; organisation: string | null; application: string | null; meter: string; window: string; limit: number; from: string; by: string | null; reason: string | null; version: number }
interface QuotaForm { name: string; organisation?: string; application?: string; meter: string; window: string; limit: number; reason: string }

const METERS = ['requests', 'bytes_in', 'bytes_out', 'storage_bytes', 'observations', 'cases', 'messages'];
const WINDOWS = ['minute', 'hour', 'day', 'month'];
const LINES = 5;

const amount = (meter: string, value: number) => (meter.includes('bytes') ? bytes(value) : number(value, 0));

export default function Meters() {
  const { t, lang } = useI18n();
  const { message, modal } = App.useApp();
  const client = useQueryClient();
  const [meter, setMeter] = useState('requests');
  const [window, setWindow] = useState('hour');
  const [changing, setChanging] = useState<Partial<Quota> | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const params = { meter, window };
  const used = useApi<List<Used>>('/operator/meters', params, { every: 10_000, keep: true });
  const standings = useApi<List<Standing>>('/operator/meters/standings', undefined, { every: 10_000, keep: true });
  const quotas = useApi<List<Quota>>('/operator/quotas', undefined, { keep: true });
  const word = (name: string) => t(`meters.${name}` as Key);
  const whose = (o: string) => o || t('meters.nobody');
  const through = (a: string) => (a === 'pages' || a === 'gateways' ? word(a) : a);

  const payers = useMemo(() => {
    const sums = new Map<string, { organisation: string; application: string; amount: number }>();
    for (const row of used.data?.items ?? []) {
      const key = `${row.organisation}\u001f${row.application}`;
      const sum = sums.get(key) ?? { organisation: row.organisation, application: row.application, amount: 0 };
      sum.amount += row.amount;
      sums.set(key, sum);
    }
    return [...sums.values()].sort((a, b) => b.amount - a.amount);
  }, [used.data]);
  const total = payers.reduce((sum, p) => sum + p.amount, 0);
  const lines = payers.slice(0, LINES).map((p) => ({
    name: `${whose(p.organisation)} · ${through(p.application)}`,
    unit: meter.includes('bytes') ? 'B' : '',
    points: (used.data?.items ?? []).filter((u) => u.organisation === p.organisation && u.application === p.application).map((u) => [ms(u.start), u.amount] as [number, number]),
    step: true,
  }));

  const attempt = async (work: () => Promise<unknown>) => {
    setError(null);
    try {
      await work();
      void message.success(t('operator.done'));
      setChanging(null);
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      setError(e);
      void message.error(e.say(lang));
    }
    void client.invalidateQueries({ queryKey: ['/operator/quotas'] });
    void client.invalidateQueries({ queryKey: ['/operator/meters/standings'] });
  };
  const save = (v: QuotaForm) => attempt(() => send('PUT', `/operator/quotas/${encodeURIComponent(v.name)}`, {
    organisation: v.organisation || null, application: v.application || null, meter: v.meter, window: v.window, limit: v.limit, reason: v.reason,
  }));
  const takeBack = (q: Quota) => {
    let reason = '';
    modal.confirm({
      title: t('meters.take_back_title', { name: q.name }),
      content: <><p>{t('meters.take_back_help')}</p><Input.TextArea aria-label={t('meters.reason')} onChange={(e) => { reason = e.target.value; }} /></>,
      okText: t('meters.take_back'), cancelText: t('verb.cancel'), okButtonProps: { danger: true },
      onOk: () => attempt(() => send('DELETE', `/operator/quotas/${encodeURIComponent(q.name)}?reason=${encodeURIComponent(reason)}`)),
    });
  };
  const options = (names: string[]) => names.map((n) => ({ value: n, label: word(n) }));
  const limits = (standings.data?.items ?? []).flatMap((s) => s.limits.map((l) => ({ ...l, organisation: s.organisation, application: s.application })));
  const csv = address('/operator/meters', { ...params, format: 'csv' });
  return (
    <>
      <PageHead title={t('meters.title')} sub={t('meters.help')}><Button type="primary" onClick={() => setChanging({})}>{t('meters.new')}</Button></PageHead>
      <section className="card">
        <h2>{t('meters.used')}</h2>
        <p className="row">
          <Select aria-label={t('meters.meter')} value={meter} onChange={setMeter} options={options(METERS)} style={{ minWidth: 140 }} />
          <Select aria-label={t('meters.window')} value={window} onChange={setWindow} options={options(WINDOWS)} style={{ minWidth: 100 }} />
        </p>
        <View query={used} empty={(d) => d.items.length === 0} emptyText={t('meters.empty')}>
          {() => (
            <>
              <Chart title={t('meters.over_time', { meter: word(meter), window: word(window) })} lines={lines} height={240} />
              <SimpleTable caption={t('meters.used')} quiet rows={payers} rowKey={(p) => `${p.organisation}/${p.application}`} columns={[
                { title: t('meters.organisation'), cell: (p) => whose(p.organisation) }, { title: t('meters.application'), cell: (p) => through(p.application) },
                { title: t('meters.amount'), cell: (p) => amount(meter, p.amount), right: true }, { title: t('meters.share'), cell: (p) => percent(total ? p.amount / total : 0), right: true }]} />
            </>
          )}
        </View>
      </section>
      <section className="card">
        <h2>{t('meters.standings')}</h2>
        <View query={standings} empty={() => limits.length === 0}>
          {() => (
            <SimpleTable caption={t('meters.standings')} quiet rows={limits} rowKey={(l, i) => `${l.quota} ${i}`} columns={[
              { title: t('meters.organisation'), cell: (l) => whose(l.organisation) }, { title: t('meters.application'), cell: (l) => through(l.application) }, { title: t('meters.quota'), cell: (l) => <code>{l.quota}</code> },
              { title: t('meters.used'), cell: (l) => <span className={l.used >= l.limit * 0.8 ? 'over' : ''}>{amount(l.meter, l.used)}{l.used >= l.limit * 0.8 ? ' ▲' : ''}</span>, right: true },
              { title: t('meters.limit'), cell: (l) => `${amount(l.meter, l.limit)} / ${word(l.window)}`, right: true }, { title: t('meters.left'), cell: (l) => amount(l.meter, l.left), right: true },
              { title: t('meters.resets'), cell: (l) => (l.resets_at ? dateTime(l.resets_at) : t('meters.never')) }]} />
          )}
        </View>
      </section>
      <section className="card">
        <h2>{t('meters.quotas')}</h2>
        <View query={quotas} empty={(d) => d.items.length === 0}>
          {(d) => (
            <SimpleTable<Quota> caption={t('meters.quotas')} quiet rows={d.items} rowKey={(q) => q.name} columns={[
              { title: t('meters.quota'), cell: (q) => <code>{q.name}</code> }, { title: t('meters.organisation'), cell: (q) => q.organisation ?? '—' }, { title: t('meters.application'), cell: (q) => q.application ?? '—' },
              { title: t('meters.meter'), cell: (q) => word(q.meter) }, { title: t('meters.limit'), cell: (q) => `${amount(q.meter, q.limit)} / ${word(q.window)}`, right: true },
              { title: t('meters.from'), cell: (q) => (q.from === 'city' ? t('meters.from_city') : t('meters.from_page', { by: q.by ?? '' })) }, { title: t('meters.reason'), cell: (q) => q.reason ?? '—' },
              { title: t('meters.change'), cell: (q) => <span className="row"><Button size="small" aria-label={`${t('meters.change')} ${q.name}`} onClick={() => setChanging(q)}>{t('meters.change')}</Button>{q.from === 'page' ? <Button size="small" danger aria-label={`${t('meters.take_back')} ${q.name}`} onClick={() => takeBack(q)}>{t('meters.take_back')}</Button> : null}</span> }]} />
          )}
        </View>
      </section>
      <Drawer open={changing !== null} onClose={() => setChanging(null)} destroyOnHidden size={480} title={changing?.name ?? t('meters.new')} closable={{ 'aria-label': t('verb.close_dialog') }}>
        {error ? <div className="error-box" role="alert"><p>{error.say(lang)}</p>{error.problems.map((p, i) => <p key={i}><code>{p.at}</code> {p.words[lang]}</p>)}</div> : null}
        {changing ? (
          <Form<QuotaForm> layout="vertical" initialValues={{ meter: 'requests', window: 'day', ...changing, organisation: changing.organisation ?? undefined, application: changing.application ?? undefined, reason: '' }} onFinish={(v) => { void save(v); }}>
            <Form.Item name="name" label={t('meters.quota')} rules={[{ required: true, message: t('alerts.need_text') }]}><Input disabled={changing.name !== undefined} autoComplete="off" /></Form.Item>
            <Form.Item name="organisation" label={t('meters.organisation')} extra={t('meters.whom_help')}><Input /></Form.Item>
            <Form.Item name="application" label={t('meters.application')} extra={t('meters.whom_help')}><Input /></Form.Item>
            <Form.Item name="meter" label={t('meters.meter')}><Select options={options(METERS)} /></Form.Item>
            <Form.Item name="window" label={t('meters.window')}><Select options={options([...WINDOWS, 'ever'])} /></Form.Item>
            <Form.Item name="limit" label={t('meters.limit')} rules={[{ required: true, message: t('alerts.need_text') }]}><InputNumber min={0} precision={0} style={{ width: '100%' }} /></Form.Item>
            <Form.Item name="reason" label={t('meters.reason')} rules={[{ required: true, message: t('alerts.need_text') }]}><Input.TextArea rows={2} /></Form.Item>
            <Button type="primary" htmlType="submit">{t('verb.save')}</Button>
          </Form>
        ) : null}
      </Drawer>
      <Provenance asOf={used.dataUpdatedAt} source="metering" path="/operator/meters" params={params} downloads={[{ text: 'CSV', href: csv }]} />
    </>
  );
}
