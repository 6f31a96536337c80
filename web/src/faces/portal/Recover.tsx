// Portal: recovering a resident's account: the number, then the code, a new password and, where the
// person was proven, the document. Says the same whether or not there is an account.
import { useState, type FormEvent } from 'react';
import { Link } from 'react-router';
import { send } from '../../api/client';
import type { CodeSent } from '../../api/types';
import { DocumentFields, noDocument } from '../../components/DocumentFields';
import { FormFault, TextField, useAct } from '../../components/Inputs';
import { PageHead } from '../../components/PageHead';
import { useI18n } from '../../i18n';
import { dateTime } from '../../lib/time';

export default function Recover() {
  const { t } = useI18n();
  const [phone, setPhone] = useState('');
  const [sent, setSent] = useState<CodeSent | null>(null);
  const [code, setCode] = useState('');
  const [password, setPassword] = useState('');
  const [proven, setProven] = useState(false);
  const [identity, setIdentity] = useState(noDocument);
  const [done, setDone] = useState<string | null>(null);
  const act = useAct();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!sent) {
      const answer = await act.run(() => send<CodeSent>('POST', '/recovery', { phone }));
      if (answer) setSent(answer);
      return;
    }
    const answer = await act.run(() => send<{ account: string }>('POST', '/recovery/proof', { challenge: sent.challenge, code: code.trim(), password, identity: proven ? identity : null }));
    if (answer) { setDone(answer.account); setPassword(''); }
  };
  return (
    <div className="one-thing">
      <PageHead title={t('recover.title')} back={{ to: '/sign-in', text: t('login.title') }} />
      {done ? (
        <section className="card stack">
          <div className="confirmed" role="status"><p>{t('recover.done')}</p><p><code>{done}</code></p></div>
          <p><Link className="button strong" to="/sign-in">{t('login.title')}</Link></p>
        </section>
      ) : (
        <form className="card stack" noValidate onSubmit={(e) => { void submit(e); }}>
          <FormFault error={act.error} shown={['phone', 'password']} />
          {sent ? (
            <>
              <p role="status">{t('phone.sent', { time: dateTime(sent.expires_at) })}</p>
              <TextField name="code" label={t('phone.code')} value={code} inputMode="numeric" autoComplete="one-time-code" maxLength={6} onChange={(e) => setCode(e.target.value)} />
              <TextField name="password" type="password" label={t('recover.new_password')} hint={t('register.password_help')} value={password} error={act.error} autoComplete="new-password" onChange={(e) => setPassword(e.target.value)} />
              <div className="input checks"><label><input type="checkbox" name="proven" checked={proven} onChange={(e) => setProven(e.target.checked)} /><span>{t('recover.identity')}</span></label></div>
              {proven ? <DocumentFields value={identity} onChange={setIdentity} /> : null}
            </>
          ) : (
            <>
              <p>{t('recover.help')}</p>
              <TextField name="phone" type="tel" label={t('phone.number')} value={phone} error={act.error} autoComplete="tel" maxLength={20} onChange={(e) => setPhone(e.target.value)} />
            </>
          )}
          <button type="submit" className="button strong wide" disabled={act.busy}>{act.busy ? t('state.loading') : t(sent ? 'verb.confirm' : 'phone.send')}</button>
        </form>
      )}
    </div>
  );
}
