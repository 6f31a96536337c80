// Portal: proving a mobile number: the number, then the code that was sent to it.
import { useState, type FormEvent } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { CodeSent, Mine } from '../../../api/types';
import { FormFault, TextField, useAct } from '../../../components/Inputs';
import { PageHead } from '../../../components/PageHead';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { dateTime } from '../../../lib/time';

export default function Phone() {
  const { t } = useI18n();
  const client = useQueryClient();
  const mine = useApi<Mine>('/me');
  const [phone, setPhone] = useState('');
  const [code, setCode] = useState('');
  const [sent, setSent] = useState<CodeSent | null>(null);
  const [done, setDone] = useState(false);
  const act = useAct();
  const ask = async () => {
    const answer = await act.run(() => send<CodeSent>('POST', '/me/phone', { phone }));
    if (answer) setSent(answer);
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!sent) return ask();
    const answer = await act.run(() => send('POST', '/me/phone/proof', { challenge: sent.challenge, code: code.trim() }));
    if (answer === undefined) return;
    setDone(true);
    void client.invalidateQueries();
  };
  return (
    <div className="one-thing">
      <PageHead title={t('phone.title')} back={{ to: '/portal/me', text: t('me.title') }} />
      <View query={mine}>
        {(me) => (done ? (
          <section className="card stack">
            <div className="confirmed" role="status"><p>{t('phone.done')}</p></div>
            <p className="row"><Link className="button strong" to={me.level >= 2 ? '/portal/me' : '/portal/me/identity'}>{t(me.level >= 2 ? 'me.title' : 'proof.title')}</Link></p>
          </section>
        ) : (
          <form className="card stack" noValidate onSubmit={(e) => { void submit(e); }}>
            {me.means.demonstration ? <p className="stale">{t('party.demo_note')}</p> : null}
            <FormFault error={act.error} shown={['phone']} />
            {sent ? (
              <>
                <p role="status">{t('phone.sent', { time: dateTime(sent.expires_at) })}</p>
                <TextField key="code" name="code" label={t('phone.code')} value={code} inputMode="numeric" autoComplete="one-time-code" maxLength={6} onChange={(e) => setCode(e.target.value)} />
              </>
            ) : (
              <>
                <TextField key="phone" name="phone" type="tel" label={t('phone.number')} hint={t('phone.number_help')} value={phone} error={act.error} autoComplete="tel" maxLength={20} onChange={(e) => setPhone(e.target.value)} />
                <p className="muted small">{t('phone.moved')}</p>
              </>
            )}
            <button type="submit" className="button strong wide" disabled={act.busy}>{act.busy ? t('state.loading') : t(sent ? 'verb.confirm' : 'phone.send')}</button>
            {sent ? <button type="button" className="link" onClick={() => { setSent(null); setCode(''); act.clear(); }}>{t('phone.again')}</button> : null}
          </form>
        ))}
      </View>
    </div>
  );
}
