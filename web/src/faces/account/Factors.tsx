// Account: second factors: enrolled, named, removed; the recovery codes that come with them.
import { useState, type FormEvent } from 'react';
import { ApiError, send } from '../../api/client';
import type { AccountSecurity, Challenge, Enrolled, NewTotp } from '../../api/types';
import { useI18n } from '../../i18n';
import { saveFile } from '../../lib/csv';
import { createPasskey, passkeysHere } from '../../lib/passkey';
import { dateTime } from '../../lib/time';
import type { useStepUp } from '../../shell/StepUp';

interface Props { security: AccountSecurity; stepUp: ReturnType<typeof useStepUp>; onChanged: () => Promise<void> }
type Factor = AccountSecurity['factors'][number];

export function Factors({ security, stepUp, onChanged }: Props) {
  const { t, lang } = useI18n();
  const [totp, setTotp] = useState<NewTotp | null>(null);
  const [codes, setCodes] = useState<string[]>([]);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const run = async (work: () => Promise<void>) => {
    setError(null);
    setBusy(true);
    try {
      await work();
    } catch (e) {
      if (e instanceof ApiError) setError([e.say(lang), ...e.problems.map((p) => p.words[lang])].join(' '));
      else setError(t('login.passkey_failed'));
    } finally {
      setBusy(false);
    }
  };
  const added = async (done: Enrolled) => {
    setTotp(null);
    if (done.recovery_codes.length) setCodes(done.recovery_codes);
    await onChanged();
  };
  const beginTotp = () => run(async () => {
    setTotp(await stepUp.attempt(() => send<NewTotp>('POST', '/account/factors/totp', { name: t('account.default_phone') })));
  });
  const confirmTotp = (code: string) => run(async () => {
    if (totp) await added(await stepUp.attempt(() => send<Enrolled>('POST', `/account/factors/totp/${totp.id}`, { code })));
  });
  const addPasskey = () => run(async () => {
    const asked = await stepUp.attempt(() => send<Challenge>('POST', '/account/factors/passkey', {}));
    const made = await createPasskey(asked.passkey ?? {});
    await added(await send<Enrolled>('PUT', '/account/factors/passkey', { ticket: asked.ticket, name: t('account.default_passkey'), passkey: made }));
  });
  const rename = (f: Factor, name: string) => run(async () => {
    await send('PATCH', `/account/factors/${f.id}`, { name });
    await onChanged();
  });
  const remove = (f: Factor) => {
    if (!confirm(t('account.remove_ask', { name: f.name }))) return;
    void run(async () => {
      await stepUp.attempt(() => send('DELETE', `/account/factors/${f.id}`));
      await onChanged();
    });
  };
  const renew = () => run(async () => {
    const fresh = await stepUp.attempt(() => send<{ recovery_codes: string[] }>('POST', '/account/recovery-codes', {}));
    setCodes(fresh.recovery_codes);
    await onChanged();
  });
  const canPasskey = security.passkeys && passkeysHere();
  return (
    <>
      <section className="card stack" aria-labelledby="account-factors">
        <h2 id="account-factors">{t('account.factors')}</h2>
        <p className="muted">{t('account.factors_help')}</p>
        {error ? <p role="alert" className="error-text">{error}</p> : null}
        {security.factors.length ? (
          <ul className="factors">
            {security.factors.map((f) => <FactorLine key={f.id} factor={f} onRename={(name) => { void rename(f, name); }} onRemove={() => remove(f)} />)}
          </ul>
        ) : <p>{t('account.factors_none')}</p>}
        {totp ? <TotpSetup totp={totp} busy={busy} onConfirm={(code) => { void confirmTotp(code); }} onCancel={() => setTotp(null)} /> : (
          <p className="row">
            <button type="button" className="button" disabled={busy} onClick={() => { void beginTotp(); }}>{t('account.add_totp')}</button>
            {canPasskey ? <button type="button" className="button" disabled={busy} onClick={() => { void addPasskey(); }}>{t('account.add_passkey')}</button> : null}
          </p>
        )}
        {canPasskey ? null : <p className="muted">{t('account.passkey_none')}</p>}
      </section>
      {security.factors.length || codes.length ? (
        <section className="card stack" aria-labelledby="account-recovery">
          <h2 id="account-recovery">{t('account.recovery')}</h2>
          <p>{t('account.recovery_help')} {t('account.recovery_left', { n: security.recovery_left })}</p>
          {codes.length ? <Codes codes={codes} onKept={() => setCodes([])} /> : <p className="row"><button type="button" className="button" disabled={busy} onClick={() => { void renew(); }}>{t('account.recovery_new')}</button></p>}
        </section>
      ) : null}
    </>
  );
}

function FactorLine({ factor, onRename, onRemove }: { factor: Factor; onRename: (name: string) => void; onRemove: () => void }) {
  const { t } = useI18n();
  const [naming, setNaming] = useState(false);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get('name') ?? '').trim();
    if (name) onRename(name);
    setNaming(false);
  };
  const used = factor.last_used ? t('account.last_used', { time: dateTime(factor.last_used) }) : t('account.never_used');
  return (
    <li>
      {naming ? (
        <form className="row fields" onSubmit={submit}>
          <label>{t('account.factor_name')}<input name="name" defaultValue={factor.name} maxLength={64} required autoFocus /></label>
          <button type="submit" className="button">{t('verb.save')}</button>
        </form>
      ) : (
        <>
          <span><strong>{factor.name}</strong> <span className="tag plain">{t(`account.kind_${factor.kind}`)}</span> <span className="muted">{used}</span></span>
          <span className="row">
            <button type="button" className="button" aria-label={`${t('account.rename')} ${factor.name}`} onClick={() => setNaming(true)}>{t('account.rename')}</button>
            <button type="button" className="button" aria-label={`${t('account.remove')} ${factor.name}`} onClick={onRemove}>{t('account.remove')}</button>
          </span>
        </>
      )}
    </li>
  );
}

function TotpSetup({ totp, busy, onConfirm, onCancel }: { totp: NewTotp; busy: boolean; onConfirm: (code: string) => void; onCancel: () => void }) {
  const { t } = useI18n();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onConfirm(String(new FormData(event.currentTarget).get('code') ?? '').trim());
  };
  return (
    <form className="stack fields totp" onSubmit={submit}>
      <p>{t('account.totp_scan')}</p>
      <img src={`data:image/svg+xml;utf8,${encodeURIComponent(totp.qr)}`} alt={t('account.totp_qr')} width="220" height="220" />
      <p>{t('account.totp_secret')}: <code className="secret" data-secret>{totp.secret}</code></p>
      <p><a href={totp.uri}>{t('account.totp_open')}</a></p>
      <label>{t('account.code')}<input name="code" inputMode="numeric" autoComplete="one-time-code" required autoFocus /></label>
      <p className="row">
        <button type="submit" className="button strong" disabled={busy}>{t('account.confirm')}</button>
        <button type="button" className="button" onClick={onCancel}>{t('verb.cancel')}</button>
      </p>
    </form>
  );
}

function Codes({ codes, onKept }: { codes: string[]; onKept: () => void }) {
  const { t } = useI18n();
  return (
    <div className="stack" role="status">
      <p><strong>{t('account.recovery_shown_once')}</strong></p>
      <ol className="codes">{codes.map((code) => <li key={code}><code>{code}</code></li>)}</ol>
      <p className="row">
        <button type="button" className="button" onClick={() => saveFile('jicheng-recovery-codes.txt', codes.join('\r\n'))}>{t('account.recovery_file')}</button>
        <button type="button" className="button strong" onClick={onKept}>{t('account.recovery_kept')}</button>
      </p>
    </div>
  );
}
