// Component: every state of a question to the server: loading, empty, failed, not allowed, not
// signed in, stale. A page hands its query and says what to draw when there is an answer.
import type { ReactNode } from 'react';
import { Link, useLocation } from 'react-router';
import type { UseQueryResult } from '@tanstack/react-query';
import { ApiError } from '../api/client';
import { useI18n } from '../i18n';
import { useSession } from '../shell/session';
import { dateTime } from '../lib/time';
import { Skeleton } from './Skeleton';

interface Props<T> {
  query: UseQueryResult<T, ApiError>;
  children: (data: T) => ReactNode;
  /** True when the answer holds nothing. */
  empty?: (data: T) => boolean;
  /** What to do then. */
  emptyText?: ReactNode;
  lines?: number;
}

export function View<T>({ query, children, empty, emptyText, lines }: Props<T>) {
  const { t, lang } = useI18n();
  const { data, error } = query;
  const retry = () => { void query.refetch(); };
  if (data === undefined) {
    return error ? <Failure error={error} retry={retry} /> : <Skeleton lines={lines} />;
  }
  const stale = error ? (
    <p className="stale" role="status">
      {t('state.stale', { time: dateTime(query.dataUpdatedAt), why: error.say(lang) })}{' '}
      <button type="button" className="link" onClick={retry}>{t('state.retry')}</button>
    </p>
  ) : null;
  if (empty?.(data)) return <>{stale}<Empty text={emptyText} /></>;
  return <>{stale}{children(data)}</>;
}

export function Empty({ text }: { text?: ReactNode }) {
  const { t } = useI18n();
  return (
    <div className="state empty">
      <p><strong>{t('state.empty')}</strong></p>
      {text ? <p>{text}</p> : null}
    </div>
  );
}

/** A failed question: code, what failed, a way on. */
export function Failure({ error, retry }: { error: ApiError; retry?: () => void }) {
  const { t, lang } = useI18n();
  const { session } = useSession();
  const { pathname, search } = useLocation();
  if (error.status === 401 || (error.status === 403 && session === null)) {
    return (
      <div className="state">
        <h2>{t('state.sign_in')}</h2>
        <p>{t('state.sign_in_help')}</p>
        <p><Link className="button strong" to={`/sign-in?then=${encodeURIComponent(pathname + search)}`}>{t('app.sign_in')}</Link></p>
      </div>
    );
  }
  if (error.status === 403) {
    return (
      <div className="state" role="alert">
        <h2>{t('state.denied')}</h2>
        <p>{error.say(lang)}</p>
        <p>{t('state.denied_ask')}</p>
        <p className="muted">{t('state.code', { code: error.code })}</p>
      </div>
    );
  }
  return (
    <div className="state" role="alert">
      <h2>{t('state.failed')}</h2>
      <p>{error.say(lang)}</p>
      {error.problems.length ? (
        <ul>{error.problems.map((p, i) => <li key={i}><code>{p.at}</code> {p.words[lang]}</li>)}</ul>
      ) : null}
      {error.retryAfterS ? <p>{t('state.retry_after', { s: error.retryAfterS })}</p> : null}
      <p className="muted">
        {t('state.code', { code: error.code })}
        {error.status > 0 ? <> · <a href={`/docs/errors/${error.code}`}>{t('state.code_help')}</a></> : null}
      </p>
      {retry ? <p><button type="button" className="button" onClick={retry}>{t('state.retry')}</button></p> : null}
    </div>
  );
}
