// Component: a typed key/value editor: what it holds is JSON, and each fault is said beside its field.
import { Button, Input, Select } from 'antd';
import { useI18n } from '../i18n';
import { VALUE_KINDS, type ValueFault, type ValueKind, type ValueRow } from '../lib/cases';
import '../faces/desk/cases/cases.css';

interface Props { rows: ValueRow[]; onChange: (rows: ValueRow[]) => void; faults: ValueFault[] }

export function ValueEditor({ rows, onChange, faults }: Props) {
  const { t } = useI18n();
  const change = (i: number, part: Partial<ValueRow>) => onChange(rows.map((row, n) => (n === i ? { ...row, ...part } : row)));
  const faultsOf = (i: number, at: ValueFault['at']) => faults.filter((f) => f.row === i && f.at === at);
  return (
    <div className="stack value-editor">
      {rows.map((row, i) => {
        const n = i + 1;
        const wrongName = faultsOf(i, 'name').length > 0;
        const wrong = faultsOf(i, 'value').length > 0;
        const value = { 'aria-label': t('value.value_n', { n }), 'aria-invalid': wrong || undefined, status: wrong ? 'error' as const : undefined };
        return (
          <div key={i} className="value-row">
            <Input aria-label={t('value.name_n', { n })} placeholder={t('value.name')} value={row.name} aria-invalid={wrongName || undefined} status={wrongName ? 'error' : undefined} maxLength={128} onChange={(e) => change(i, { name: e.target.value })} />
            <Select<ValueKind> aria-label={t('value.kind_n', { n })} value={row.kind} onChange={(kind) => change(i, { kind, text: kind === 'boolean' ? 'true' : kind === 'null' ? '' : row.text })} options={VALUE_KINDS.map((k) => ({ value: k, label: t(`value.kind.${k}`) }))} />
            {row.kind === 'boolean' ? <Select {...value} placeholder={t('value.choose')} value={row.text || undefined} onChange={(text) => change(i, { text })} options={[{ value: 'true', label: t('word.yes') }, { value: 'false', label: t('word.no') }]} />
              : row.kind === 'null' ? <span className="muted">—</span>
                : <Input.TextArea {...value} autoSize={{ minRows: 1, maxRows: 10 }} placeholder={t('value.value')} value={row.text} onChange={(e) => change(i, { text: e.target.value })} />}
            <Button aria-label={t('value.remove_n', { n })} onClick={() => onChange(rows.filter((_, at) => at !== i))}>{t('value.remove')}</Button>
            {[...faultsOf(i, 'name'), ...faultsOf(i, 'value')].map((f, at) => <p key={at} className="error-text small value-fault">{t('value.fault_at', { row: n })}: {t(f.what, f.fill)}</p>)}
          </div>
        );
      })}
      <div><Button onClick={() => onChange([...rows, { name: '', kind: 'text', text: '' }])}>{t('value.add')}</Button></div>
    </div>
  );
}
