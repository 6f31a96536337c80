// Signing out because an application asks for it: the person confirms, and goes where the
// application registered; and the page that says it is done.
import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../api/client';
import type { OpenIdNext } from '../../api/types';
import { useTitle } from '../../components/PageHead';
import { useI18n } from '../../i18n';

export function SignedOut() {
  const { t } = useI18n();
  useTitle(t('signout.title'));
  return (
    <div className="sign-in">
      <section className="card stack">
        <h1>{t('signout.done')}</h1>
        <p><Link className="button wide" to="/sign-in">{t('signout.again')}</Link></p>
      </section>
    </div>
  );
}

export default function SignOut() {
  const { t, lang } = useI18n();
  const [params] = useSearchParams();
  const client = useQueryClient();
  const [done, setDone] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  useTitle(t('signout.title'));
  if (done) return <SignedOut />;
  const leave = async () => {
    setError(null);
    try {
      const next = await send<OpenIdNext>('POST', '/openid/logout', { request: params.get('request') });
      if (next.to) {
        window.location.assign(next.to);
        return;
      }
      client.setQueryData(['/session', {}], null);
      void client.invalidateQueries();
      setDone(true);
    } catch (e) {
      setError(e instanceof ApiError ? e : null);
    }
  };
  return (
    <div className="sign-in">
      <section className="card stack">
        <h1>{t('signout.title')}</h1>
        <p>{t('signout.ask')}</p>
        {error ? <div role="alert" className="error-box"><p>{error.say(lang)}</p><p className="muted">{t('state.code', { code: error.code })}</p></div> : null}
        <button type="button" className="button strong wide" onClick={() => { void leave(); }}>{t('signout.yes')}</button>
        <Link className="button wide" to="/">{t('signout.no')}</Link>
      </section>
    </div>
  );
}
