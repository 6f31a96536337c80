// Portal: registering as a resident, one thing a page: what to be called, a password, check and
// agree, the confirmation with the account's name and what happens next. The answers live in
// memory only; a password is never stored.
import { useState, type FormEvent } from 'react';
import { Link, useNavigate } from 'react-router';
import { send } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { RegistrationTerms } from '../../api/types';
import { Answers, FormFault, TextField, useAct } from '../../components/Inputs';
import { PageHead } from '../../components/PageHead';
import { useI18n } from '../../i18n';
import { useSession } from '../../shell/session';

type Step = 'name' | 'password' | 'check';
const STEPS: Step[] = ['name', 'password', 'check'];

export default function Register() {
  const { t } = useI18n();
  const { signIn } = useSession();
  const navigate = useNavigate();
  const terms = useApi<RegistrationTerms>('/registrations/terms');
  const [step, setStep] = useState<Step>('name');
  const [answers, setAnswers] = useState({ display: '', name: '', password: '' });
  const [again, setAgain] = useState('');
  const [differs, setDiffers] = useState(false);
  const [consent, setConsent] = useState(false);
  const [account, setAccount] = useState<string | null>(null);
  const act = useAct();
  const n = STEPS.indexOf(step) + 1;
  const go = (to: Step) => { act.clear(); setStep(to); };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (step === 'name') return go('password');
    if (step === 'password') {
      setDiffers(again !== answers.password);
      if (again === answers.password) go('check');
      return;
    }
    const made = await act.run(() => send<{ account: string }>('POST', '/registrations', { display: answers.display.trim(), name: answers.name.trim() || null, password: answers.password, consent }));
    if (!made) return;
    // Shown only then: the next page asks as the new person.
    await act.run(() => signIn(made.account, answers.password));
    setAccount(made.account);
    setAnswers((a) => ({ ...a, password: '' }));
    setAgain('');
  };

  if (account) {
    return (
      <div className="one-thing">
        <PageHead title={t('register.done_title')} />
        <section className="card stack">
          <div className="confirmed" role="status">
            <p>{t('register.done_name')}</p>
            <p><code data-account>{account}</code></p>
          </div>
          <p>{t('register.done_keep')}</p>
          <h2>{t('register.done_next')}</h2>
          <p>{t('register.done_next_text')}</p>
          <p className="row">
            <button type="button" className="button strong" onClick={() => { void navigate('/portal/me/phone'); }}>{t('register.to_phone')}</button>
            <Link className="button" to="/portal/me">{t('register.later')}</Link>
          </p>
        </section>
      </div>
    );
  }
  const titles = { name: t('register.name_title'), password: t('register.password_title'), check: t('register.check_title') };
  const back: Step | undefined = STEPS[n - 2];
  return (
    <div className="one-thing">
      <PageHead title={titles[step]} sub={`${t('register.title')} · ${t('party.step', { n, of: STEPS.length })}`} />
      {terms.data?.demonstration ? <p className="stale">{t('party.demo_note')}</p> : null}
      <form className="card stack" noValidate onSubmit={(e) => { void submit(e); }}>
        <FormFault error={act.error} shown={step === 'name' ? ['display', 'name'] : step === 'password' ? ['password'] : []} />
        {step === 'name' ? (
          <>
            <TextField key="display" name="display" label={t('register.display')} hint={t('register.display_help')} value={answers.display} error={act.error} maxLength={30} autoComplete="nickname" required onChange={(e) => setAnswers({ ...answers, display: e.target.value })} />
            <TextField key="name" name="name" label={t('register.wish')} hint={t('register.wish_help')} value={answers.name} error={act.error} maxLength={20} autoComplete="username" autoCapitalize="none" spellCheck={false} onChange={(e) => setAnswers({ ...answers, name: e.target.value })} />
          </>
        ) : null}
        {step === 'password' ? (
          <>
            <TextField key="password" name="password" type="password" label={t('login.password')} hint={t('register.password_help')} value={answers.password} error={act.error} autoComplete="new-password" required onChange={(e) => setAnswers({ ...answers, password: e.target.value })} />
            <TextField key="again" name="again" type="password" label={t('register.password_again')} value={again} wrong={differs ? t('register.password_differs') : null} autoComplete="new-password" required onChange={(e) => setAgain(e.target.value)} />
          </>
        ) : null}
        {step === 'check' ? (
          <>
            <Answers rows={[
              { label: t('register.display'), value: answers.display, onChange: () => go('name') },
              { label: t('register.wish'), value: answers.name, onChange: () => go('name') },
              { label: t('login.password'), value: answers.password ? t('register.password_set') : '', onChange: () => go('password') },
            ]} />
            <div className="input checks"><label><input type="checkbox" name="consent" checked={consent} onChange={(e) => setConsent(e.target.checked)} /><span>{t('register.consent')}</span></label></div>
          </>
        ) : null}
        <button type="submit" className="button strong wide" disabled={act.busy}>{act.busy ? t('state.loading') : step === 'check' ? t('register.submit') : t('party.next')}</button>
        {back ? <button type="button" className="link" onClick={() => go(back)}>{t('party.back')}</button> : <p><Link to="/sign-in">{t('register.have')}</Link></p>}
      </form>
    </div>
  );
}
