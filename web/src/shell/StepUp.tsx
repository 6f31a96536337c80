// Shell: proving oneself again. An act that the server refuses as too long after the last proof
// asks here for the password, a code or a passkey, and is then tried once more.
import { useEffect, useRef, useState, type FormEvent, type ReactNode } from 'react';
import { ApiError, send } from '../api/client';
import type { Challenge } from '../api/types';
import { useI18n } from '../i18n';
import { getPasskey, passkeysHere } from '../lib/passkey';

interface Waiting { done: () => void; given_up: () => void }

export function useStepUp(): { attempt: <T>(act: () => Promise<T>) => Promise<T>; dialog: ReactNode; ask: () => Promise<void> } {
  const [waiting, setWaiting] = useState<Waiting | null>(null);
  const ask = (otherwise?: unknown) => new Promise<void>((resolve, reject) => {
    setWaiting({
      done: () => { setWaiting(null); resolve(); },
      given_up: () => { setWaiting(null); reject(otherwise instanceof Error ? otherwise : new DOMException('cancelled', 'AbortError')); },
    });
  });
  const attempt = async <T,>(act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'access.step_up') throw error;
      await ask(error);
      return act();
    }
  };
  return { attempt, ask: () => ask(), dialog: waiting ? <StepUpDialog waiting={waiting} /> : null };
}

function StepUpDialog({ waiting }: { waiting: Waiting }) {
  const { t, lang } = useI18n();
  const box = useRef<HTMLDialogElement>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => { box.current?.showModal(); }, []);
  const prove = async (body: () => Promise<unknown>) => {
    setError(null);
    try {
      await send('POST', '/session/step-up', await body());
      waiting.done();
    } catch (e) {
      setError(e instanceof ApiError ? e.say(lang) : t('login.passkey_failed'));
    }
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const code = String(form.get('code') ?? '').trim();
    void prove(() => Promise.resolve(code ? { code } : { password: form.get('password') }));
  };
  const passkey = () => prove(async () => {
    const asked = await send<Challenge>('POST', '/session/passkey', {});
    return { ticket: asked.ticket, passkey: await getPasskey(asked.passkey ?? {}) };
  });
  return (
    <dialog ref={box} className="dialog" aria-label={t('stepup.title')} onCancel={(e) => { e.preventDefault(); waiting.given_up(); }}>
      <form className="stack" onSubmit={submit}>
        <h2>{t('stepup.title')}</h2>
        <p>{t('stepup.help')}</p>
        <label>{t('login.password')}<input name="password" type="password" autoComplete="current-password" /></label>
        <label>{t('stepup.code')}<input name="code" inputMode="numeric" autoComplete="one-time-code" /></label>
        {error ? <p role="alert" className="error-text">{error}</p> : null}
        <p className="row">
          <button type="submit" className="button strong">{t('verb.confirm')}</button>
          {passkeysHere() ? <button type="button" className="button" onClick={() => { void passkey(); }}>{t('stepup.passkey')}</button> : null}
          <button type="button" className="button" onClick={waiting.given_up}>{t('verb.cancel')}</button>
        </p>
      </form>
    </dialog>
  );
}
