// Desk: one alert: what happened, the data around it with the limit, who did what, what can be done
// now and why the rest cannot.
import { useMemo, useState } from 'react';
import { App, Button } from 'antd';
import { useParams } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { Alert, AlertVerb, Level, List } from '../../api/types';
import { LevelTag, StateTag } from '../../components/Marks';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SeriesChart } from '../../components/SeriesChart';
import { StationName, useStationName } from '../../components/StationName';
import { View } from '../../components/View';
import { useI18n, type Key } from '../../i18n';
import { number, quantity } from '../../lib/format';
import { useNow } from '../../lib/now';
import { dateTimeSeconds, duration, HOUR_MS, ms } from '../../lib/time';
import type { Words } from '../../i18n/lang';
import { LEVELS } from '../../theme/palette';
import { useSession } from '../../shell/session';
import { VerbDialog, type VerbName } from './alert/VerbDialog';

const AROUND_MS = 3 * HOUR_MS;
const LONGEST_MS = 72 * HOUR_MS;
const VERBS: readonly VerbName[] = ['acknowledge', 'assign', 'comment', 'close'];
const STEPS = ['raised', 'level', 'ended', 'escalated', 'acknowledged', 'assigned', 'comment', 'closed'];

/** Why a verb cannot be used now; null when it can. */
export function refusal(alert: Alert, verb: VerbName, may: boolean): Key | null {
  if (!may) return 'alerts.no_may';
  if (alert.state === 'closed') return 'alerts.no_closed';
  if (verb === 'acknowledge' && alert.state !== 'open') return 'alerts.no_again';
  return null;
}

function Evidence({ alert }: { alert: Alert }) {
  const { t } = useI18n();
  const now = useNow();
  const since = ms(alert.since);
  const end = alert.ended_at ? ms(alert.ended_at) : now;
  const from = since - AROUND_MS;
  const to = Math.min(end + AROUND_MS, now, since + LONGEST_MS);
  const series = useMemo(() => [{ thing: alert.thing, property: alert.property ?? '', kind: alert.kind ?? 'real_time' }], [alert.thing, alert.property, alert.kind]);
  if (!alert.property) return null;
  return (
    <section className="card">
      <h2>{t('alerts.chart')}</h2>
      <SeriesChart title={t('alerts.chart')} series={series} from={from} to={Math.max(to, since + 60_000)}
        limits={alert.limit === null ? [] : [{ value: alert.limit, text: `${t('word.limit')} ${number(alert.limit)}` }]}
        mark={{ from: since, to: Math.min(end, to), text: t('alerts.event') }} />
    </section>
  );
}

export default function AlertPage() {
  const { id = '' } = useParams();
  const { t, w, lang } = useI18n();
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const now = useNow();
  const [verb, setVerb] = useState<VerbName | null>(null);
  const [busy, setBusy] = useState(false);
  const path = `/alerts/${encodeURIComponent(id)}`;
  const query = useApi<Alert>(path, undefined, { every: 15_000 });
  const rules = useApi<List<{ name: string; title: Words; about: unknown; text: unknown }>>('/rules');
  const nameOf = useStationName();

  const act = async (alert: Alert, what: AlertVerb) => {
    setBusy(true);
    try {
      const after = await send<Alert>('POST', path, what, { ifMatch: alert.version });
      client.setQueryData([path, {}], after);
      setVerb(null);
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      void message.error(e.code === 'input.stale' ? t('alerts.stale') : e.say(lang));
      await query.refetch();
    } finally {
      setBusy(false);
    }
    void client.invalidateQueries({ queryKey: ['/alerts'] });
  };

  return (
    <View query={query} lines={10}>
      {(a) => {
        const refusals = VERBS.map((v) => [v, refusal(a, v, may('handle', 'alerts'))] as const);
        const reasons = [...new Set(refusals.flatMap(([, r]) => (r ? [r] : [])))];
        const rule = rules.data?.items.find((r) => r.name === a.rule);
        const end = a.ended_at ? ms(a.ended_at) : now;
        return (
          <>
            <PageHead title={t('alerts.head', { station: nameOf(a.thing), what: w(a.title) })} back={{ to: '/desk/alerts', text: t('alerts.title') }}
              sub={<span className="row"><LevelTag level={a.level} /><StateTag state={a.state} /><span>{duration(end - ms(a.since), lang)} · {t(a.ended_at ? 'alerts.over' : 'alerts.going')}</span></span>} />
            <div className="grid side">
              <div>
                <section className="card"><p style={{ fontSize: '1.1rem' }}>{w(a.message)}</p>
                  <dl className="facts">
                    <dt>{t('word.station')}</dt><dd><StationName thing={a.thing} /></dd>
                    {a.property ? <><dt>{t('word.property')}</dt><dd>{a.property}{a.kind ? ` · ${a.kind}` : ''}</dd></> : null}
                    <dt>{t('alerts.value')}</dt><dd>{quantity(a.value, a.unit)}</dd>
                    <dt>{t('word.limit')}</dt><dd>{quantity(a.limit, a.unit)}</dd>
                    <dt>{t('word.from')}</dt><dd>{dateTimeSeconds(a.since)}</dd>
                    <dt>{t('word.to')}</dt><dd>{dateTimeSeconds(a.ended_at)}</dd>
                    <dt>{t('alerts.raised')}</dt><dd>{dateTimeSeconds(a.raised_at)}</dd>
                    <dt>{t('alerts.rule')}</dt><dd>{rule ? w(rule.title) : ''} <code>{a.system}/{a.rule}</code></dd>
                    <dt>{t('alerts.assignee')}</dt><dd>{a.assignee ?? '—'}</dd>
                    {a.escalated_to ? <><dt>{t('alerts.escalated')}</dt><dd>{a.escalated_to}</dd></> : null}
                  </dl>
                </section>
                <Evidence alert={a} />
              </div>
              <div>
                <section className="card" aria-label={t('alerts.verbs')}>
                  <h2>{t('alerts.verbs')}</h2>
                  <div className="row">
                    {refusals.map(([v, why]) => (
                      <Button key={v} type={v === 'acknowledge' && !why ? 'primary' : 'default'} danger={v === 'close' && !why} disabled={why !== null} loading={busy && v === 'acknowledge'} aria-describedby={why ? `why-${why}` : undefined}
                        onClick={() => { if (v === 'acknowledge') void act(a, { do: 'acknowledge' }); else setVerb(v); }}>{t(`alerts.${v}`)}</Button>
                    ))}
                  </div>
                  {reasons.map((r) => <p key={r} id={`why-${r}`} className="muted small" style={{ marginTop: 8 }}>{t(r)}</p>)}
                </section>
                <section className="card">
                  <h2>{t('alerts.timeline')}</h2>
                  <ol className="timeline">
                    {a.steps.map((s, i) => (
                      <li key={i}><strong>{STEPS.includes(s.what) ? t(`step.${s.what}` as Key) : s.what}</strong> <span className="muted small">{dateTimeSeconds(s.at)} · {s.by === 'rule' ? t('step.by_rule') : s.by}</span>{s.text ? <div>{LEVELS.some((l) => l === s.text) ? <LevelTag level={s.text as Level} /> : s.text}</div> : null}</li>
                    ))}
                  </ol>
                </section>
              </div>
            </div>
            <VerbDialog verb={verb} onClose={() => setVerb(null)} onDone={(what) => act(a, what)} />
            <Provenance asOf={query.dataUpdatedAt} source={`rules · ${a.system}/${a.rule}`} path={path} />
          </>
        );
      }}
    </View>
  );
}
