// Account: changing one's password; every other session ends with it.
import { useState, type FormEvent } from 'react';
import { ApiError, send } from '../../api/client';
import { useI18n } from '../../i18n';
import { dateTime } from '../../lib/time';

export function PasswordForm({ account, since, onDone }: { account: string; since: string | null; onDone: () => Promise<void> }) {
  const { t, lang } = useI18n();
  const [error, setError] = useState<string | null>(null);
  const [done, setDone] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const target = event.currentTarget;
    const form = new FormData(target);
    setError(null);
    setDone(false);
    try {
      await send('POST', '/session/password', { old: form.get('old'), new: form.get('new') });
      target.reset();
      setDone(true);
      await onDone();
    } catch (e) {
      setError(e instanceof ApiError ? [e.say(lang), ...e.problems.map((p) => p.words[lang])].join(' ') : String(e));
    }
  };
  return (
    <form onSubmit={(e) => { void submit(e); }} className="stack fields">
      {since ? <p className="muted">{t('account.password_since', { time: dateTime(since) })}</p> : null}
      <input className="hidden" name="account" autoComplete="username" value={account} readOnly tabIndex={-1} aria-hidden="true" />
      <label>{t('login.password_old')}<input name="old" type="password" autoComplete="current-password" required /></label>
      <label>{t('login.password_new')}<input name="new" type="password" autoComplete="new-password" minLength={8} required aria-describedby="password-rule" /></label>
      <p id="password-rule" className="muted">{t('account.password_rule')} {t('account.password_others_end')}</p>
      {done ? <p role="status">{t('login.password_changed')}</p> : null}
      {error ? <p role="alert" className="error-text">{error}</p> : null}
      <p className="row"><button type="submit" className="button">{t('app.change_password')}</button></p>
    </form>
  );
}
