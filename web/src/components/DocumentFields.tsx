// Component: the document of a natural person: kind, number, name, and with a passport the day of
// birth. Names in the error are those of the API, under a prefix where the form has several.
import { SelectField, TextField } from './Inputs';
import type { ApiError } from '../api/client';
import { useI18n } from '../i18n';

export interface Document { document: 'citizen_number' | 'residence_permit' | 'passport'; number: string; name: string; birth: string | null }
export const noDocument: Document = { document: 'citizen_number', number: '', name: '', birth: null };

export function DocumentFields({ value, onChange, error, prefix = '' }: { value: Document; onChange: (value: Document) => void; error?: ApiError | null; prefix?: string }) {
  const { t } = useI18n();
  const set = (part: Partial<Document>) => onChange({ ...value, ...part });
  return (
    <>
      <SelectField name={`${prefix}document`} label={t('proof.document')} value={value.document} error={error} onChange={(document) => set({ document: document as Document['document'], birth: null })}
        choices={[{ value: 'citizen_number', text: t('proof.citizen_number') }, { value: 'residence_permit', text: t('proof.residence_permit') }, { value: 'passport', text: t('proof.passport') }]} />
      <TextField name={`${prefix}number`} label={t('proof.number')} value={value.number} error={error} autoComplete="off" autoCapitalize="characters" spellCheck={false} maxLength={40} onChange={(e) => set({ number: e.target.value })} />
      <TextField name={`${prefix}name`} label={t('proof.name')} value={value.name} error={error} autoComplete={prefix ? 'off' : 'name'} maxLength={60} onChange={(e) => set({ name: e.target.value })} />
      {value.document === 'passport' ? <TextField name={`${prefix}birth`} label={t('proof.birth')} hint={t('proof.birth_help')} value={value.birth ?? ''} error={error} inputMode="numeric" maxLength={10} onChange={(e) => set({ birth: e.target.value || null })} /> : null}
    </>
  );
}
