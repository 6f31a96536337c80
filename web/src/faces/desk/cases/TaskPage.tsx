// Desk: one task: what its case is about, what is found, the verbs of an office with why those that
// do not fit now do not, and who was first when somebody was.
import { useMemo, useState } from 'react';
import { Button } from 'antd';
import { Link, useParams } from 'react-router';
import { useApi } from '../../../api/hooks';
import type { CaseFile, Countersign, TaskOpened, TaskVerb, TaskVerbName } from '../../../api/cases';
import { Clock } from '../../../components/Light';
import { DataFacts } from '../../../components/DataFacts';
import { Faults } from '../../../components/Faults';
import { PageHead } from '../../../components/PageHead';
import { Provenance } from '../../../components/Provenance';
import { Skeleton } from '../../../components/Skeleton';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import { asksOf } from '../../../lib/bpmn';
import { TASK_VERBS, taskRefusal } from '../../../lib/cases';
import { useOrganisations } from '../../../lib/organisations';
import { useRoles } from '../../../lib/roles';
import { dateTime } from '../../../lib/time';
import { useSession } from '../../../shell/session';
import { actAtTask, late, useRefresh, useSaid } from './ask';
import { ApplicationBeside, DecisionForm, useTaskApplication } from './TaskApplication';
import { TaskDialog } from './TaskDialog';
import { TaskForm } from './TaskForm';
import { useSteps } from './useSteps';
import './cases.css';

export default function TaskPage() {
  const { id = '' } = useParams();
  const path = `/tasks/${encodeURIComponent(id)}`;
  const query = useApi<TaskOpened>(path, undefined, { every: 30_000 });
  return (
    <View query={query} lines={8}>
      {(opened) => <Opened opened={opened} path={path} asOf={query.dataUpdatedAt} />}
    </View>
  );
}

/** Who signs with it, and how far they are. */
function Signers({ of }: { of: Countersign }) {
  const { t } = useI18n();
  const organisation = useOrganisations();
  return (
    <section className="card" aria-label={t('countersign.title')}>
      <h2>{t('countersign.title')}</h2>
      <p className="muted small">{t(of.sequential ? 'countersign.in_turn' : 'countersign.at_once')} · {t('countersign.count', { done: of.done, n: of.instances })}</p>
      <ol className="signers">
        {of.signers.map((one) => (
          <li key={one.signer}>{one.account ?? (one.organisation ? organisation(one.organisation) : t('tasks.nobody'))} <span className="muted small">{t(`countersign.${one.state}`)}{one.added_by ? ` · ${t('countersign.added_by', { who: one.added_by })}` : ''}</span></li>
        ))}
      </ol>
    </section>
  );
}

function Opened({ opened: { task, data, countersign, targets }, path, asOf }: { opened: TaskOpened; path: string; asOf: number }) {
  const { t, lang } = useI18n();
  const roleTitle = useRoles();
  const organisation = useOrganisations();
  const { session, may } = useSession();
  const me = session?.account ?? '';
  const [asked, setAsked] = useState<Exclude<TaskVerbName, 'claim' | 'release' | 'complete'> | null>(null);
  const { error, busy, attempt, clear } = useAttempt();
  const refresh = useRefresh();
  const said = useSaid();
  // Who has a task may read its case; who may not sees the task all the same.
  const file = useApi<CaseFile>(`/cases/${encodeURIComponent(task.case)}`);
  const { query: drawing, xml } = useSteps(file.isPending ? undefined : task.process, file.data?.case.version);
  const asks = useMemo(() => (xml && task.kind === 'task' ? asksOf(xml, task.node) : []), [xml, task.kind, task.node]);
  const known = !file.isPending && !drawing.isPending;
  const application = useTaskApplication(data, task.form);
  const decision = application?.form ?? null;
  const signers = (file.data?.tasks ?? []).filter((one) => one.kind === 'signer' && one.parent === task.id && one.state === 'open');
  const round = { removable: (countersign?.signers ?? []).filter((one) => one.removable).length, steers: countersign !== null && may('operate', 'cases') };
  const act = async (verb: TaskVerb) => {
    await attempt(async () => said(await actAtTask(task, verb), verb.verb));
    await refresh();
  };
  const refusals = TASK_VERBS.filter((verb) => verb !== 'complete').map((verb) => [verb, taskRefusal(task, verb, me, signers.length, round)] as const);
  const noDone = taskRefusal(task, 'complete', me, signers.length);
  const reasons = [...new Set(refusals.map(([, why]) => why).filter((why) => why !== null))];
  const press = (verb: TaskVerbName) => {
    clear();
    if (verb === 'claim' || verb === 'release') void act({ verb });
    else if (verb !== 'complete') setAsked(verb);
  };
  const doneLabel = t(task.kind === 'signer' ? 'task.complete_signer' : task.kind === 'reading' ? 'task.complete_reading' : 'task.complete');
  return (
    <>
      <PageHead title={`${task.name || task.node} · ${task.title}`} back={{ to: '/desk/tasks', text: t('tasks.title') }}
        sub={<span className="row"><span className={`tag plain state-${task.state === 'open' ? 'open' : 'closed'}`}>{t(`task.state.${task.state}`)}</span>{task.kind === 'task' ? null : <span>{t(`task.kind.${task.kind}`)}</span>}<Clock left={task.left} /></span>} />
      {error ? (
        <div className="card">
          {late(error) ? <h2>{t('task.late')}</h2> : null}
          <Faults error={error} />
          {late(error) ? <p>{t('task.late_help')}</p> : null}
        </div>
      ) : null}
      <div className="grid side">
        <div>
          {application ? null : (
            <section className="card"><h2>{t('task.data')}</h2>
              <DataFacts data={data} empty={t('task.no_data')} />
            </section>
          )}
          {task.state === 'open' ? (
            <section className="card" aria-label={t(application ? 'task_form.opinion_title' : 'task.form')}><h2>{t(application ? 'task_form.opinion_title' : 'task.form')}</h2>
              {application && !application.known ? <Skeleton lines={3} /> : decision ? <DecisionForm key={task.id} form={decision} name={task.form ?? ''} data={data} label={doneLabel} busy={busy} disabled={noDone !== null} problems={error?.problems ?? []} onDone={(found) => { void act({ verb: 'complete', data: found }); }} /> : known ? <TaskForm key={task.id} form={task.form} asks={asks} data={data} label={doneLabel} busy={busy} disabled={noDone !== null} why={noDone ? 'why-complete' : undefined} onDone={(found) => { void act({ verb: 'complete', data: found }); }} /> : <Skeleton lines={3} />}
              {noDone ? <p id="why-complete" className="muted small">{t(noDone)}</p> : null}
            </section>
          ) : null}
          {application ? <ApplicationBeside of={application} data={data} /> : null}
        </div>
        <div>
          <section className="card" aria-label={t('case.about')}>
            <dl className="facts">
              <dt>{t('tasks.number')}</dt><dd><Link to={`/desk/cases/${encodeURIComponent(task.case)}`}>{task.number}</Link></dd>
              <dt>{t('tasks.about')}</dt><dd>{task.title}</dd>
              <dt>{t('tasks.with')}</dt><dd>{task.assignee ?? t('tasks.nobody')}</dd>
              {task.owner ? <><dt>{t('task.owner')}</dt><dd>{task.owner}</dd></> : null}
              {task.roles.length || task.organisation ? <><dt>{t('task.offered_to')}</dt><dd>{[...task.roles.map(roleTitle), task.organisation && organisation(task.organisation)].filter(Boolean).join(' · ')}</dd></> : null}
              <dt>{t('tasks.opened')}</dt><dd>{dateTime(task.opened_at)}</dd>
              {task.claimed_at ? <><dt>{t('task.claimed')}</dt><dd>{dateTime(task.claimed_at)}</dd></> : null}
              {task.ended_at ? <><dt>{t('task.ended')}</dt><dd>{dateTime(task.ended_at)} · {task.ended_by}</dd></> : null}
              {task.urged ? <><dt>{t('tasks.urged')}</dt><dd>{t('tasks.urged_n', { n: task.urged })}</dd></> : null}
            </dl>
            <p style={{ marginTop: 8 }}><Link to={`/desk/cases/${encodeURIComponent(task.case)}`}>{t('task.open_case')}</Link></p>
          </section>
          {countersign ? <Signers of={countersign} /> : null}
          <section className="card" aria-label={t('task.verbs')}>
            <h2>{t('task.verbs')}</h2>
            <div className="row">
              {refusals.map(([verb, why]) => (
                <Button key={verb} type={verb === 'claim' && !why ? 'primary' : 'default'} danger={(verb === 'send_back' || verb === 'return_to_starter') && !why} disabled={why !== null || busy} aria-describedby={why ? `why-${why}` : undefined} onClick={() => press(verb)}>{t(`task.${verb}`)}</Button>
              ))}
            </div>
            {reasons.map((why) => <p key={why} id={`why-${why}`} className="muted small" style={{ marginTop: 8 }}>{t('case.verb_why', { verbs: refusals.filter(([, r]) => r === why).map(([verb]) => t(`task.${verb}`)).join(lang === 'zh' ? '、' : ', '), why: t(why) })}</p>)}
          </section>
        </div>
      </div>
      {asked ? <TaskDialog task={task} verb={asked} signers={signers} countersign={countersign} targets={targets} onClose={() => setAsked(null)} /> : null}
      <Provenance asOf={asOf} source="cases" path={path} />
    </>
  );
}
