// Portal: an application as a card: where it stands, how far it is, what is wanted of me.
import { Link } from 'react-router';
import type { Application } from '../../../api/applications';
import { Light } from '../../../components/Light';
import { ApplicationStateTag, PartsLine, ProgressLine } from '../../../components/Service';
import { useI18n } from '../../../i18n';
import { dateTime } from '../../../lib/time';

export function ApplicationCard({ application, department }: { application: Application; department: string }) {
  const { t, w } = useI18n();
  const a = application;
  return (
    <li>
      <Link className="card service-card" to={`/portal/applications/${encodeURIComponent(a.id)}`} data-application={a.number}>
        <h3>{w(a.title)}</h3>
        <p><ApplicationStateTag application={a} />{a.state === 'correction' ? <strong className="over"> {t('app.must_correct')}</strong> : null}{a.state !== 'withdrawn' && a.decided_at && a.rating === null ? <span> {t('app.may_rate')}</span> : null}</p>
        <ProgressLine application={a} />
        <PartsLine application={a} />
        {a.due ? <p className="small"><Light left={a.due} /></p> : null}
        <p className="muted small">{a.number} · {department} · {t('app.submitted_at', { time: dateTime(a.submitted_at) })}{a.part_of ? ` · ${t('app.part_of', { number: a.part_of })}` : ''}</p>
      </Link>
    </li>
  );
}
