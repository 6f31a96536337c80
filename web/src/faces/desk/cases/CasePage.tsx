// Desk: one case: how it stands and its clocks, where it is on the drawing, what happened, what it
// knows, what is open in it, and what can be done to it as a whole.
import { lazy, Suspense, useState } from 'react';
import { App, Button } from 'antd';
import { Link, useParams } from 'react-router';
import { useApi } from '../../../api/hooks';
import type { CaseFile, CaseVerbName, Pause, Task } from '../../../api/cases';
import { DataFacts } from '../../../components/DataFacts';
import { Clock, Light } from '../../../components/Light';
import { PageHead } from '../../../components/PageHead';
import { Provenance } from '../../../components/Provenance';
import { SimpleTable } from '../../../components/SimpleTable';
import { Skeleton } from '../../../components/Skeleton';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { caseRefusal } from '../../../lib/cases';
import { useOrganisations } from '../../../lib/organisations';
import { useRoles } from '../../../lib/roles';
import { dateTime } from '../../../lib/time';
import { useSession } from '../../../shell/session';
import { CaseDialog } from './CaseDialog';
import { History } from './History';
import { useSteps } from './useSteps';
import './cases.css';

const Drawing = lazy(() => import('../../../components/Drawing'));
const VERBS: readonly CaseVerbName[] = ['pause', 'unpause', 'suspend', 'resume', 'set', 'retry', 'move', 'cancel'];

export default function CasePage() {
  const { id = '' } = useParams();
  const path = `/cases/${encodeURIComponent(id)}`;
  const query = useApi<CaseFile>(path, undefined, { every: 30_000 });
  return <View query={query} lines={10}>{(file) => <Opened file={file} path={path} asOf={query.dataUpdatedAt} />}</View>;
}

function Opened({ file, path, asOf }: { file: CaseFile; path: string; asOf: number }) {
  const { t } = useI18n();
  const organisation = useOrganisations();
  const c = file.case;
  const { query: drawing, steps, nameOf } = useSteps(c.process, c.version);
  return (
    <>
      <PageHead title={`${c.number} · ${c.title}`} back={{ to: '/desk/cases', text: t('cases.title') }}
        sub={<span className="row"><span className={`tag plain state-${c.state === 'running' ? 'open' : 'closed'}`}>{t(`case.state.${c.state}`)}</span>{c.stuck ? <span className="over">{t('cases.stuck_n', { n: c.stuck })}</span> : null}</span>} />
      <div className="grid side">
        <div>
          <section className="card"><h2>{t('case.tasks')}</h2><OpenTasks tasks={file.tasks} nameOf={nameOf} /></section>
          <section className="card"><h2>{t('case.drawing')}</h2>
            <View query={drawing}>{(d) => <Suspense fallback={<Skeleton lines={6} />}><Drawing xml={d.xml} passed={file.passed} marks={file.marks} /></Suspense>}</View>
          </section>
          <section className="card"><h2>{t('case.data')}</h2><DataFacts data={file.data} empty={t('task.no_data')} /></section>
          <section className="card"><h2>{t('case.pauses')}</h2><Pauses pauses={file.pauses} /></section>
        </div>
        <div>
          <section className="card" aria-label={t('case.about')}>
            <dl className="facts">
              <dt>{t('cases.process')}</dt><dd><code>{c.process}</code> {t('cases.version', { n: c.version })}</dd>
              <dt>{t('cases.organisation')}</dt><dd>{organisation(c.organisation)}</dd>
              <dt>{t('cases.started')}</dt><dd>{dateTime(c.started_at)} · {c.started_by}</dd>
              {c.ended_at ? <><dt>{t('cases.ended')}</dt><dd>{dateTime(c.ended_at)}</dd></> : null}
              {c.error ? <><dt>{t('case.error')}</dt><dd><code>{c.error}</code></dd></> : null}
              {c.parent ? <><dt>{t('case.parent')}</dt><dd><Link to={`/desk/cases/${encodeURIComponent(c.parent)}`}>{c.parent}</Link></dd></> : null}
              <dt>{t('clock.promised')}</dt><dd><Clock left={c.promised} /></dd>
              <dt>{t('clock.statutory')}</dt><dd><Clock left={c.statutory} /></dd>
            </dl>
          </section>
          <Verbs file={file} steps={steps} nameOf={nameOf} />
          <section className="card"><h2>{t('case.history')}</h2><History id={c.id} nameOf={nameOf} /></section>
        </div>
      </div>
      <Provenance asOf={asOf} source={`cases · ${c.process}/${c.version}`} path={path} />
    </>
  );
}

function Verbs({ file, steps, nameOf }: { file: CaseFile; steps: readonly { id: string; name: string }[]; nameOf: (node: string) => string }) {
  const { t, lang } = useI18n();
  const { session, may } = useSession();
  const { message } = App.useApp();
  const [asked, setAsked] = useState<CaseVerbName | null>(null);
  const refusals = VERBS.map((verb) => [verb, caseRefusal(file, verb, session?.account ?? '', may('operate', 'cases'))] as const);
  const reasons = [...new Set(refusals.map(([, why]) => why).filter((why) => why !== null))];
  return (
    <section className="card" aria-label={t('case.verbs')}>
      <h2>{t('case.verbs')}</h2>
      <div className="row">
        {refusals.map(([verb, why]) => <Button key={verb} danger={verb === 'cancel' && !why} disabled={why !== null} aria-describedby={why ? `why-${why}` : undefined} onClick={() => setAsked(verb)}>{t(`case.${verb}`)}</Button>)}
      </div>
      {reasons.map((why) => <p key={why} id={`why-${why}`} className="muted small" style={{ marginTop: 8 }}>{t('case.verb_why', { verbs: refusals.filter(([, r]) => r === why).map(([verb]) => t(`case.${verb}`)).join(lang === 'zh' ? '、' : ', '), why: t(why) })}</p>)}
      {asked ? <CaseDialog file={file} verb={asked} steps={steps} nameOf={nameOf} onClose={() => setAsked(null)} onDone={() => { void message.success(t('case.done', { verb: t(`case.${asked}`) })); setAsked(null); }} /> : null}
    </section>
  );
}

function OpenTasks({ tasks, nameOf }: { tasks: Task[]; nameOf: (node: string) => string }) {
  const roleTitle = useRoles();
  const organisation = useOrganisations();
  const { t } = useI18n();
  if (tasks.length === 0) return <p className="muted">{t('case.no_tasks')}</p>;
  return (
    <SimpleTable<Task> quiet caption={t('case.tasks_caption')} rows={tasks} rowKey={(task) => task.id} columns={[
      { title: t('tasks.step'), cell: (task) => <Link to={`/desk/tasks/${encodeURIComponent(task.id)}`}>{task.name || nameOf(task.node)}</Link> },
      { title: t('tasks.kind'), cell: (task) => t(`task.kind.${task.kind}`) },
      { title: t('tasks.with'), cell: (task) => task.assignee ?? <span className="muted">{[...task.roles.map(roleTitle), task.organisation && organisation(task.organisation)].filter(Boolean).join(' · ') || t('tasks.nobody')}</span> },
      { title: t('clock.title'), cell: (task) => <Light left={task.left} /> },
      { title: t('tasks.opened'), cell: (task) => dateTime(task.opened_at) }]} />
  );
}

function Pauses({ pauses }: { pauses: Pause[] }) {
  const { t } = useI18n();
  if (pauses.length === 0) return <p className="muted">{t('case.no_pauses')}</p>;
  return (
    <SimpleTable<Pause> quiet caption={t('case.pauses_caption')} rows={pauses} rowKey={(p) => p.from} columns={[
      { title: t('word.from'), cell: (p) => dateTime(p.from) },
      { title: t('word.to'), cell: (p) => (p.to ? dateTime(p.to) : t('case.pause_going')) },
      { title: t('case.kind'), cell: (p) => t(`pause.${p.kind}`) },
      { title: t('case.basis'), cell: (p) => p.basis },
      { title: t('case.note'), cell: (p) => p.note || '—' },
      { title: t('proc.by_whom'), cell: (p) => p.by }]} />
  );
}
