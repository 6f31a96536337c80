// Desk: the inbox: what is in my hand and what I may take, the most pressing first; taken and urged in
// place, several at once. Filters live in the address.
import { useState } from 'react';
import { App, Button, Input, Select } from 'antd';
import { Link, useNavigate } from 'react-router';
import { ApiError } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import { usePaged } from '../../../api/pages';
import type { List, Page } from '../../../api/types';
import type { Process, Task } from '../../../api/cases';
import { DataTable, type Column } from '../../../components/DataTable';
import { Light } from '../../../components/Light';
import { PageHead } from '../../../components/PageHead';
import { Provenance } from '../../../components/Provenance';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useFilters } from '../../../lib/at';
import { taskRefusal } from '../../../lib/cases';
import { number } from '../../../lib/format';
import { dateTime, lastMoment } from '../../../lib/time';
import { useSession } from '../../../shell/session';
import { actAtTask, actAtTasks, useRefresh, useSaid, type BatchDone } from './ask';
import { BatchDialog, type BatchVerb } from './BatchDialog';
import { Exports } from './Exports';
import { TaskDialog } from './TaskDialog';
import '../alert/alerts.css';
import './cases.css';

const WHOSE = ['all', 'mine', 'offered'] as const;
const LIGHTS = ['red', 'yellow', 'green', 'paused'] as const;

function Queue({ whose, now, onPick }: { whose: (typeof WHOSE)[number]; now: boolean; onPick: () => void }) {
  const { t } = useI18n();
  const count = useApi<Page<Task>>('/tasks', { whose, limit: 1 }, { every: 15_000, keep: true });
  return <li><button type="button" className={now ? 'queue now' : 'queue'} aria-current={now ? 'true' : undefined} onClick={onPick}><span>{t(`tasks.${whose}`)}</span> <strong className="num">{number(count.data?.total, 0)}</strong></button></li>;
}

export default function Tasks() {
  const { t, lang } = useI18n();
  const { session } = useSession();
  const { message } = App.useApp();
  const filters = useFilters();
  const navigate = useNavigate();
  const refresh = useRefresh();
  const said = useSaid();
  const [selected, setSelected] = useState<string[]>([]);
  const [urging, setUrging] = useState<Task | null>(null);
  const [busy, setBusy] = useState(false);
  const [batch, setBatch] = useState<BatchVerb | null>(null);
  const me = session?.account ?? '';
  const whose = WHOSE.find((one) => one === filters.get('whose')) ?? 'all';
  const params = { whose, process: filters.get('process'), light: filters.get('light'), text: filters.get('text') };
  const paged = usePaged<Task>(session === null ? null : '/tasks', params, { every: 15_000 });
  const query = paged.query;
  const processes = useApi<List<Process>>('/processes');
  const claim = async (tasks: Task[], work: () => Promise<void>) => {
    setBusy(true);
    try {
      await work();
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      void message.warning(e.say(lang), 6);
      setSelected(tasks.map((task) => task.id));
    }
    setBusy(false);
    await refresh();
  };
  const claimOne = (task: Task) => claim([], async () => said(await actAtTask(task, { verb: 'claim' }), 'claim'));
  const tell = ({ done, failed }: BatchDone, verb: BatchVerb | 'claim') => {
    const first = failed[0];
    const word = t(`task.${verb}`);
    if (done.length) void message.success(t('tasks.done_n', { verb: word, n: done.length }));
    if (first) void message.warning(t('tasks.some_failed', { n: failed.length, why: first.why.problems[0]?.words[lang] ?? first.why.say(lang) }), 6);
    setSelected(failed.map((f) => f.id));
  };
  const claimAll = (tasks: Task[]) => claim(tasks, async () => tell(await actAtTasks(tasks, { verb: 'claim' }), 'claim'));
  const columns: Column<Task>[] = [
    { key: 'light', title: t('clock.title'), render: (task) => <Light left={task.left} /> },
    { key: 'number', title: t('tasks.number'), render: (task) => <Link to={`/desk/tasks/${encodeURIComponent(task.id)}`}>{task.number}</Link> },
    { key: 'title', title: t('tasks.about'), width: 160, render: (task) => task.title },
    { key: 'name', title: t('tasks.step'), render: (task) => <>{task.name || task.node}{task.kind === 'task' ? null : <span className="muted"> · {t(`task.kind.${task.kind}`)}</span>}</> },
    { key: 'with', title: t('tasks.with'), render: (task) => task.assignee ?? <span className="muted">{t('tasks.nobody')}</span> },
    { key: 'opened', title: t('tasks.opened'), render: (task) => dateTime(task.opened_at) },
    { key: 'urged', title: t('tasks.urged'), render: (task) => (task.urged ? t('tasks.urged_n', { n: task.urged }) : '—') },
    { key: 'process', title: t('tasks.process'), spare: true, render: (task) => <code>{task.process}</code> },
    { key: 'act', title: t('tasks.act'), render: (task) => (
      <span className="row" style={{ flexWrap: 'nowrap' }}>
        {taskRefusal(task, 'claim', me, 0) === null ? <Button size="small" type="primary" aria-label={`${t('task.claim')} ${task.number}`} disabled={busy} onClick={() => { void claimOne(task); }}>{t('task.claim')}</Button> : null}
        <Button size="small" aria-label={`${t('task.urge')} ${task.number}`} onClick={() => setUrging(task)}>{t('task.urge')}</Button>
      </span>
    ) },
  ];
  const chosen = (query.data?.items ?? []).filter((task) => selected.includes(task.id));
  const filtered = filters.get('process') || filters.get('light') || filters.get('text');
  return (
    <>
      <PageHead title={t('tasks.title')} sub={t('tasks.sub')} />
      <div className="alert-desk">
        <aside aria-label={t('tasks.whose')}>
          <ul className="queues">{session ? WHOSE.map((one) => <Queue key={one} whose={one} now={whose === one} onPick={() => filters.set({ whose: one === 'all' ? null : one })} />) : null}</ul>
        </aside>
        <div>
          <div className="filters">
            <label>{t('tasks.light')}<Select aria-label={t('tasks.light')} style={{ width: 150 }} value={filters.get('light') || ''} onChange={(v) => filters.set({ light: v || null })} options={[{ value: '', label: t('word.all') }, ...LIGHTS.map((l) => ({ value: l as string, label: t(`clock.${l}`) }))]} /></label>
            <label>{t('tasks.process')}<Select aria-label={t('tasks.process')} style={{ width: 200 }} showSearch optionFilterProp="label" value={filters.get('process') || ''} onChange={(v) => filters.set({ process: v || null })} options={[{ value: '', label: t('word.all') }, ...(processes.data?.items ?? []).map((p) => ({ value: p.process, label: p.name || p.process }))]} /></label>
            <label>{t('verb.search')}<span data-search><Input.Search id="search" key={filters.get('text')} defaultValue={filters.get('text')} allowClear placeholder={t('tasks.text')} onSearch={(v) => filters.set({ text: v.trim() || null })} /></span></label>
            {filtered ? <Button onClick={() => filters.set({ process: null, light: null, text: null })}>{t('verb.clear')}</Button> : null}
          </div>
          {selected.length ? (
            <div className="row batch" role="region" aria-label={t('tasks.batch', { n: selected.length })}>
              <span>{t('tasks.batch', { n: selected.length })}</span>
              <Button loading={busy} disabled={!chosen.length} onClick={() => { void claimAll(chosen); }}>{t('tasks.claim_n')}</Button>
              <Button disabled={!chosen.length} onClick={() => setBatch('complete')}>{t('tasks.complete_n')}</Button>
              <Button disabled={!chosen.length} onClick={() => setBatch('transfer')}>{t('tasks.transfer_n')}</Button>
            </div>
          ) : null}
          <View query={query} empty={(p) => p.items.length === 0 && paged.page === 0} emptyText={t('tasks.empty')} lines={10}>
            {(p) => (
              <DataTable<Task> name="tasks" caption={t('tasks.caption')} rows={p.items} rowKey={(task) => task.id} columns={columns} loading={query.isPlaceholderData}
                total={p.total} page={paged.page} hasNext={p.next !== null} onPage={paged.turn} onOpen={(task) => { void navigate(`/desk/tasks/${encodeURIComponent(task.id)}`); }}
                selected={selected} onSelect={setSelected}
                tools={<Exports<Task> name="tasks" path="/tasks" params={params} selected={chosen}
                  head={[t('tasks.number'), t('tasks.about'), t('tasks.step'), t('tasks.kind'), t('tasks.process'), t('tasks.with'), t('tasks.opened'), t('clock.title'), t('clock.due'), t('tasks.urged')]}
                  cells={(task) => [task.number, task.title, task.name || task.node, t(`task.kind.${task.kind}`), task.process, task.assignee, dateTime(task.opened_at), task.left ? t(`clock.${task.left.light}`) : '', task.left ? dateTime(lastMoment(task.left.due)) : '', task.urged]} />} />
            )}
          </View>
        </div>
      </div>
      {urging ? <TaskDialog task={urging} verb="urge" signers={[]} countersign={null} targets={[]} onClose={() => setUrging(null)} /> : null}
      {batch ? <BatchDialog tasks={chosen} verb={batch} onClose={() => setBatch(null)} onDone={(done) => { tell(done, batch); void refresh(); }} /> : null}
      <Provenance asOf={query.dataUpdatedAt} source="cases" path="/tasks" params={params} />
    </>
  );
}
