// Desk, item designer: conditions: a field answered before and the values it may have. All of them
// must hold.
import type { FormSchema, When } from '../../../api/items';
import { useI18n } from '../../../i18n';
import { askableBefore, choicesOf, kindOf, nodeOf, titleOf, valuesOf } from '../../../lib/designer';
import { ChecksIn, SelectIn } from './parts';

interface Props { form: FormSchema; /** The field they stand on; null for materials and fees. */ of: string | null; value: readonly When[]; onChange: (value: When[]) => void; at?: string }

export function WhenEditor({ form, of, value, onChange, at }: Props) {
  const { t, lang } = useI18n();
  const fields = askableBefore(form, of);
  const title = (name: string) => titleOf(form, name, lang);
  const words = (name: string, v: unknown): string => {
    const node = nodeOf(form, name);
    if (kindOf(node) === 'boolean') return t(v ? 'word.yes' : 'word.no');
    const choice = choicesOf(node).find((c) => c.value === v);
    return choice ? choice.words[lang] || choice.words.zh || choice.value : String(v);
  };
  const put = (i: number, when: When) => onChange(value.map((one, n) => (n === i ? when : one)));
  if (fields.length === 0 && value.length === 0) return <p className="muted small">{t('design.no_when')}</p>;
  return (
    <div className="stack" data-at={at}>
      {value.map((when, i) => (
        <div key={i} className="when-row">
          <SelectIn label={t('design.when_field', { n: i + 1 })} at={at ? `${at}/${i}` : undefined} value={when.field} onChange={(field) => put(i, { field, in: [] })} options={fields.map((f) => ({ value: f, text: title(f) }))} />
          {when.field ? <ChecksIn label={t('design.when_values', { field: title(when.field) })} value={when.in.map(String)} onChange={(chosen) => put(i, { field: when.field, in: valuesOf(form, when.field).filter((v) => chosen.includes(String(v))) })} options={valuesOf(form, when.field).map((v) => ({ value: String(v), text: words(when.field, v) }))} /> : null}
          <div><button type="button" className="link" onClick={() => onChange(value.filter((_, n) => n !== i))}>{t('design.remove_when', { n: i + 1 })}</button></div>
        </div>
      ))}
      <div><button type="button" className="button" disabled={fields.length === 0} onClick={() => onChange([...value, { field: fields[0] ?? '', in: [] }])}>{t('design.add_when')}</button></div>
    </div>
  );
}
