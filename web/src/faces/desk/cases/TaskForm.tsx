// Desk, tasks: what is found at a task: the fields its form names, or a typed key/value editor when it
// names none of the case's variables.
import { useState } from 'react';
import { Button, Select } from 'antd';
import type { Data } from '../../../api/cases';
import { ValueEditor } from '../../../components/ValueEditor';
import { useI18n } from '../../../i18n';
import type { Ask } from '../../../lib/bpmn';
import { formFields, readRows, rowOf, type ValueFault, type ValueRow } from '../../../lib/cases';
import { FieldEditor } from './FieldEditor';

interface Props { form: string | null; asks: readonly Ask[]; data: Data; label: string; busy: boolean; disabled: boolean; why: string | undefined; onDone: (data: Data) => void }

export function TaskForm({ form, asks, data, label, busy, disabled, why, onDone }: Props) {
  const { t } = useI18n();
  const fields = formFields(form, data);
  const [rows, setRows] = useState<ValueRow[]>(() => fields ? fields.map((name) => rowOf(name, data[name] ?? null)) : asks.map((ask) => ({ name: ask.name, kind: ask.kind, text: '' })));
  const [faults, setFaults] = useState<ValueFault[]>([]);
  const change = (next: ValueRow[]) => {
    setRows(next);
    if (faults.length) setFaults(readRows(next).faults);
  };
  const finish = () => {
    const read = readRows(rows);
    setFaults(read.faults);
    if (!read.faults.length) onDone(read.data);
  };
  const left = Object.keys(data).filter((name) => !rows.some((row) => row.name === name));
  return (
    <div className="stack">
      <p className="muted small">{t(fields ? 'task.form_help' : 'task.form_free')}</p>
      {fields ? <FieldEditor rows={rows} onChange={change} faults={faults} /> : (
        <>
          <ValueEditor rows={rows} onChange={change} faults={faults} />
          {left.length ? <Select aria-label={t('task.known')} placeholder={t('task.known')} value={null} style={{ maxWidth: 260 }} onChange={(name: string | null) => { if (name) change([...rows, rowOf(name, data[name] ?? null)]); }} options={left.map((name) => ({ value: name, label: name }))} /> : null}
        </>
      )}
      {faults.length ? <p className="error-text" role="alert">{t('value.faults', { n: faults.length })}</p> : null}
      <div><Button type="primary" className="complete" loading={busy} disabled={disabled} aria-describedby={why} onClick={finish}>{label}</Button></div>
    </div>
  );
}
