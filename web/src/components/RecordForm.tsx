// Component: a form made from the declaration of a register: one control per field, required ones
// marked, problems of the server shown beside the field they are about.
import { useState, type ReactNode } from 'react';
import { App, Button, DatePicker, Form, Input, InputNumber, Select, Switch } from 'antd';
import dayjs from 'dayjs';
import { ApiError } from '../api/client';
import { useApi } from '../api/hooks';
import type { District, Field, FieldValue, Page, RecordVersion, Register } from '../api/types';
import { useI18n } from '../i18n';
import { rfc3339 } from '../lib/time';
import { useSession } from '../shell/session';
import { fromPicker, toPicker } from './TimeRange';

type Fields = Record<string, FieldValue>;
interface Props {
  register: Register;
  initial?: Fields;
  /** Fields that may not be changed here. */
  fixed?: string[];
  submitText: string;
  onSubmit: (fields: Fields) => Promise<void>;
  children?: ReactNode;
}

function ReferencePick({ register, value, onChange, id }: { register: string; value?: string; onChange?: (v: string | null) => void; id?: string }) {
  const [text, setText] = useState('');
  const found = useApi<Page<RecordVersion>>(`/registers/${register}`, { text, limit: 20 }, { keep: true });
  const options = (found.data?.items ?? []).map((r) => ({ value: r.key, label: `${r.key} ${String(r.fields['name'] ?? r.fields['title'] ?? '')}` }));
  return <Select id={id} allowClear showSearch={{ filterOption: false, onSearch: setText }} value={value ?? null} onChange={(v) => onChange?.(v ?? null)} options={options} loading={found.isFetching} />;
}

function control(field: Field, lang: 'zh' | 'en', fixed: boolean, districts: District[]): ReactNode {
  if (field.name === 'district' && districts.length) {
    return <Select allowClear={!field.required} showSearch={{ optionFilterProp: 'label' }} options={districts.map((d) => ({ value: d.code, label: d.title[lang] }))} disabled={fixed} />;
  }
  switch (field.type) {
    case 'integer': return <InputNumber style={{ width: '100%' }} precision={0} suffix={field.unit ?? undefined} disabled={fixed} />;
    case 'number': return <InputNumber style={{ width: '100%' }} suffix={field.unit ?? undefined} disabled={fixed} />;
    case 'boolean': return <Switch disabled={fixed} />;
    case 'choice': return <Select allowClear={!field.required} options={field.of.map(([value, words]) => ({ value, label: words[lang] }))} disabled={fixed} />;
    case 'date': return <DatePicker format="YYYY-MM-DD" disabled={fixed} />;
    case 'time': return <DatePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" disabled={fixed} />;
    case 'reference': return fixed ? <Input disabled /> : <ReferencePick register={field.register} />;
    default: return <Input disabled={fixed} />;
  }
}

/** Record values to form values and back: dates travel as picker objects. */
function toForm(fields: Field[], values: Fields): Record<string, unknown> {
  return Object.fromEntries(fields.map((f) => {
    const v = values[f.name];
    if ((f.type === 'date' || f.type === 'time') && typeof v === 'string') return [f.name, f.type === 'date' ? dayjs(v) : toPicker(Date.parse(v))];
    return [f.name, v ?? undefined];
  }));
}
function fromForm(fields: Field[], values: Record<string, unknown>): Fields {
  const out: Fields = {};
  for (const f of fields) {
    const v = values[f.name];
    if (v === undefined || v === null || v === '') continue;
    if (f.type === 'date') out[f.name] = (v as dayjs.Dayjs).format('YYYY-MM-DD');
    else if (f.type === 'time') out[f.name] = rfc3339(fromPicker(v as dayjs.Dayjs));
    else out[f.name] = v as FieldValue;
  }
  return out;
}

export function RecordForm({ register, initial = {}, fixed = [], submitText, onSubmit, children }: Props) {
  const { t, lang } = useI18n();
  const { city } = useSession();
  const { message } = App.useApp();
  const [form] = Form.useForm<Record<string, unknown>>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const finish = async (values: Record<string, unknown>) => {
    setBusy(true);
    setError(null);
    try {
      await onSubmit(fromForm(register.fields, values));
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      setError(e);
      const names = new Set(register.fields.map((f) => f.name));
      form.setFields(e.problems.flatMap((p) => {
        const name = p.at.split(/[/.]/).pop() ?? '';
        return names.has(name) ? [{ name, errors: [p.words[lang]] }] : [];
      }));
      void message.error(e.say(lang));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Form form={form} layout="vertical" initialValues={toForm(register.fields, initial)} onFinish={(v) => { void finish(v); }} scrollToFirstError>
      {error ? <div className="error-box" role="alert"><p>{error.say(lang)}</p>{error.problems.map((p, i) => <p key={i}><code>{p.at}</code> {p.words[lang]}</p>)}<p className="muted">{t('state.code', { code: error.code })}</p></div> : null}
      {register.fields.map((f) => (
        <Form.Item key={f.name} name={f.name} label={`${f.title[lang]}${f.personal ? ` (${t('data.personal')})` : ''}`} valuePropName={f.type === 'boolean' ? 'checked' : 'value'}
          rules={[{ required: f.required && f.type !== 'boolean', message: t('data.required', { field: f.title[lang] }) }]}>
          {control(f, lang, fixed.includes(f.name), city?.districts ?? [])}
        </Form.Item>
      ))}
      {children}
      <Button type="primary" htmlType="submit" loading={busy}>{submitText}</Button>
    </Form>
  );
}
