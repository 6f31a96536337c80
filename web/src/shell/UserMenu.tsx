// Shell: the signed-in person: name, roles, password, sign out. A native <details>, no library.
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { ApiError, send } from '../api/client';
import { useI18n } from '../i18n';
import { personName } from '../lib/person';
import { useSession } from './session';
import type { Session } from '../api/types';

export function UserMenu({ session, onHelp }: { session: Session; onHelp: () => void }) {
  const { t, lang } = useI18n();
  const { signOut } = useSession();
  const navigate = useNavigate();
  const name = personName(session.account, session.display, lang);
  const { pathname } = useLocation();
  const box = useRef<HTMLDetailsElement>(null);
  const password = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (box.current) box.current.open = false;
  }, [pathname]);
  return (
    <>
      <details className="user" ref={box} onKeyDown={(e) => { if (e.key === 'Escape' && box.current) box.current.open = false; }}>
        <summary>{name}</summary>
        <div className="user-box">
          <p><strong>{name}</strong>{name === session.account ? null : <> <code>{session.account}</code></>}</p>
          <p>{t('app.roles')}：{session.roles.join('、')}</p>
          {session.organisation ? <p>{t('app.organisation')}：{session.organisation}</p> : null}
          <button type="button" className="tool" onClick={onHelp}>{t('app.keyboard')}</button>
          <button type="button" className="tool" onClick={() => password.current?.showModal()}>{t('app.change_password')}</button>
          <button type="button" className="tool strong" onClick={() => { void signOut().then(() => navigate('/')); }}>{t('app.sign_out')}</button>
        </div>
      </details>
      <dialog ref={password} className="dialog" aria-label={t('app.change_password')}>
        <PasswordForm account={session.account} onDone={() => password.current?.close()} />
      </dialog>
    </>
  );
}

function PasswordForm({ account, onDone }: { account: string; onDone: () => void }) {
  const { t, lang } = useI18n();
  const [error, setError] = useState<string | null>(null);
  const [done, setDone] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setError(null);
    try {
      await send('POST', '/session/password', { old: form.get('old'), new: form.get('new') });
      setDone(true);
    } catch (e) {
      setError(e instanceof ApiError ? [e.say(lang), ...e.problems.map((p) => p.words[lang])].join(' ') : String(e));
    }
  };
  return (
    <form onSubmit={(e) => { void submit(e); }} className="stack">
      <h2>{t('app.change_password')}</h2>
      {done ? <p role="status">{t('login.password_changed')}</p> : (
        <>
          <input className="hidden" name="account" autoComplete="username" value={account} readOnly tabIndex={-1} aria-hidden="true" />
          <label>{t('login.password_old')}<input name="old" type="password" autoComplete="current-password" required /></label>
          <label>{t('login.password_new')}<input name="new" type="password" autoComplete="new-password" minLength={10} required /></label>
          <p className="muted">{t('login.password_rule')}</p>
        </>
      )}
      {error ? <p role="alert" className="error-text">{error}</p> : null}
      <p className="row">
        {done ? null : <button type="submit" className="button strong">{t('verb.save')}</button>}
        <button type="button" className="button" onClick={() => { onDone(); setDone(false); setError(null); }}>{t('verb.close_dialog')}</button>
      </p>
    </form>
  );
}
