// Library: names of districts for their codes, from the city pack.
import { useCallback } from 'react';
import { useI18n } from '../i18n';
import { useSession } from '../shell/session';

export function useDistrictName(): (code: unknown) => string {
  const { lang } = useI18n();
  const { city } = useSession();
  return useCallback(
    (code: unknown) => {
      if (code === null || code === undefined || code === '') return '';
      return city?.districts.find((d) => d.code === code)?.title[lang] ?? String(code);
    },
    [city, lang],
  );
}
