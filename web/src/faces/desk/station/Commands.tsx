// Desk, station: commands to the device: a form from what its gateway can do, and the dialogue of
// each command step by step.
import { useState } from 'react';
import { App, Button, DatePicker, Form, Input, InputNumber, Select } from 'antd';
import type { Dayjs } from 'dayjs';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { Command, CommandKind, CommandParameter, Device, List } from '../../../api/types';
import { fromPicker } from '../../../components/TimeRange';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { dateTimeSeconds, rfc3339 } from '../../../lib/time';
import { useSession } from '../../../shell/session';

function control(type: string) {
  if (type === 'integer' || type === 'number') return <InputNumber style={{ width: '100%' }} precision={type === 'integer' ? 0 : undefined} />;
  if (type === 'time') return <DatePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" />;
  return <Input />;
}

function toParameters(values: Record<string, unknown>, parameters: CommandParameter[]): Record<string, unknown> {
  return Object.fromEntries(parameters.flatMap((p) => {
    const v = values[p.name];
    if (v === undefined || v === null || v === '') return [];
    return [[p.name, p.type === 'time' ? rfc3339(fromPicker(v as Dayjs)) : v]];
  }));
}

export default function Commands({ thing, device }: { thing: string; device: Device | null }) {
  const { t, w, lang } = useI18n();
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const [form] = Form.useForm<Record<string, unknown>>();
  const [name, setName] = useState<string>();
  const [busy, setBusy] = useState(false);
  const path = `/devices/${encodeURIComponent(thing)}/commands`;
  const kinds = useApi<List<CommandKind>>('/command-kinds', { gateway: device?.gateway ?? 'hj212' });
  const commands = useApi<List<Command>>(path, undefined, { every: 3_000, keep: true });
  const kind = kinds.data?.items.find((k) => k.name === name);
  const allowed = may('command', 'devices');
  const connected = device?.connected ?? false;
  const submit = async (values: Record<string, unknown>) => {
    if (!kind) return;
    setBusy(true);
    try {
      await send<Command>('POST', path, { name: kind.name, parameters: toParameters(values, kind.parameters) });
      void message.success(t('commands.sent'));
      form.resetFields();
      await client.invalidateQueries({ queryKey: [path] });
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      // Which parameters may stay empty the gateway knows; it names every one that is missing or wrong.
      form.setFields(e.problems.flatMap((p) => {
        const name = p.at.split(/[/.]/).pop() ?? '';
        return kind.parameters.some((x) => x.name === name) ? [{ name, errors: [p.words[lang]] }] : [];
      }));
      void message.error([e.say(lang), ...e.problems.map((p) => `${p.at}: ${p.words[lang]}`)].join(' '));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="grid two">
      <section className="card">
        <h2>{t('commands.new')}</h2>
        {allowed ? null : <p className="stale">{t('commands.denied')}</p>}
        {allowed && !connected ? <p className="stale">{t('commands.not_connected')}</p> : null}
        <Form form={form} layout="vertical" disabled={!allowed || !connected} onFinish={(v) => { void submit(v); }}>
          <Form.Item label={t('commands.kind')} required htmlFor="command-kind">
            <Select id="command-kind" placeholder={t('commands.choose')} value={name} onChange={setName} options={(kinds.data?.items ?? []).map((k) => ({ value: k.name, label: w(k.title) }))} />
          </Form.Item>
          {kind?.parameters.map((p) => <Form.Item key={`${kind.name}.${p.name}`} name={p.name} label={w(p.title)}>{control(p.type)}</Form.Item>)}
          <Button type="primary" htmlType="submit" loading={busy} disabled={!kind}>{t('commands.send')}</Button>
        </Form>
        <p className="muted small" style={{ marginTop: 12 }}>{t('commands.logged')}</p>
      </section>
      <section className="card">
        <h2>{t('commands.dialogue')}</h2>
        <View query={commands} empty={(d) => d.items.length === 0} emptyText={t('commands.none')}>
          {(d) => d.items.map((c) => (
            <details key={c.id} open={c === d.items[0]} style={{ marginBottom: 12 }}>
              <summary>{w(kinds.data?.items.find((k) => k.name === c.name)?.title) || c.name} · <strong>{t(`command_state.${c.state}`)}</strong> <span className="muted small">{t('commands.by', { who: c.by, time: dateTimeSeconds(c.at) })}</span></summary>
              {Object.keys(c.parameters).length ? <p className="small"><code>{JSON.stringify(c.parameters)}</code></p> : null}
              <ol className="timeline" style={{ marginTop: 8 }}>{c.steps.map(([at, text], i) => <li key={i}><span className="muted small">{dateTimeSeconds(at)}</span><br /><code>{text}</code></li>)}</ol>
            </details>
          ))}
        </View>
      </section>
    </div>
  );
}
