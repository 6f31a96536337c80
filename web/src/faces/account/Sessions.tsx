// Account: where one is signed in, and ending it. A new device is said aloud.
import { useState } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { SessionItem } from '../../api/types';
import { SimpleTable } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n, type Key } from '../../i18n';
import { dateTime } from '../../lib/time';

/** A browser in a word or two; the whole text is in the title. */
function browser(agent: string): string {
  const name = /(Edg|OPR|Firefox|Chrome|Safari|curl)\/(\d+)/.exec(agent);
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(agent);
  return [name ? `${name[1] === 'Edg' ? 'Edge' : name[1]} ${name[2]}` : agent.slice(0, 30), system?.[1]].filter(Boolean).join(' · ') || '—';
}

export function Sessions() {
  const { t, lang } = useI18n();
  const client = useQueryClient();
  const query = useApi<{ items: SessionItem[] }>('/session/all');
  const [said, setSaid] = useState<string | null>(null);
  const end = async (path: string) => {
    try {
      await send('DELETE', path);
      setSaid(t('account.ended'));
    } catch (e) {
      setSaid(e instanceof ApiError ? e.say(lang) : String(e));
    }
    void client.invalidateQueries({ queryKey: ['/session/all'] });
  };
  const words = (s: SessionItem) => s.factors.map((f) => t(`account.factor_${f}` as Key)).join(lang === 'zh' ? '＋' : ' + ');
  return (
    <section className="card stack" aria-labelledby="account-sessions">
      <h2 id="account-sessions">{t('account.sessions')}</h2>
      <View query={query}>
        {(d) => (
          <>
            {d.items.filter((s) => s.new_device && !s.current).slice(0, 1).map((s) => (
              <p key={s.id} role="alert" className="error-box">{t('account.new_device_notice', { time: dateTime(s.created_at), address: s.address })}</p>
            ))}
            <SimpleTable<SessionItem> caption={t('account.sessions_caption')} quiet rows={d.items} rowKey={(s) => s.id} columns={[
              { title: t('account.device'), cell: (s) => <span title={s.agent}>{browser(s.agent)}{s.current ? <> <span className="tag plain">{t('account.this_device')}</span></> : null}{s.new_device ? <> <span className="tag plain">{t('account.new_device')}</span></> : null}</span> },
              { title: t('account.address'), cell: (s) => s.address }, { title: t('account.by'), cell: words },
              { title: t('account.since'), cell: (s) => dateTime(s.created_at) }, { title: t('account.last_active'), cell: (s) => dateTime(s.last_used) },
              { title: t('account.end'), cell: (s) => (s.current ? '—' : <button type="button" className="button" aria-label={`${t('account.end')} ${browser(s.agent)} ${dateTime(s.created_at)}`} onClick={() => { void end(`/session/all/${s.id}`); }}>{t('account.end')}</button>) },
            ]} />
            {d.items.length > 1 ? <p className="row"><button type="button" className="button" onClick={() => { void end('/session/all'); }}>{t('account.end_others')}</button></p> : null}
          </>
        )}
      </View>
      {said ? <p role="status">{said}</p> : null}
    </section>
  );
}
