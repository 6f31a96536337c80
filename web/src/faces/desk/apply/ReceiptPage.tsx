// Desk, on behalf: the receipt to print and hand over: number, check code, what happens next.
import { Link } from 'react-router';
import type { Receipt } from '../../../api/applications';
import { PageHead } from '../../../components/PageHead';
import { useI18n } from '../../../i18n';
import { useOrganisations } from '../../../lib/organisations';
import { date, dateTime, lastMoment } from '../../../lib/time';

export function ReceiptPage({ receipt: { application: a, check, parts }, onNext }: { receipt: Receipt; onNext: () => void }) {
  const { t, w } = useI18n();
  const nameOf = useOrganisations();
  return (
    <>
      <PageHead title={t('counter.receipt')} sub={<span role="status">{t('counter.handed_in')}</span>} />
      <section className="card receipt" aria-label={t('counter.receipt')}>
        <h2>{t('counter.receipt_of', { title: w(a.title) })}</h2>
        <dl className="facts">
          <dt>{t('intake.number')}</dt><dd className="receipt-number">{a.number}</dd>
          <dt>{t('counter.check')}</dt><dd className="receipt-number">{check}</dd>
          <dt>{t('intake.applicant')}</dt><dd>{a.applicant.name} {a.applicant.number}</dd>
          <dt>{t('intake.submitted')}</dt><dd>{dateTime(a.submitted_at)}</dd>
          <dt>{t('counter.received_by')}</dt><dd>{nameOf(a.organisation)}</dd>
          {a.due ? <><dt>{t('counter.answer_by')}</dt><dd>{date(lastMoment(a.due.due))}</dd></> : null}
          {parts.length ? <><dt>{t('matter.parts')}</dt><dd><ul className="plain-list">{parts.map((p) => <li key={p.id}>{w(p.title)} <code>{p.number}</code></li>)}</ul></dd></> : null}
        </dl>
        <p>{t('counter.next')}</p>
      </section>
      <p className="row no-print">
        <button type="button" className="button strong" onClick={() => window.print()}>{t('counter.print')}</button>
        <Link className="button" to={`/desk/applications/${encodeURIComponent(a.id)}`}>{t('counter.open')}</Link>
        <button type="button" className="button" onClick={onNext}>{t('counter.another')}</button>
      </p>
    </>
  );
}
