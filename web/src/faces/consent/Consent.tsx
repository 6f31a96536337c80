// Consent: who asks, for what, what it gets, where the person goes next. One thing on the page,
// phone first; nothing is given before "agree" is pressed.
import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { ApiError, send } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { OpenIdNext, OpenIdRequest } from '../../api/types';
import { useTitle } from '../../components/PageHead';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { personName } from '../../lib/person';

export default function Consent() {
  const { t, w, lang } = useI18n();
  const [params] = useSearchParams();
  const request = params.get('request');
  const query = useApi<OpenIdRequest>(request ? '/openid/request' : null, { request });
  const [remember, setRemember] = useState(true);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  useTitle(t('consent.title'));
  if (!request) return <div className="sign-in"><section className="card stack"><h1>{t('consent.title')}</h1><p>{t('consent.nothing')}</p></section></div>;

  const answer = async (agrees: boolean) => {
    setBusy(true);
    setError(null);
    try {
      const next = await send<OpenIdNext>('POST', '/openid/consent', { request, agrees, remember: agrees && remember });
      window.location.assign(next.to ?? '/');
    } catch (e) {
      setError(e instanceof ApiError ? e : null);
      setBusy(false);
    }
  };
  const back = `/oauth2/continue?request=${request}`;
  return (
    <div className="sign-in">
      <View query={query}>
        {(asked) => (
          <section className="card stack" aria-labelledby="consent-title">
            <h1 id="consent-title">{t('consent.asks', { name: w(asked.name) })}</h1>
            <p className="muted">{t('consent.by', { name: asked.organisation ? w(asked.organisation) : t('consent.unknown_org') })}</p>
            <p><strong>{t('consent.for')}</strong> {w(asked.purpose)}</p>
            <h2 id="consent-gets">{t('consent.gets')}</h2>
            <ul aria-labelledby="consent-gets">
              {asked.scopes.map((s) => <li key={s.name}>{w(s.words)}{asked.agreed.includes(s.name) ? <span className="muted">{t('consent.agreed')}</span> : null}</li>)}
            </ul>
            <p>{t('consent.as', { name: personName(asked.account, asked.display, lang) })} <Link to={`/sign-in?then=${encodeURIComponent(back)}&again=1`}>{t('consent.other')}</Link></p>
            {asked.host ? <p>{t('consent.back', { host: asked.host })}</p> : null}
            <p><label className="check"><input type="checkbox" checked={remember} onChange={(e) => setRemember(e.target.checked)} /> {t('consent.remember')}</label></p>
            {error ? <div role="alert" className="error-box"><p>{error.say(lang)}</p><p className="muted">{t('state.code', { code: error.code })}</p></div> : null}
            <button type="button" className="button strong wide" disabled={busy} onClick={() => { void answer(true); }}>{t('consent.agree')}</button>
            <button type="button" className="button wide" disabled={busy} onClick={() => { void answer(false); }}>{t('consent.refuse')}</button>
            <p className="muted">{t('consent.revoke')}</p>
          </section>
        )}
      </View>
    </div>
  );
}
