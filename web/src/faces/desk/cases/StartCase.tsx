// Desk, cases: a new case: of which process, about what, within which limits, with what is known.
import { useState } from 'react';
import { Form, Input, InputNumber, Modal, Select } from 'antd';
import { send } from '../../../api/client';
import type { Case, Limit, NewCase, Process } from '../../../api/cases';
import { Faults } from '../../../components/Faults';
import { ValueEditor } from '../../../components/ValueEditor';
import { useI18n } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import { readRows, type ValueFault, type ValueRow } from '../../../lib/cases';
import { useRefresh } from './ask';

interface Values { process: string; number?: string; title?: string; organisation?: string; statutory?: number | null; promised?: number | null; count: Limit['count'] }

export default function StartCase({ processes, onClose, onStarted }: { processes: readonly Process[]; onClose: () => void; onStarted: (made: Case) => void }) {
  const { t } = useI18n();
  const [form] = Form.useForm<Values>();
  const { error, busy, attempt } = useAttempt();
  const refresh = useRefresh();
  const [rows, setRows] = useState<ValueRow[]>([]);
  const [faults, setFaults] = useState<ValueFault[]>([]);
  const start = async (v: Values) => {
    const read = readRows(rows);
    setFaults(read.faults);
    if (read.faults.length) return;
    const limit = (days: number | null | undefined): Limit | null => (days ? { days, count: v.count } : null);
    const body: NewCase = { process: v.process, number: v.number?.trim() || null, title: v.title?.trim() ?? '', organisation: v.organisation?.trim() || null, data: read.data, statutory: limit(v.statutory), promised: limit(v.promised) };
    await attempt(async () => {
      const made = await send<Case>('POST', '/cases', body);
      await refresh();
      onStarted(made);
    });
  };
  const days = { min: 1, max: 3660, precision: 0, style: { width: '100%' } };
  return (
    <Modal open width={680} title={t('cases.start')} onCancel={onClose} onOk={() => form.submit()} confirmLoading={busy} okText={t('cases.start')} cancelText={t('verb.cancel')} destroyOnHidden closable={{ 'aria-label': t('verb.close_dialog') }}>
      {processes.length === 0 ? <p>{t('case.new_no_process')}</p> : null}
      <Form<Values> form={form} layout="vertical" name="start" initialValues={{ process: processes.length === 1 ? processes[0]?.process : undefined, count: 'working_days' }} onFinish={(v) => { void start(v); }}>
        <Form.Item name="process" label={t('case.new_process')} rules={[{ required: true, message: t('alerts.need_text') }]}><Select showSearch optionFilterProp="label" options={processes.map((p) => ({ value: p.process, label: `${p.name || p.process} (${t('cases.version', { n: p.version })})` }))} /></Form.Item>
        <Form.Item name="title" label={t('case.new_title')} extra={t('case.new_title_help')}><Input maxLength={200} /></Form.Item>
        <Form.Item name="number" label={t('case.new_number')}><Input maxLength={64} autoComplete="off" /></Form.Item>
        <Form.Item name="organisation" label={t('cases.organisation_code')}><Input maxLength={64} autoComplete="off" /></Form.Item>
        <div className="grid two">
          <Form.Item name="statutory" label={t('case.new_statutory')}><InputNumber {...days} /></Form.Item>
          <Form.Item name="promised" label={t('case.new_promised')} dependencies={['statutory']} rules={[({ getFieldValue }) => ({ validator: (_: unknown, v: number | null) => { const law = getFieldValue('statutory') as number | null | undefined; return v && law && v > law ? Promise.reject(new Error(t('case.new_longer'))) : Promise.resolve(); } })]}><InputNumber {...days} /></Form.Item>
        </div>
        <Form.Item name="count" label={t('case.new_count')}><Select options={(['working_days', 'calendar_days'] as const).map((c) => ({ value: c, label: t(`clock.${c}`) }))} /></Form.Item>
        <fieldset className="plain-fieldset"><legend>{t('case.new_data')}</legend><ValueEditor rows={rows} onChange={setRows} faults={faults} /></fieldset>
      </Form>
      <Faults error={error} />
    </Modal>
  );
}
