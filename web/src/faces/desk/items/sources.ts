// Desk, item designer: where a value or a material may come from: the applicant, registers, licences.
import { useMemo } from 'react';
import { useLicenceTypes } from '../../../api/licences';
import { useApi } from '../../../api/hooks';
import type { Words } from '../../../i18n/lang';
import { useI18n } from '../../../i18n';

export interface PrefillOption { path: string; text: string }
interface RegisterLine { name: string; title: Words; fields: { name: string; title: Words }[] }

export const PERSON_PATHS = ['person.name', 'person.number', 'person.birth', 'person.mobile', 'party.name', 'party.code'] as const;

/** Registers the designer may read, with their fields. */
export function useRegisters(): RegisterLine[] {
  const query = useApi<{ items: RegisterLine[] }>('/registers', { limit: 200 });
  return useMemo(() => query.data?.items ?? [], [query.data]);
}

/** Every place a field can be filled from, in words. */
export function usePrefills(): PrefillOption[] {
  const { t, w } = useI18n();
  const registers = useRegisters();
  const { types } = useLicenceTypes();
  return useMemo(() => [
    ...PERSON_PATHS.map((path) => ({ path, text: t(`design.path_${path.replace('.', '_') as 'person_name'}`) })),
    ...registers.flatMap((r) => r.fields.map((f) => ({ path: `register.${r.name}.${f.name}`, text: `${t('design.register')} ${w(r.title)} · ${w(f.title)}` }))),
    ...[...types.values()].flatMap((l) => l.fields.map((f) => ({ path: `licence.${l.name}.${f.name}`, text: `${t('design.licence')} ${w(l.title)} · ${w(f.title)}` }))),
  ], [registers, types, t, w]);
}
