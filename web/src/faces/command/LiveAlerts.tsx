// Command: what is wrong now, gravest and newest first, with since when and who is on it.
import { Link } from 'react-router';
import { useApi } from '../../api/hooks';
import type { Alert, Page } from '../../api/types';
import { LevelTag, StateTag } from '../../components/Marks';
import { StationName } from '../../components/StationName';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { useNow } from '../../lib/now';
import { DAY_MS, dateTime, duration, ms, rfc3339 } from '../../lib/time';
import { LEVELS } from '../../theme/palette';

const REFRESH_MS = 10_000;
const SHOWN = 60;

/** Gravest first, then newest. */
export function byGravity(a: Alert, b: Alert): number {
  return LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) || ms(b.raised_at) - ms(a.raised_at);
}

export function LiveAlerts({ at, heard }: { at: string | null; heard: string | null }) {
  const { t, w, lang } = useI18n();
  const now = useNow(30_000);
  const moment = at ? ms(at) : now;
  const params = at
    ? { from: rfc3339(moment - DAY_MS), to: rfc3339(moment), limit: SHOWN }
    : { state: 'open,acknowledged,assigned', limit: SHOWN };
  const alerts = useApi<Page<Alert>>('/alerts', params, { every: at ? 0 : REFRESH_MS, keep: true });
  return (
    <>
      <div className="wall-head"><h2>{t('command.alerts')}</h2><Link to="/desk/alerts">{t('command.all_alerts')}{alerts.data ? ` (${alerts.data.total})` : ''}</Link></div>
      {at ? <p className="muted small">{t('command.past_alerts')}</p> : <p className="heard small" role="status">{heard}</p>}
      <View query={alerts} empty={(p) => p.items.length === 0} emptyText={t('command.no_alerts')}>
        {(page) => (
          <ol className="wall-alerts">
            {[...page.items].sort(byGravity).map((a) => {
              const end = a.ended_at ? ms(a.ended_at) : moment;
              return (
                <li key={a.id} className={`wall-alert ${a.level}`}>
                  <div className="row"><LevelTag level={a.level} short /><StateTag state={a.state} /></div>
                  <p className="where"><StationName thing={a.thing} /></p>
                  <Link to={`/desk/alerts/${encodeURIComponent(a.id)}`}>{w(a.title)}</Link>
                  <p>{w(a.message)}</p>
                  <p className="muted small">
                    {dateTime(a.since)} · {t(a.ended_at ? 'command.ended' : 'command.ongoing', { time: duration(end - ms(a.since), lang) })}<br />
                    {a.assignee ? t('command.who', { who: a.assignee }) : t('command.nobody')}
                  </p>
                </li>
              );
            })}
          </ol>
        )}
      </View>
    </>
  );
}
