// Portal: one application: where it stands and what is wanted of me first; then letters, bills,
// licences, delivery, what happened, what I wrote; withdrawing and rating at the end.
import { useState, type FormEvent, type ReactNode } from 'react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { actOwn, applicationPath, APPLICATIONS, ended, fileAddress, letterAddress, type Application, type ApplicationFile, type LetterLine } from '../../../api/applications';
import { get, type ApiError } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import { itemPath, type Item } from '../../../api/items';
import { FormAnswers, readForm } from '../../../components/form';
import { FormFault, useAct } from '../../../components/Inputs';
import { Clock } from '../../../components/Light';
import { PageHead } from '../../../components/PageHead';
import { ApplicationStateTag, ProgressLine, useDepartments } from '../../../components/Service';
import { View } from '../../../components/View';
import { useI18n, type Key } from '../../../i18n';
import { apply } from '../../../i18n/texts/apply';
import { dateTime } from '../../../lib/time';
import { LookedAtFor, PortalGate } from '../PortalGate';
import { ApplicationCard } from './Card';
import { Uploads } from '../apply/Uploads';
import { Correct } from './Correct';
import { Bills, usePaying } from './Bills';
import { RateForm, RatingShown } from './Rate';
import { Timeline } from './Timeline';
import '../apply/apply.css';
import './applications.css';
import '../../../components/inputs.css';

const AGAIN_MS = 30_000;
const section = (id: string, title: string, children: ReactNode) => <section className="card stack" aria-labelledby={id}><h2 id={id}>{title}</h2>{children}</section>;

function Letters({ id, letters }: { id: string; letters: readonly LetterLine[] }) {
  const { t } = useI18n();
  const word = (kind: string) => (Object.hasOwn(apply, `app.letter_${kind}`) ? t(`app.letter_${kind}` as Key) : kind);
  return (
    <ul className="tie-list">
      {letters.map((l, i) => (
        <li key={i} data-letter={l.kind}>
          <div><strong>{word(l.kind)}</strong> {l.number ? <code>{l.number}</code> : null}</div>
          <div className="muted small">{dateTime(l.at)}</div>
          <div>{l.file ? <a href={letterAddress(id, l.file)} download aria-label={`${t('app.letter_pdf')} ${word(l.kind)}`}>{t('app.letter_pdf')}</a> : <span className="muted">{t('app.letter_soon')}</span>}</div>
        </li>
      ))}
    </ul>
  );
}

function Withdraw({ application, onDone }: { application: Application; onDone: () => void }) {
  const { t } = useI18n();
  const act = useAct();
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const [wrong, setWrong] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const bad = [...reason.trim()].length < 2;
    setWrong(bad);
    if (bad) { document.getElementById('withdraw-reason')?.focus(); return; }
    const done = await act.run(() => actOwn(application, { verb: 'withdraw', reason: reason.trim() }));
    if (done) onDone();
  };
  return section('withdraw', t('app.withdraw'), (
    <>
      <p className="muted">{t('app.withdraw_help')}</p>
      {open ? (
        <form className="stack" noValidate onSubmit={(e) => { void submit(e); }}>
          <FormFault error={act.error} />
          <div className={wrong ? 'input form-field faulty' : 'input form-field'}>
            <label htmlFor="withdraw-reason">{t('app.withdraw_reason')}</label>
            {wrong ? <p id="withdraw-fault" role="alert" className="error-text">{t('app.withdraw_need')}</p> : null}
            <textarea id="withdraw-reason" name="reason" rows={3} maxLength={200} value={reason} aria-invalid={wrong || undefined} aria-describedby={wrong ? 'withdraw-fault' : undefined} onChange={(e) => setReason(e.target.value)} />
          </div>
          <p className="row"><button type="submit" className="button" disabled={act.busy}>{t('app.withdraw_sure')}</button><button type="button" className="button" onClick={() => setOpen(false)}>{t('verb.cancel')}</button></p>
        </form>
      ) : <p><button type="button" className="button" onClick={() => setOpen(true)}>{t('app.withdraw_open')}</button></p>}
    </>
  ));
}

function Written({ file }: { file: ApplicationFile }) {
  const { t, w } = useI18n();
  const { application } = file;
  const item = useQuery<Item, ApiError>({ queryKey: [itemPath(application.item), { version: application.item_version }], queryFn: ({ signal }) => get<Item>(itemPath(application.item), { version: application.item_version }, signal) });
  return (
    <>
      {item.data ? <details className="card"><summary>{t('app.answers')}</summary><FormAnswers form={readForm(item.data.content.form)} answers={file.answers} masked={file.masked} /></details> : null}
      {file.materials.length ? (
        <details className="card"><summary>{t('app.papers')}</summary>
          <dl className="answers">{file.materials.map((m) => <div key={m.name}><dt>{w(m.title)}</dt><dd>{m.answered_by ? t('apply.m_have', { what: w(m.answered_by[1]) }) : m.files.length ? m.files.map((f) => <span key={f.id}><a href={fileAddress(application.id, f.id)} target="_blank" rel="noreferrer">{f.name}</a> </span>) : m.following ? t('apply.m_following') : t('apply.m_none')}</dd><dd /></div>)}</dl>
        </details>
      ) : null}
    </>
  );
}

function Facts({ application: a }: { application: Application }) {
  const { t } = useI18n();
  const { name } = useDepartments();
  return (
    <section className="card stack" aria-label={t('word.state')}>
      <p><ApplicationStateTag state={a.state} /></p>
      <ProgressLine application={a} />
      {a.due ? <p>{t('app.clock')}: <Clock left={a.due} /></p> : null}
      <dl className="facts">
        <dt>{t('app.number')}</dt><dd><code>{a.number}</code></dd>
        <dt>{t('app.applicant')}</dt><dd>{a.applicant.name} {a.applicant.number}{a.applicant.agent ? t('apply.agent', { name: a.applicant.agent }) : ''}</dd>
        <dt>{t('app.office')}</dt><dd>{name(a.organisation)}</dd>
        <dt>{t('app.channel')}</dt><dd>{t(`svc.channel_${a.channel}`)}</dd>
        <dt>{t('word.time')}</dt><dd>{t('app.submitted_at', { time: dateTime(a.submitted_at) })}</dd>
        {a.delivery ? <><dt>{t('app.delivery')}</dt><dd>{t(`svc.way_${a.delivery.way}`)} · {t(`app.delivery_${a.delivery.state}`)}{a.delivery.tracking ? ` · ${t('app.tracking', { code: a.delivery.tracking })}` : ''}{a.delivery.at ? ` · ${dateTime(a.delivery.at)}` : ''}</dd></> : null}
        {a.part_of ? <><dt>{t('app.parts')}</dt><dd><Link to={`/portal/applications/${encodeURIComponent(a.part_of)}`}>{t('app.part_of', { number: a.part_of })}</Link></dd></> : null}
      </dl>
    </section>
  );
}

function Opened({ file, refresh, paying }: { file: ApplicationFile; refresh: () => Promise<void>; paying: ReturnType<typeof usePaying> }) {
  const { t } = useI18n();
  const { name } = useDepartments();
  const [said, setSaid] = useState<Key | null>(null);
  const a = file.application;
  // Of a bundle the parts are corrected, each for itself.
  const wanting = file.parts.some((p) => p.state === 'correction');
  const parts = file.parts.length ? section('parts', t('app.parts'), <>{wanting ? <p className="over" role="status">{t('app.correct_part')}</p> : null}<ul className="service-cards">{file.parts.map((p) => <ApplicationCard key={p.id} application={p} department={name(p.organisation)} />)}</ul></>) : null;
  const promised = ended(a.state) || a.state === 'correction' ? [] : file.materials.filter((m) => m.following && !m.answered_by);
  const done = (key: Key | null) => { setSaid(key); void refresh(); };
  return (
    <>
      <LookedAtFor />
      {said ? <p className="confirmed" role="status">{t(said)}</p> : null}
      <Facts application={a} />
      {wanting ? parts : null}
      {promised.length ? section('follow', t('app.follow'), <><p>{t('app.follow_help')}</p><ul className="material-list">{promised.map((m) => <Uploads key={m.name} about={a.id} state={m} material={undefined} faults={[]} onChanged={refresh} />)}</ul></>) : null}
      {a.state === 'correction' ? <Correct key={a.id} file={file} renew={refresh} onStale={() => { void refresh(); }} onDone={() => done('app.corrected')} /> : null}
      {file.licences.length ? section('licences', t('app.licences'), <ul>{file.licences.map((l) => <li key={l}><Link data-licence={l} to={`/portal/licences/${encodeURIComponent(l)}`}>{t('app.licence_open')}</Link> <code className="small">{l}</code></li>)}</ul>) : null}
      {file.bills.length ? section('bills', t('app.bills'), <Bills file={file} paying={paying} />) : null}
      {file.rating ? <RatingShown rating={file.rating} /> : ended(a.state) && a.state !== 'withdrawn' ? <RateForm application={a} onDone={() => done(null)} /> : null}
      {file.letters.length ? section('letters', t('app.letters'), <Letters id={a.id} letters={file.letters} />) : null}
      {wanting ? null : parts}
      {section('steps', t('app.steps'), <Timeline steps={file.steps} />)}
      <Written file={file} />
      {ended(a.state) ? null : <Withdraw application={a} onDone={() => done('app.withdrawn')} />}
    </>
  );
}

function Load({ id }: { id: string }) {
  const { w, t } = useI18n();
  const client = useQueryClient();
  const path = applicationPath(id);
  const paying = usePaying();
  const query = useApi<ApplicationFile>(path, undefined, { every: paying.every(AGAIN_MS) });
  const refresh = async () => {
    await query.refetch();
    void client.invalidateQueries({ queryKey: [APPLICATIONS] });
  };
  return (
    <>
      <PageHead title={w(query.data?.application.title) || t('app.mine')} back={{ to: '/portal/applications', text: t('app.mine') }} />
      <View query={query}>{(file) => <Opened file={file} refresh={refresh} paying={paying} />}</View>
    </>
  );
}

export default function ApplicationPage() {
  const { t } = useI18n();
  const { id = '' } = useParams();
  return <div className="one-thing application-page"><PortalGate fallback={<PageHead title={t('app.mine')} />}><Load key={id} id={id} /></PortalGate></div>;
}
