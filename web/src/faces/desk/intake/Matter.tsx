// Desk: one application: what was asked and answered, materials, letters, what happened, its case on
// the drawing, and what a clerk can do with it now. Of two who act, one is told by whom it was done.
import { lazy, Suspense, useState } from 'react';
import { App, Button } from 'antd';
import { Link, useParams } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { useApi } from '../../../api/hooks';
import { applicationPath, ended, letterAddress, type Application, type ApplicationFile, type ClerkVerb } from '../../../api/applications';
import type { CaseFile } from '../../../api/cases';
import { Clock, Light } from '../../../components/Light';
import { PageHead } from '../../../components/PageHead';
import { Provenance } from '../../../components/Provenance';
import { SimpleTable } from '../../../components/SimpleTable';
import { Skeleton } from '../../../components/Skeleton';
import { View } from '../../../components/View';
import { useI18n, type Key } from '../../../i18n';
import { DESK_CHANNELS } from '../../../lib/behalf';
import { CLERK_VERBS, clerkRefusal, yuan } from '../../../lib/matter';
import { useOrganisations } from '../../../lib/organisations';
import { dateTime } from '../../../lib/time';
import { useSession } from '../../../shell/session';
import { Correct } from '../../portal/applications/Correct';
import { useSteps } from '../cases/useSteps';
import { AnswersByStep, MaterialList, useItemOf } from './Answers';
import { ClerkDialog } from './ClerkDialog';
import { Correction } from './Correction';
import '../cases/cases.css';
import './intake.css';

const Drawing = lazy(() => import('../../../components/Drawing'));

export default function Matter() {
  const { id = '' } = useParams();
  const path = applicationPath(id);
  const query = useApi<ApplicationFile>(path, undefined, { every: 30_000 });
  return <View query={query} lines={10}>{(file) => <Opened file={file} path={path} asOf={query.dataUpdatedAt} />}</View>;
}

function Opened({ file, path, asOf }: { file: ApplicationFile; path: string; asOf: number }) {
  const { t, w } = useI18n();
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ predicate: (q) => String(q.queryKey[0]).startsWith('/service-applications') });
  const a = file.application;
  const item = useItemOf(a.item, a.item_version);
  return (
    <>
      <PageHead title={`${a.number} · ${w(a.title)}`} back={{ to: '/desk/intake', text: t('intake.title') }}
        sub={<span className="row"><span className={`tag plain state-${ended(a.state) ? 'closed' : 'open'}`}>{t(`matter.state_${a.state}`)}</span><Light left={a.due} /></span>} />
      <div className="grid side">
        <div>
          {file.missing.length ? <section className="card"><h2>{t('matter.missing')}</h2><ol>{file.missing.map((m, i) => <li key={i}>{m.what}</li>)}</ol></section> : null}
          {a.state === 'correction' && may('write', 'service_applications') && DESK_CHANNELS.some((c) => c === a.channel) ? (
            <details className="card"><summary>{t('matter.correct_here')}</summary><p className="muted small">{t('matter.correct_here_help')}</p><Correct key={a.version} file={file} renew={refresh} onStale={() => { void refresh(); }} onDone={() => { void message.success(t('matter.corrected_here')); void refresh(); }} /></details>
          ) : null}
          <section className="card" aria-label={t('matter.answers')}><h2>{t('matter.answers')}</h2><AnswersByStep file={file} item={item.data} failed={item.isError} /></section>
          <section className="card" aria-label={t('matter.materials')}><h2>{t('matter.materials')}</h2><MaterialList about={a.id} materials={file.materials} of={{ number: a.number, title: w(a.title) }} />{may('read', 'licences') ? <p><Link to={`/desk/presentations?matter=${encodeURIComponent(a.number)}`}>{t('wal.ask')}</Link></p> : null}</section>
          {a.case ? <CaseOf id={a.case} /> : null}
          {file.parts.length ? <section className="card"><h2>{t('matter.parts')}</h2><Parts parts={file.parts} /></section> : null}
        </div>
        <div>
          <About a={a} file={file} />
          <Verbs file={file} item={item.data} />
          <section className="card" aria-label={t('matter.letters')}><h2>{t('matter.letters')}</h2><Letters file={file} /></section>
          {file.bills.length ? <section className="card"><h2>{t('matter.bills')}</h2><Bills file={file} /></section> : null}
          {file.rating ? <RatingOf file={file} /> : null}
          <section className="card" aria-label={t('matter.steps')}><h2>{t('matter.steps')}</h2>
            <ol className="timeline">{file.steps.map((s, i) => <li key={i}><span className="muted small">{dateTime(s.at)}</span> <div>{w(s.words)}</div>{s.office ? <span className="muted small"><Office code={s.office} /></span> : null}</li>)}</ol>
          </section>
        </div>
      </div>
      <Provenance asOf={asOf} source="applications" path={path} />
    </>
  );
}

function Office({ code }: { code: string }) {
  const nameOf = useOrganisations();
  return <>{nameOf(code)}</>;
}

function About({ a, file }: { a: Application; file: ApplicationFile }) {
  const { t } = useI18n();
  const nameOf = useOrganisations();
  return (
    <section className="card" aria-label={t('matter.about')}>
      <dl className="facts">
        <dt>{t('intake.applicant')}</dt><dd>{a.applicant.name}<div className="muted small">{a.applicant.number}</div>{a.applicant.agent ? <div>{t('intake.agent', { name: a.applicant.agent })}</div> : null}</dd>
        <dt>{t('intake.channel')}</dt><dd>{t(`desk_channel.${a.channel}`)}</dd>
        <dt>{t('app.organisation')}</dt><dd>{nameOf(a.organisation)}</dd>
        <dt>{t('matter.item_version')}</dt><dd><code>{a.item}</code> {t('cases.version', { n: a.item_version })}</dd>
        {a.part_of ? <><dt>{t('matter.part_of')}</dt><dd><Link to={`/desk/applications/${encodeURIComponent(a.part_of)}`}>{a.part_of}</Link></dd></> : null}
        <dt>{t('intake.submitted')}</dt><dd>{dateTime(a.submitted_at)}</dd>
        {a.accepted_at ? <><dt>{t('matter.accepted_at')}</dt><dd>{dateTime(a.accepted_at)}</dd></> : null}
        {a.decided_at ? <><dt>{t('matter.decided_at')}</dt><dd>{dateTime(a.decided_at)}</dd></> : null}
        <dt>{t('clock.title')}</dt><dd><Clock left={a.due} /></dd>
        <dt>{t('intake.delivery')}</dt><dd>{a.delivery ? <>{t(`desk_delivery.${a.delivery.way}`)} · {t(`desk_delivery.state_${a.delivery.state}`)}{a.delivery.tracking ? <div><code>{a.delivery.tracking}</code></div> : null}{a.delivery.at ? <div className="muted small">{dateTime(a.delivery.at)}</div> : null}</> : '—'}</dd>
        {file.licences.length ? <><dt>{t('matter.licences')}</dt><dd>{file.licences.map((id) => <div key={id}><Link to={`/desk/licences/${encodeURIComponent(id)}`}>{id}</Link></div>)}</dd></> : null}
      </dl>
    </section>
  );
}

function Verbs({ file, item }: { file: ApplicationFile; item: Parameters<typeof Correction>[0]['item'] }) {
  const { t, lang } = useI18n();
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const [asked, setAsked] = useState<ClerkVerb | null>(null);
  const refresh = () => client.invalidateQueries({ predicate: (q) => /^\/(service-applications|cases|tasks)/.test(String(q.queryKey[0])) });
  const refusals = CLERK_VERBS.map((verb) => [verb, clerkRefusal(file, verb, may('handle', 'service_applications'))] as const);
  const reasons = [...new Set(refusals.map(([, why]) => why).filter((why): why is Key => why !== null))];
  const close = () => { setAsked(null); void refresh(); };
  const done = (verb: ClerkVerb) => { void message.success(t('matter.done', { verb: t(`matter.${verb}`) })); close(); };
  return (
    <section className="card" aria-label={t('matter.verbs')}>
      <h2>{t('matter.verbs')}</h2>
      <div className="row">
        {refusals.map(([verb, why]) => <Button key={verb} type={verb === 'accept' && !why ? 'primary' : 'default'} danger={verb === 'not_accept' && !why} disabled={why !== null} aria-describedby={why ? `why-${why}` : undefined} onClick={() => setAsked(verb)}>{t(`matter.${verb}`)}</Button>)}
      </div>
      {reasons.map((why) => <p key={why} id={`why-${why}`} className="muted small" style={{ marginTop: 8 }}>{t('case.verb_why', { verbs: refusals.filter(([, r]) => r === why).map(([verb]) => t(`matter.${verb}`)).join(lang === 'zh' ? '、' : ', '), why: t(why) })}</p>)}
      {asked === 'correction' ? <Correction file={file} item={item} onClose={close} onDone={() => done('correction')} /> : asked ? <ClerkDialog file={file} verb={asked} onClose={close} onDone={() => done(asked)} /> : null}
    </section>
  );
}

function Letters({ file }: { file: ApplicationFile }) {
  const { t } = useI18n();
  if (file.letters.length === 0) return <p className="muted">{t('matter.no_letters')}</p>;
  return (
    <ul className="plain-list">
      {file.letters.map((letter) => (
        <li key={letter.number}>
          <strong>{t(`letter.${letter.kind}` as Key)}</strong> <code>{letter.number}</code>
          <div className="row small"><span className="muted">{dateTime(letter.at)}</span>{letter.file ? <a href={letterAddress(file.application.id, letter.file)} download={`${letter.number}.pdf`}>{t('matter.download_pdf')}</a> : <span className="muted">{t('matter.letter_coming')}</span>}</div>
        </li>
      ))}
    </ul>
  );
}

function Bills({ file }: { file: ApplicationFile }) {
  const { t, w } = useI18n();
  return (
    <SimpleTable quiet caption={t('matter.bills')} rows={file.bills} rowKey={(b) => b.id} columns={[
      { title: t('matter.bill'), cell: (b) => w(b.title) },
      { title: t('matter.sum'), cell: (b) => yuan(b.fen), right: true },
      { title: t('word.state'), cell: (b) => <>{t(`matter.bill_${b.state}`)}{b.reference ? <div className="muted small">{b.reference}</div> : null}</> }]} />
  );
}

function RatingOf({ file }: { file: ApplicationFile }) {
  const { t } = useI18n();
  const r = file.rating;
  if (!r) return null;
  return (
    <section className="card"><h2>{t('intake.rating')}</h2>
      <dl className="facts">
        <dt>{t('matter.mark')}</dt><dd>{t('intake.mark', { n: r.mark })} {r.about.length ? <span className="muted">{r.about.join(' · ')}</span> : null}</dd>
        {r.text ? <><dt>{t('matter.rating_text')}</dt><dd>{r.text}</dd></> : null}
        {r.answer_due && !r.answer ? <><dt>{t('matter.answer_due')}</dt><dd className="over">{dateTime(r.answer_due)}</dd></> : null}
        {r.answer ? <><dt>{t('matter.answer_text')}</dt><dd>{r.answer}{r.answered_at ? <div className="muted small">{dateTime(r.answered_at)}</div> : null}</dd></> : null}
        <dt>{t('matter.visit')}</dt><dd>{t(r.visited ? 'matter.visit_done' : 'matter.visit_not')}</dd>
      </dl>
    </section>
  );
}

function Parts({ parts }: { parts: Application[] }) {
  const { t, w } = useI18n();
  return (
    <SimpleTable<Application> quiet caption={t('matter.parts')} rows={parts} rowKey={(p) => p.id} columns={[
      { title: t('intake.number'), cell: (p) => <Link to={`/desk/applications/${encodeURIComponent(p.id)}`}>{p.number}</Link> },
      { title: t('intake.item'), cell: (p) => w(p.title) },
      { title: t('word.state'), cell: (p) => t(`matter.state_${p.state}`) },
      { title: t('clock.title'), cell: (p) => <Light left={p.due} /> }]} />
  );
}

/** The case that decides, where it stands on its drawing; who may not read it is told so. */
function CaseOf({ id }: { id: string }) {
  const { t } = useI18n();
  const query = useApi<CaseFile>(`/cases/${encodeURIComponent(id)}`, undefined, { every: 30_000 });
  const { query: drawing } = useSteps(query.data?.case.process, query.data?.case.version);
  return (
    <section className="card" aria-label={t('matter.case')}>
      <h2>{t('matter.case')}</h2>
      <View query={query}>
        {(file) => (
          <>
            <p><Link to={`/desk/cases/${encodeURIComponent(id)}`}>{file.case.number}</Link> <span className={`tag plain state-${file.case.state === 'running' ? 'open' : 'closed'}`}>{t(`case.state.${file.case.state}`)}</span> <Light left={file.case.promised} /></p>
            {file.tasks.length ? <p>{t('matter.now_at')} {file.tasks.map((task) => <Link key={task.id} className="task-link" to={`/desk/tasks/${encodeURIComponent(task.id)}`}>{task.name || task.node}</Link>)}</p> : null}
            <View query={drawing}>{(d) => <Suspense fallback={<Skeleton lines={6} />}><Drawing xml={d.xml} passed={file.passed} marks={file.marks} /></Suspense>}</View>
          </>
        )}
      </View>
    </section>
  );
}
