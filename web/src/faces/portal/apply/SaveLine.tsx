// Portal, applying: what became of saving, said at every step; and, where two changed one answer,
// both of them to choose from.
import { useState, type FormEvent } from 'react';
import { Link, useLocation } from 'react-router';
import { sayAnswer, type ReadForm } from '../../../components/form';
import { useI18n } from '../../../i18n';
import type { DraftQueue } from '../../../lib/draft';
import { clock } from '../../../lib/time';

export function SaveLine({ queue }: { queue: DraftQueue }) {
  const { t, lang } = useI18n();
  const { pathname, search } = useLocation();
  const { state } = queue;
  const retry = <button type="button" className="link" onClick={() => { void queue.flush(); }}>{t('apply.retry_now')}</button>;
  const bad = state.is === 'offline' || state.is === 'signed_out' || state.is === 'refused';
  return (
    <p className={bad ? 'save-line stale' : 'save-line muted small'} role="status" data-save={state.is}>
      {state.is === 'saved' ? <>✓ {t('apply.saved', { time: clock(queue.draft.saved_at) })}</> : null}
      {state.is === 'typing' ? t('apply.typing') : null}
      {state.is === 'saving' ? t('apply.saving') : null}
      {state.is === 'offline' ? <>{t('apply.save_offline')} {retry}</> : null}
      {state.is === 'signed_out' ? <>{t('apply.save_signed_out')} <Link to={`/sign-in?then=${encodeURIComponent(pathname + search)}`}>{t('app.sign_in')}</Link></> : null}
      {state.is === 'refused' ? <>{t('apply.save_refused', { why: [state.error.say(lang), ...state.error.problems.map((p) => p.words[lang])].join(' ') })} {retry}</> : null}
      {state.is === 'conflict' ? t('apply.conflict') : null}
    </p>
  );
}

export function ConflictBox({ queue, form }: { queue: DraftQueue; form: ReadForm }) {
  const { t, w, lang } = useI18n();
  const [choice, setChoice] = useState<Record<string, 'mine' | 'theirs'>>({});
  const { state } = queue;
  if (state.is !== 'conflict') return null;
  const words = { yes: t('word.yes'), no: t('word.no'), none: t('party.not_given') };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const whole = Object.fromEntries(state.fields.map((f) => [f.name, choice[f.name] ?? 'mine']));
    setChoice({});
    void queue.decide(whole);
  };
  return (
    <form className="card stack error-box conflict" role="alert" onSubmit={submit}>
      <h2>{t('apply.conflict')}</h2>
      <p>{t('apply.conflict_help')}</p>
      {state.fields.map((f) => {
        const field = form.fields.find((x) => x.name === f.name);
        const option = (who: 'mine' | 'theirs') => (
          <label className={(choice[f.name] ?? 'mine') === who ? 'chosen' : undefined}>
            <input type="radio" name={`conflict-${f.name}`} checked={(choice[f.name] ?? 'mine') === who} onChange={() => setChoice({ ...choice, [f.name]: who })} />
            <span>{t(who === 'mine' ? 'apply.conflict_mine' : 'apply.conflict_theirs', { value: sayAnswer(field, f[who], lang, words) })}</span>
          </label>
        );
        return <fieldset key={f.name} className="input form-field"><legend>{field ? w(field.title) : f.name}</legend><div className="pick">{option('mine')}{option('theirs')}</div></fieldset>;
      })}
      <p><button type="submit" className="button strong">{t('apply.conflict_decide')}</button></p>
    </form>
  );
}
