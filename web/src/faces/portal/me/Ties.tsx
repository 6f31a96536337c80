// Portal: ties as a list that reads on a phone, with the acts that are one's own: accept, decline,
// revoke with a reason.
import { useState, type FormEvent } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { send } from '../../../api/client';
import type { PartyTie, RegistrationTerms } from '../../../api/types';
import { useApi } from '../../../api/hooks';
import { FormFault, TextField, useAct } from '../../../components/Inputs';
import { useI18n } from '../../../i18n';
import { dateTime } from '../../../lib/time';

/** Names of kinds of matters in the reader's language. */
export function useMatters(): (names: readonly string[]) => string {
  const { t, w, lang } = useI18n();
  const terms = useApi<RegistrationTerms>('/registrations/terms');
  return (names) => (names.length === 0
    ? t('tie.all')
    : names.map((n) => w(terms.data?.matters.find((m) => m.name === n)?.title) || n).join(lang === 'zh' ? '、' : ', '));
}

const REVOCABLE = ['agent', 'guardian_elder'];

export function Ties({ ties, empty }: { ties: PartyTie[]; empty?: string }) {
  const { t } = useI18n();
  const matters = useMatters();
  const client = useQueryClient();
  const act = useAct();
  const [revoking, setRevoking] = useState<string | null>(null);
  const [said, setSaid] = useState(false);
  const done = () => { setRevoking(null); setSaid(true); void client.invalidateQueries(); };
  const answer = async (tie: PartyTie, verb: 'accept' | 'decline') => {
    if ((await act.run(() => send('POST', `/me/ties/${tie.id}/${verb}`))) !== undefined) done();
  };
  const revoke = async (event: FormEvent<HTMLFormElement>, tie: PartyTie) => {
    event.preventDefault();
    const reason = String(new FormData(event.currentTarget).get('reason') ?? '');
    if ((await act.run(() => send('POST', `/me/ties/${tie.id}/revoke`, { reason }))) !== undefined) done();
  };
  return (
    <>
      {said ? <p role="status">{t('tie.done')}</p> : null}
      {revoking ? null : <FormFault error={act.error} />}
      {ties.length === 0 ? <p className="muted">{empty}</p> : (
        <ul className="tie-list">
          {ties.map((tie) => (
            <li key={tie.id}>
              <div><strong>{tie.other}</strong> <code>{tie.number}</code> <span className={`tag plain state-${tie.state === 'active' ? 'open' : 'closed'}`}>{t(`tie.state_${tie.state}`)}</span></div>
              <div className="small">{t(`tie.${tie.tie}`)} · {t('tie.scope')}：{matters(tie.scope)} · {t('tie.period')}：{dateTime(tie.from)} – {tie.to ? dateTime(tie.to) : t('tie.no_end')}</div>
              <div className="muted small">{t('tie.evidence')}：{tie.evidence}{tie.reason ? ` · ${t('tie.reason')}：${tie.reason}` : ''}</div>
              {tie.state === 'invited' && tie.side === 'holder' ? (
                <div className="row">
                  <button type="button" className="button strong" disabled={act.busy} onClick={() => { void answer(tie, 'accept'); }}>{t('tie.accept')}</button>
                  <button type="button" className="button" disabled={act.busy} onClick={() => { void answer(tie, 'decline'); }}>{t('tie.decline')}</button>
                </div>
              ) : null}
              {REVOCABLE.includes(tie.tie) && (tie.state === 'active' || (tie.state === 'invited' && tie.side === 'principal')) ? (
                revoking === tie.id ? (
                  <form className="stack" onSubmit={(e) => { void revoke(e, tie); }}>
                    <p><strong>{t('tie.revoke_title')}</strong> {t('tie.revoke_help')}</p>
                    <FormFault error={act.error} shown={['reason']} />
                    <TextField name="reason" label={t('tie.reason')} error={act.error} maxLength={200} autoFocus />
                    <div className="row"><button type="submit" className="button strong" disabled={act.busy}>{t('tie.revoke')}</button><button type="button" className="button" onClick={() => { setRevoking(null); act.clear(); }}>{t('verb.cancel')}</button></div>
                  </form>
                ) : <div><button type="button" className="button" aria-label={`${t('tie.revoke')} ${tie.other}`} onClick={() => setRevoking(tie.id)}>{t('tie.revoke')}</button></div>
              ) : null}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
