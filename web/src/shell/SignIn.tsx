// Shell: signing in. Says what is wrong next to where it is wrong; the hint about demonstration
// accounts appears only in a simulated city.
import { useState, type FormEvent } from 'react';
import { Navigate, useNavigate, useSearchParams } from 'react-router';
import { ApiError } from '../api/client';
import { useI18n } from '../i18n';
import { useTitle } from '../components/PageHead';
import { useSession } from './session';

/** Only addresses of this application may be returned to. */
function safeTarget(then: string | null): string {
  return then && then.startsWith('/') && !then.startsWith('//') && !then.startsWith('/sign-in') ? then : '/';
}

export default function SignIn() {
  const { t, lang } = useI18n();
  const { session, city, signIn } = useSession();
  const [params] = useSearchParams();
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [missing, setMissing] = useState<{ account: boolean; password: boolean }>({ account: false, password: false });
  useTitle(t('login.title'));
  const target = safeTarget(params.get('then'));
  if (session && !busy) return <Navigate to={target} replace />;

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const account = String(form.get('account') ?? '').trim();
    const password = String(form.get('password') ?? '');
    setMissing({ account: !account, password: !password });
    if (!account || !password) return;
    setBusy(true);
    setError(null);
    try {
      await signIn(account, password);
      void navigate(target, { replace: true });
    } catch (e) {
      setError(e instanceof ApiError ? e : null);
    } finally {
      setBusy(false);
    }
  };

  return (
    <div className="sign-in">
      <form className="card stack" noValidate onSubmit={(e) => { void submit(e); }}>
        <h1>{t('login.title')}</h1>
        {error ? (
          <div role="alert" className="error-box">
            <p>{error.say(lang)}</p>
            {error.retryAfterS ? <p>{t('state.retry_after', { s: error.retryAfterS })}</p> : null}
            <p className="muted">{t('state.code', { code: error.code })}</p>
          </div>
        ) : null}
        <label>
          {t('login.account')}
          <input name="account" autoComplete="username" autoCapitalize="none" spellCheck={false} aria-invalid={missing.account} aria-describedby="account-missing" />
        </label>
        <p id="account-missing" className="error-text" role={missing.account ? 'alert' : undefined}>{missing.account ? t('login.need_account') : ''}</p>
        <label>
          {t('login.password')}
          <input name="password" type="password" autoComplete="current-password" aria-invalid={missing.password} aria-describedby="password-missing" />
        </label>
        <p id="password-missing" className="error-text" role={missing.password ? 'alert' : undefined}>{missing.password ? t('login.need_password') : ''}</p>
        <button type="submit" className="button strong wide" disabled={busy}>{busy ? t('state.loading') : t('login.enter')}</button>
        <p className="muted">{t('login.forgot')}</p>
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
