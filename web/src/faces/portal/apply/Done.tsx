// Portal, applying: the confirmation: number, check code, what happens next, the receipt.
import { useEffect, useRef } from 'react';
import { Link } from 'react-router';
import { applicationPath, letterAddress, type ApplicationFile, type Receipt } from '../../../api/applications';
import { useApi } from '../../../api/hooks';
import { PageHead } from '../../../components/PageHead';
import { useI18n } from '../../../i18n';
import { date, lastMoment } from '../../../lib/time';

const ASK_AGAIN_MS = 2_500;

export function Done({ receipt }: { receipt: Receipt }) {
  const { t, w } = useI18n();
  const { application, check, parts } = receipt;
  const box = useRef<HTMLDivElement>(null);
  const file = useApi<ApplicationFile>(applicationPath(application.id), undefined, { every: ASK_AGAIN_MS });
  const letter = file.data?.letters.find((l) => l.kind === 'receipt' && l.file);
  useEffect(() => { box.current?.focus(); }, []);
  const due = application.due;
  return (
    <>
      <PageHead title={t('apply.done')} sub={w(application.title)} />
      <section className="card stack">
        <div ref={box} className="confirmed" role="status" tabIndex={-1} data-receipt>
          <p>{t('apply.done_number')}: <code data-number>{application.number}</code></p>
          <p>{t('apply.done_check')}: <code data-check>{check}</code></p>
        </div>
        <p className="muted small">{t('apply.done_check_help')}</p>
        <h2>{t('apply.done_next')}</h2>
        <ol>
          <li>{due ? t('apply.done_next_1', { day: date(lastMoment(due.due)) }) : t('apply.done_next_1_open')}</li>
          <li>{t('apply.done_next_2')}</li>
          <li>{t('apply.done_next_3')}</li>
        </ol>
        {parts.length ? <><h2>{t('apply.done_parts')}</h2><ul>{parts.map((p) => <li key={p.id}>{w(p.title)} · <code>{p.number}</code></li>)}</ul></> : null}
        <p className="row no-print">
          {letter?.file ? <a className="button strong" href={letterAddress(application.id, letter.file)} download>{t('apply.done_receipt')}</a> : <span className="muted small" role="status">{t('apply.done_receipt_soon')}</span>}
          <Link className="button" to={`/portal/applications/${encodeURIComponent(application.id)}`}>{t('apply.done_open')}</Link>
          <button type="button" className="button" onClick={() => print()}>{t('apply.print')}</button>
        </p>
      </section>
    </>
  );
}
