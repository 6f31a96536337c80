// Component: filters for the indexed fields of a register that have few values (choices, yes/no) or
// point to another register. They live in the address as `f.<field>`.
import { Input, Select } from 'antd';
import type { Params } from '../api/client';
import type { Field, Register } from '../api/types';
import { useI18n } from '../i18n';
import { useSession } from '../shell/session';
import type { useFilters } from '../lib/at';

function filterable(register: Register | undefined): Field[] {
  return (register?.fields ?? []).filter((f) => f.index && (f.type === 'choice' || f.type === 'boolean' || f.type === 'reference' || f.name === 'district'));
}

/** The parameters of the chosen filters. */
export function fieldParams(register: Register | undefined, params: URLSearchParams): Params {
  return Object.fromEntries(filterable(register).map((f) => [`f.${f.name}`, params.get(`f.${f.name}`)]));
}

export function FieldFilters({ register, filters }: { register: Register; filters: ReturnType<typeof useFilters> }) {
  const { t, lang } = useI18n();
  const { city } = useSession();
  const all = { value: '', label: t('word.all') };
  return (
    <>
      {filterable(register).map((f) => (
        <label key={f.name}>
          {f.title[lang]}
          {f.type === 'reference' && f.name !== 'district'
            ? <Input allowClear style={{ width: 150 }} defaultValue={filters.get(`f.${f.name}`)} onPressEnter={(e) => filters.set({ [`f.${f.name}`]: e.currentTarget.value })} onBlur={(e) => { if (e.target.value !== filters.get(`f.${f.name}`)) filters.set({ [`f.${f.name}`]: e.target.value }); }} />
            : <Select style={{ minWidth: 130 }} aria-label={f.title[lang]} value={filters.get(`f.${f.name}`)} onChange={(v: string) => filters.set({ [`f.${f.name}`]: v })}
                options={[all, ...(f.name === 'district' ? (city?.districts ?? []).map((d) => ({ value: d.code, label: d.title[lang] })) : f.type === 'choice' ? f.of.map(([value, words]) => ({ value, label: words[lang] })) : [{ value: 'true', label: t('word.yes') }, { value: 'false', label: t('word.no') }])]} />}
        </label>
      ))}
    </>
  );
}
