// Portal: progress by number and check code, without an account. Nothing of it stands in the address
// and nothing is kept.
import { useRef, useState, type FormEvent } from 'react';
import { Link } from 'react-router';
import { get } from '../../api/client';
import type { Progress as Answer } from '../../api/applications';
import { FormFault, TextField, useAct } from '../../components/Inputs';
import { Clock } from '../../components/Light';
import { PageHead } from '../../components/PageHead';
import { ApplicationStateTag, ProgressLine, useDepartments } from '../../components/Service';
import { useI18n } from '../../i18n';
import { Timeline } from './applications/Timeline';

function Shown({ answer }: { answer: Answer }) {
  const { t, w } = useI18n();
  const { name } = useDepartments();
  return (
    <section className="card stack" aria-labelledby="progress" data-progress={answer.state}>
      <h2 id="progress">{w(answer.title)}</h2>
      <p><ApplicationStateTag application={answer} /></p>
      <ProgressLine application={{ state: answer.state, delivery: null }} />
      {answer.due ? <p>{t('app.clock')}: <Clock left={answer.due} /></p> : null}
      <p className="muted small"><code>{answer.number}</code> · {name(answer.organisation)}</p>
      {answer.missing.length ? <><h3>{t('app.missing')}</h3><ul>{answer.missing.map((m, i) => <li key={i}>{m.what}</li>)}</ul></> : null}
      <h3>{t('app.steps')}</h3>
      <Timeline steps={answer.steps} />
      <p className="small"><Link to="/portal/applications">{t('progress.sign_in')}</Link></p>
    </section>
  );
}

/** Number and code, and what they show. */
export function ProgressForm() {
  const { t } = useI18n();
  const act = useAct();
  const [number, setNumber] = useState('');
  const [check, setCheck] = useState('');
  const [tried, setTried] = useState(false);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const wrong = { number: tried && !number.trim(), check: tried && !/^\d{6}$/.test(check.trim()) };
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    setTried(true);
    setAnswer(null);
    const first = !number.trim() ? 'number' : !/^\d{6}$/.test(check.trim()) ? 'check' : null;
    if (first) { const input = form.elements.namedItem(first); if (input instanceof HTMLElement) input.focus(); return; }
    const got = await act.run(() => get<Answer>('/progress', { number: number.trim(), check: check.trim() }));
    if (!got) return;
    setAnswer(got);
    requestAnimationFrame(() => box.current?.focus());
  };
  const unknown = act.error?.status === 404;
  return (
    <>
      <form className="card stack" noValidate onSubmit={(e) => { void submit(e); }}>
        <p>{t('progress.help')}</p>
        {unknown ? <p role="alert" className="error-box">{t('progress.none')}</p> : <FormFault error={act.error} shown={['number', 'check']} />}
        <TextField name="number" label={t('progress.number')} value={number} error={act.error} wrong={wrong.number ? t('progress.need_number') : null} autoComplete="off" spellCheck={false} maxLength={60} onChange={(e) => setNumber(e.target.value)} />
        <TextField name="check" label={t('progress.check')} hint={t('progress.check_help')} value={check} error={act.error} wrong={wrong.check ? t('progress.need_check') : null} inputMode="numeric" autoComplete="off" maxLength={6} onChange={(e) => setCheck(e.target.value)} />
        <p><button type="submit" className="button strong" disabled={act.busy}>{t('progress.ask')}</button></p>
      </form>
      <div ref={box} tabIndex={-1}>{answer ? <Shown answer={answer} /> : null}</div>
    </>
  );
}

export default function Progress() {
  const { t } = useI18n();
  return <div className="one-thing"><PageHead title={t('progress.title')} back={{ to: '/services', text: t('svc.title') }} /><ProgressForm /><p className="small"><Link to="/verify/letter">{t('letter.page')}</Link></p></div>;
}
