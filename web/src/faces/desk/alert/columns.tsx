// Desk, alerts: the columns of every list of alerts.
import { useMemo } from 'react';
import { Link } from 'react-router';
import type { Alert } from '../../../api/types';
import type { Column } from '../../../components/DataTable';
import { LevelTag, StateTag } from '../../../components/Marks';
import { StationName } from '../../../components/StationName';
import { useI18n } from '../../../i18n';
import { quantity } from '../../../lib/format';
import { useNow } from '../../../lib/now';
import { dateTime, duration, ms } from '../../../lib/time';

export function useAlertColumns(): Column<Alert>[] {
  const { t, w, lang } = useI18n();
  const now = useNow();
  return useMemo<Column<Alert>[]>(() => [
    { key: 'level', title: t('alerts.level'), render: (a) => <LevelTag level={a.level} short /> },
    { key: 'thing', title: t('word.station'), width: 170, render: (a) => <StationName thing={a.thing} /> },
    { key: 'title', title: t('alerts.about'), width: 320, render: (a) => <><Link to={`/desk/alerts/${encodeURIComponent(a.id)}`}>{w(a.title)}</Link><div className="muted small">{w(a.message)}</div></> },
    { key: 'value', title: t('alerts.value'), align: 'right', render: (a) => quantity(a.value, a.unit) },
    { key: 'limit', title: t('word.limit'), align: 'right', render: (a) => quantity(a.limit, a.unit), spare: true },
    { key: 'state', title: t('word.state'), render: (a) => <StateTag state={a.state} /> },
    { key: 'raised', title: t('alerts.raised'), render: (a) => dateTime(a.raised_at) },
    { key: 'lasting', title: t('alerts.lasting'), render: (a) => <>{duration((a.ended_at ? ms(a.ended_at) : now) - ms(a.since), lang)} <span className="muted small">{t(a.ended_at ? 'alerts.over' : 'alerts.going')}</span></> },
    { key: 'assignee', title: t('alerts.assignee'), render: (a) => a.assignee ?? '—' },
    { key: 'rule', title: t('alerts.rule'), render: (a) => <code>{a.rule}</code>, spare: true },
  ], [t, w, lang, now]);
}
