// Account: the applications one is connected with, and taking everything back from one, asked for
// once more before it is done.
import { useState } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { ConnectedList, ProviderChoices } from '../../api/types';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { dateTime } from '../../lib/time';

export function Applications() {
  const { t, w, lang } = useI18n();
  const client = useQueryClient();
  const query = useApi<ConnectedList>('/account/applications');
  const providers = useApi<ProviderChoices>('/session/providers');
  const [asked, setAsked] = useState<string | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const disconnect = async (id: string) => {
    setError(null);
    try {
      await send('DELETE', `/account/applications/${encodeURIComponent(id)}`);
      setAsked(null);
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      setError(e);
    }
    void client.invalidateQueries({ queryKey: ['/account/applications'] });
  };
  return (
    <section className="card stack" aria-labelledby="connected-title">
      <h2 id="connected-title">{t('connected.title')}</h2>
      <p className="muted">{t('connected.help')}</p>
      {error ? <div role="alert" className="error-box"><p>{error.say(lang)}</p></div> : null}
      <View query={query} empty={(d) => d.items.length === 0} emptyText={t('connected.empty')}>
        {(d) => (
          <ul className="plain-list">
            {d.items.map((a) => (
              <li key={a.client} className="connected">
                <div>
                  <strong>{w(a.name)}</strong> <span className="muted">{w(a.purpose)}</span>
                  <p>{t('connected.can')}: {[...new Set([...a.scopes, ...a.remembered])].join('、')}</p>
                  <p className="muted">{t('connected.last')}: {a.last_used ? dateTime(a.last_used) : '—'}{a.offline ? ` · ${t('connected.offline')}` : ''}</p>
                </div>
                {asked === a.client ? (
                  <div role="group" aria-label={t('connected.revoke_title', { name: w(a.name) })} className="row">
                    <button type="button" className="button strong" onClick={() => { void disconnect(a.client); }}>{t('connected.revoke_yes')}</button>
                    <button type="button" className="button" onClick={() => setAsked(null)}>{t('verb.cancel')}</button>
                  </div>
                ) : <button type="button" className="button" aria-label={`${t('connected.revoke')} ${w(a.name)}`} onClick={() => setAsked(a.client)}>{t('connected.revoke')}</button>}
              </li>
            ))}
          </ul>
        )}
      </View>
      {(providers.data?.items ?? []).map((p) => (
        <p key={p.id}><a className="button" href={`/oauth2/upstream/${p.id}?link=true&then=%2Faccount`}>{t('connected.link', { name: w(p.name) })}</a></p>
      ))}
    </section>
  );
}
