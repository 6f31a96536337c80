// Desk, tasks: fields whose names and kinds are known; only what they hold is typed.
import { useId } from 'react';
import { Input, Select } from 'antd';
import { useI18n } from '../../../i18n';
import type { ValueFault, ValueRow } from '../../../lib/cases';

export function FieldEditor({ rows, onChange, faults }: { rows: ValueRow[]; onChange: (rows: ValueRow[]) => void; faults: ValueFault[] }) {
  const { t } = useI18n();
  const id = useId();
  const put = (i: number, text: string) => onChange(rows.map((row, n) => (n === i ? { ...row, kind: row.kind === 'null' ? 'text' : row.kind, text } : row)));
  return (
    <>
      {rows.map((row, i) => {
        const fault = faults.find((f) => f.row === i);
        const own = `${id}-${i}`;
        const common = { id: own, status: fault ? 'error' as const : undefined, 'aria-invalid': fault ? true : undefined, 'aria-describedby': fault ? `${own}-fault` : undefined };
        return (
          <div key={row.name} className="stack">
            <label htmlFor={own}>{row.name}</label>
            {row.kind === 'boolean' ? <Select {...common} value={row.text} onChange={(text) => put(i, text)} options={[{ value: 'true', label: t('word.yes') }, { value: 'false', label: t('word.no') }]} />
              : row.kind === 'number' ? <Input {...common} inputMode="decimal" value={row.text} onChange={(e) => put(i, e.target.value)} />
                : <Input.TextArea {...common} autoSize={{ minRows: 1, maxRows: 10 }} value={row.text} onChange={(e) => put(i, e.target.value)} />}
            {fault ? <p id={`${own}-fault`} className="error-text small">{t(fault.what, fault.fill)}</p> : null}
          </div>
        );
      })}
    </>
  );
}
