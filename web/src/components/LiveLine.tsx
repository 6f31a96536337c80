// Component: the newest live message in words: when, which station, what happened, how grave.
import { useCallback, useState } from 'react';
import type { Alert } from '../api/types';
import { useI18n } from '../i18n';
import { clock } from '../lib/time';
import { useStationName } from './StationName';

/** The last alert heard, as a sentence; null before the first. */
export function useLiveLine(): [string | null, (alert: Alert) => void] {
  const { t, w } = useI18n();
  const nameOf = useStationName();
  const [heard, setHeard] = useState<Alert | null>(null);
  const hear = useCallback((alert: Alert) => setHeard(alert), []);
  const at = heard?.steps[heard.steps.length - 1]?.at ?? heard?.raised_at;
  const line = heard
    ? t('live.alert', { time: clock(at), station: nameOf(heard.thing), what: w(heard.title), level: t(`level.${heard.level}`), state: t(`alert_state.${heard.state}`) })
    : null;
  return [line, hear];
}
