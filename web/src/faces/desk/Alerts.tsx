// Desk: the queue of alerts. Queues with exact counts on the left, the table in the middle; filters
// live in the address; several are handled at once.
import { useState } from 'react';
import { App, Button, Input, Select } from 'antd';
import { useNavigate } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { address, ApiError, send } from '../../api/client';
import { useApi } from '../../api/hooks';
import { useLive } from '../../api/live';
import { usePaged } from '../../api/pages';
import type { Alert, AlertVerb, BatchAnswer, Level, LevelCounts, List, Page } from '../../api/types';
import type { Words } from '../../i18n/lang';
import { DataTable } from '../../components/DataTable';
import { LevelTag } from '../../components/Marks';
import { useLiveLine } from '../../components/LiveLine';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { useStationName } from '../../components/StationName';
import { View } from '../../components/View';
import { useI18n, type Key } from '../../i18n';
import { useFilters } from '../../lib/at';
import { csv, saveFile } from '../../lib/csv';
import { number } from '../../lib/format';
import { dateTime } from '../../lib/time';
import { LEVELS } from '../../theme/palette';
import { useSession } from '../../shell/session';
import { useAlertColumns } from './alert/columns';
import { VerbDialog, type VerbName } from './alert/VerbDialog';
import './alert/alerts.css';

const OPEN_STATES = 'open,acknowledged,assigned';
const QUEUES: readonly { name: string; state: string; title: Key }[] = [
  { name: 'open', state: 'open', title: 'alerts.queue_open' },
  { name: 'working', state: 'acknowledged,assigned', title: 'alerts.queue_working' },
  { name: 'all', state: OPEN_STATES, title: 'alerts.queue_all' },
  { name: 'closed', state: 'closed', title: 'alerts.queue_closed' },
];

function QueueLink({ title, params, now, onPick }: { title: string; params: { state: string; assignee?: string }; now: boolean; onPick: () => void }) {
  const count = useApi<Page<Alert>>('/alerts', { ...params, limit: 1 }, { every: 15_000, keep: true });
  return <li><button type="button" className={now ? 'queue now' : 'queue'} aria-current={now ? 'true' : undefined} onClick={onPick}><span>{title}</span> <strong className="num">{number(count.data?.total, 0)}</strong></button></li>;
}

export default function Alerts() {
  const { t, w, lang } = useI18n();
  const { session, may } = useSession();
  const { message } = App.useApp();
  const filters = useFilters();
  const navigate = useNavigate();
  const client = useQueryClient();
  const columns = useAlertColumns();
  const [selected, setSelected] = useState<string[]>([]);
  const [verb, setVerb] = useState<VerbName | null>(null);
  const queue = filters.get('queue') || 'all';
  const mine = queue === 'mine' && session ? session.account : null;
  const params = {
    state: mine ? OPEN_STATES : (QUEUES.find((q) => q.name === queue)?.state ?? OPEN_STATES),
    level: filters.get('level'), rule: filters.get('rule'), text: filters.get('text'), thing: filters.get('thing'), active: filters.get('active'),
    assignee: mine,
  };
  const paged = usePaged<Alert>('/alerts', params, { every: 15_000 });
  const counts = useApi<LevelCounts>('/alerts/counts', undefined, { every: 15_000, keep: true });
  const rules = useApi<List<{ name: string; title: Words }>>('/rules');
  const refresh = () => client.invalidateQueries({ predicate: (q) => String(q.queryKey[0]).startsWith('/alerts') });
  const [heard, hear] = useLiveLine();
  const nameOf = useStationName();
  const live = useLive(true, null, { alert: (alert) => { hear(alert); void refresh(); } });
  const allowed = may('handle', 'alerts');

  const act = async (what: AlertVerb) => {
    try {
      const answer = await send<BatchAnswer>('POST', '/alerts/batch', { ids: selected, ...what });
      if (answer.done.length) void message.success(t('alerts.done', { n: answer.done.length }));
      const first = answer.failed[0];
      if (first) {
        const why = new ApiError({ ...first.problem, status: first.problem.status ?? 0 }).say(lang);
        void message.warning(t('alerts.some_failed', { n: answer.failed.length, why }));
      }
      setSelected(answer.failed.map((f) => f.id));
      setVerb(null);
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      void message.error(e.say(lang));
    }
    await refresh();
  };
  const exportSelected = (rows: Alert[]) => saveFile('alerts.csv', csv(
    ['id', t('alerts.level'), t('word.station'), t('word.device'), t('alerts.rule'), t('alerts.about'), t('alerts.value'), t('word.limit'), t('word.unit'), t('word.state'), t('alerts.raised'), t('alerts.assignee')],
    rows.filter((a) => selected.includes(a.id)).map((a) => [a.id, t(`level.${a.level}`), nameOf(a.thing), a.thing, w(a.title), w(a.message), a.value, a.limit, a.unit, t(`alert_state.${a.state}`), dateTime(a.raised_at), a.assignee])));

  return (
    <>
      <PageHead title={t('alerts.title')} sub={<><span role="status">{t(live ? 'live.on' : 'live.off')}{heard ? ` · ${heard}` : ''}</span> · {t('alerts.next_steps')}</>} />
      <div className="alert-desk">
        <aside aria-label={t('alerts.queues')}>
          <ul className="queues">
            {QUEUES.map((q) => <QueueLink key={q.name} title={t(q.title)} params={{ state: q.state }} now={queue === q.name} onPick={() => filters.set({ queue: q.name })} />)}
            {session ? <QueueLink title={t('alerts.mine')} params={{ state: OPEN_STATES, assignee: session.account }} now={queue === 'mine'} onPick={() => filters.set({ queue: 'mine' })} /> : null}
          </ul>
          <ul className="queues">
            {LEVELS.map((l: Level) => (
              <li key={l}><button type="button" className={filters.get('level') === l ? 'queue now' : 'queue'} aria-pressed={filters.get('level') === l} onClick={() => filters.set({ level: filters.get('level') === l ? null : l })}><LevelTag level={l} /> <strong className="num">{number(counts.data?.[l], 0)}</strong></button></li>
            ))}
          </ul>
        </aside>
        <div>
          <div className="filters">
            <label>{t('verb.search')}<span data-search><Input.Search allowClear defaultValue={filters.get('text')} placeholder={t('alerts.search')} onSearch={(v) => filters.set({ text: v })} /></span></label>
            <label>{t('alerts.rule')}<Select style={{ minWidth: 170 }} aria-label={t('alerts.rule')} value={filters.get('rule')} onChange={(v: string) => filters.set({ rule: v })} options={[{ value: '', label: t('word.all') }, ...(rules.data?.items ?? []).map((r) => ({ value: r.name, label: w(r.title) }))]} /></label>
            <label>{t('alerts.lasting')}<Select style={{ minWidth: 110 }} aria-label={t('alerts.lasting')} value={filters.get('active')} onChange={(v: string) => filters.set({ active: v })} options={[{ value: '', label: t('word.all') }, { value: 'true', label: t('alerts.going') }, { value: 'false', label: t('alerts.over') }]} /></label>
            <Button onClick={() => filters.set(Object.fromEntries([...filters.params.keys()].filter((k) => k !== 'queue').map((k) => [k, null])))}>{t('verb.clear')}</Button>
          </div>
          {selected.length ? (
            <div className="row batch" role="group" aria-label={t('alerts.batch', { n: selected.length })}>
              <span>{t('alerts.batch', { n: selected.length })}</span>
              <Button disabled={!allowed} onClick={() => { void act({ do: 'acknowledge' }); }}>{t('alerts.acknowledge')}</Button>
              <Button disabled={!allowed} onClick={() => setVerb('assign')}>{t('alerts.assign')}</Button>
              <Button disabled={!allowed} onClick={() => setVerb('close')}>{t('alerts.close')}</Button>
              {allowed ? null : <span className="muted">{t('alerts.no_may')}</span>}
            </div>
          ) : null}
          <View query={paged.query} empty={(p) => p.items.length === 0 && paged.page === 0} emptyText={t('alerts.empty')} lines={10}>
            {(p) => (
              <DataTable<Alert> name="alerts" caption={t('alerts.caption')} rows={p.items} rowKey={(a) => a.id} columns={columns} loading={paged.query.isPlaceholderData}
                total={p.total} page={paged.page} hasNext={p.next !== null} onPage={paged.turn} onOpen={(a) => { void navigate(`/desk/alerts/${encodeURIComponent(a.id)}`); }}
                selected={selected} onSelect={setSelected}
                tools={<><Button disabled={!selected.length} onClick={() => exportSelected(p.items)}>{t('verb.export_selected', { n: selected.length })}</Button><Button href={address('/alerts', { ...params, format: 'csv' })}>{t('verb.export_csv')}</Button><Button href={address('/alerts', { ...params, format: 'xlsx' })}>{t('verb.export_xlsx')}</Button></>} />
            )}
          </View>
        </div>
      </div>
      <VerbDialog verb={verb} onClose={() => setVerb(null)} onDone={act} />
      <Provenance asOf={paged.query.dataUpdatedAt} source="rules" path="/alerts" params={params} />
    </>
  );
}
