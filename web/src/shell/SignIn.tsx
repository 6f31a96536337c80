// Shell: signing in, step by step: the password, then a code, a passkey or a recovery code; or a
// passkey alone. Says what is wrong next to where it is wrong; the hint about demonstration
// accounts appears only in a simulated city.
import { useEffect, useState, type FormEvent } from 'react';
import { Link, Navigate, useNavigate, useSearchParams } from 'react-router';
import { ApiError, send } from '../api/client';
import { useApi } from '../api/hooks';
import type { Challenge, FactorMethod, ProviderChoices } from '../api/types';
import { useI18n } from '../i18n';
import { useTitle } from '../components/PageHead';
import { getPasskey, passkeysHere } from '../lib/passkey';
import { useSession } from './session';

/** Only addresses of this application may be returned to. */
function safeTarget(then: string | null): string {
  return then && then.startsWith('/') && !then.startsWith('//') && !then.startsWith('/sign-in') ? then : '/';
}

function Fault({ error }: { error: ApiError | string | null }) {
  const { t, lang } = useI18n();
  if (!error) return null;
  return (
    <div role="alert" className="error-box">
      <p>{typeof error === 'string' ? error : error.say(lang)}</p>
      {typeof error !== 'string' && error.retryAfterS ? <p>{t('state.retry_after', { s: error.retryAfterS })}</p> : null}
      {typeof error === 'string' ? null : <p className="muted">{t('state.code', { code: error.code })}</p>}
    </div>
  );
}

export default function SignIn() {
  const { t, w } = useI18n();
  const { session, city, signIn, signedIn } = useSession();
  const providers = useApi<ProviderChoices>('/session/providers');
  const [params] = useSearchParams();
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | string | null>(null);
  const [challenge, setChallenge] = useState<Challenge | null>(null);
  const [missing, setMissing] = useState<{ account: boolean; password: boolean }>({ account: false, password: false });
  useTitle(t('login.title'));
  const target = safeTarget(params.get('then'));
  // An application wants a new sign-in although somebody is signed in.
  const again = params.get('again') === '1';
  // What the server answers itself is no page of this application.
  const outside = target.startsWith('/oauth2/');
  const ready = Boolean(session) && !busy && !again;
  useEffect(() => {
    if (ready && outside) window.location.replace(target);
  }, [ready, outside, target]);
  if (ready && !outside) return <Navigate to={target} replace />;

  const attempt = async (work: () => Promise<boolean>) => {
    setBusy(true);
    setError(null);
    try {
      if (!(await work())) return;
      if (outside) window.location.replace(target);
      else void navigate(target, { replace: true });
    } catch (e) {
      setError(e instanceof ApiError ? e : t('login.passkey_failed'));
      if (e instanceof ApiError && e.code === 'access.sign_in_expired') setChallenge(null);
    } finally {
      setBusy(false);
    }
  };
  const show = (proof: Record<string, unknown>, asked: Challenge) => attempt(async () => {
    await send('POST', '/session/factor', { ticket: asked.ticket, ...proof });
    await signedIn();
    return true;
  });
  const passkeyAlone = () => attempt(async () => {
    const asked = await send<Challenge>('POST', '/session/passkey', {});
    await send('POST', '/session/factor', { ticket: asked.ticket, passkey: await getPasskey(asked.passkey ?? {}) });
    await signedIn();
    return true;
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const account = String(form.get('account') ?? '').trim();
    const password = String(form.get('password') ?? '');
    setMissing({ account: !account, password: !password });
    if (!account || !password) return;
    void attempt(async () => {
      const next = await signIn(account, password);
      setChallenge(next);
      return next === null;
    });
  };

  if (challenge) {
    return <SecondStep challenge={challenge} busy={busy} error={error} onRestart={() => { setChallenge(null); setError(null); }} onShow={(proof) => { void show(proof, challenge); }} onFail={() => setError(t('login.passkey_failed'))} />;
  }
  return (
    <div className="sign-in">
      <form className="card stack" noValidate onSubmit={submit}>
        <h1>{t('login.title')}</h1>
        <Fault error={error} />
        <label>
          {t('login.account')}
          <input name="account" defaultValue={params.get('hint') ?? ''} autoComplete="username" autoCapitalize="none" spellCheck={false} aria-invalid={missing.account} aria-describedby="account-missing" />
        </label>
        <p id="account-missing" className="error-text" role={missing.account ? 'alert' : undefined}>{missing.account ? t('login.need_account') : ''}</p>
        <label>
          {t('login.password')}
          <input name="password" type="password" autoComplete="current-password" aria-invalid={missing.password} aria-describedby="password-missing" />
        </label>
        <p id="password-missing" className="error-text" role={missing.password ? 'alert' : undefined}>{missing.password ? t('login.need_password') : ''}</p>
        <button type="submit" className="button strong wide" disabled={busy}>{busy ? t('state.loading') : t('login.enter')}</button>
        {passkeysHere() ? <button type="button" className="button wide" disabled={busy} onClick={() => { void passkeyAlone(); }}>{t('login.use_passkey')}</button> : null}
        {(providers.data?.items ?? []).map((p) => (
          <a key={p.id} className="button wide" href={`/oauth2/upstream/${p.id}?then=${encodeURIComponent(target)}`}>{t('login.through', { name: w(p.name) })}</a>
        ))}
        <p className="muted">{t('login.forgot')}</p>
        <p className="row"><Link to="/portal/register">{t('register.link')}</Link> <Link to="/portal/recover">{t('recover.link')}</Link></p>
        <p className="muted">{t('login.public')}</p>
      </form>
      {city?.simulated ? (
        <aside className="card">
          <h2>{t('login.demo')}</h2>
          <p>{t('login.demo_help')}</p>
        </aside>
      ) : null}
    </div>
  );
}

interface SecondStepProps {
  challenge: Challenge;
  busy: boolean;
  error: ApiError | string | null;
  onShow: (proof: Record<string, unknown>) => void;
  onFail: () => void;
  onRestart: () => void;
}

function SecondStep({ challenge, busy, error, onShow, onFail, onRestart }: SecondStepProps) {
  const { t } = useI18n();
  const methods = challenge.methods.filter((m) => m !== 'passkey' || passkeysHere());
  const [method, setMethod] = useState<FactorMethod>(methods[0] ?? 'recovery');
  const [missing, setMissing] = useState(false);
  const passkey = async () => {
    try {
      onShow({ passkey: await getPasskey(challenge.passkey ?? {}) });
    } catch {
      onFail();
    }
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (method === 'passkey') {
      void passkey();
      return;
    }
    const code = String(new FormData(event.currentTarget).get('code') ?? '').trim();
    setMissing(!code);
    if (code) onShow(method === 'totp' ? { code } : { recovery: code });
  };
  return (
    <div className="sign-in">
      <form className="card stack" noValidate onSubmit={submit}>
        <h1>{t('login.second')}</h1>
        <Fault error={error} />
        {method === 'passkey' ? null : (
          <>
            {method === 'totp' ? <p id="code-help">{t('login.code_help')}</p> : <p id="code-help">{t('account.recovery_help')}</p>}
            <label key={method}>
              {t(method === 'totp' ? 'account.code' : 'login.recovery_code')}
              <input name="code" autoFocus autoComplete={method === 'totp' ? 'one-time-code' : 'off'} inputMode={method === 'totp' ? 'numeric' : 'text'} autoCapitalize="characters" spellCheck={false} aria-invalid={missing} aria-describedby="code-help code-missing" />
            </label>
            <p id="code-missing" className="error-text" role={missing ? 'alert' : undefined}>{missing ? t('login.need_code') : ''}</p>
          </>
        )}
        <button type="submit" className="button strong wide" disabled={busy}>{busy ? t('state.loading') : t(method === 'passkey' ? 'stepup.passkey' : 'verb.confirm')}</button>
        {methods.filter((m) => m !== method).map((m) => (
          <button key={m} type="button" className="button wide" onClick={() => { setMethod(m); setMissing(false); }}>{t(`login.by_${m}`)}</button>
        ))}
        <button type="button" className="link" onClick={onRestart}>{t('login.restart')}</button>
      </form>
    </div>
  );
}
