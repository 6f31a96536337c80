// Library: whether facilities run, in words; the reports say it as true, false or not known.
import { useCallback } from 'react';
import type { Text } from '../api/environment';
import { useI18n } from '../i18n';
import { say } from './text';

export function useRunning(): (state: Text | number | boolean | null | undefined) => string {
  const { t, lang } = useI18n();
  return useCallback(
    (state) => (typeof state === 'boolean' ? t(state ? 'station.running' : 'station.not_running') : say(state, lang) || '—'),
    [t, lang],
  );
}
