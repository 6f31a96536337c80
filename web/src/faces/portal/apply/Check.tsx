// Portal, applying: check your answers: every one with the way back to it, papers, delivery, fees.
import { Link } from 'react-router';
import type { Draft, WantedDelivery } from '../../../api/applications';
import type { Answers } from '../../../api/items';
import { FormAnswers, money, type ReadForm } from '../../../components/form';
import { useI18n } from '../../../i18n';
import { DELIVERY, MATERIALS, type ApplyPage } from '../../../lib/apply';

interface Props { draft: Draft; form: ReadForm; answers: Answers; wanted: WantedDelivery | null; following: readonly string[]; pages: readonly ApplyPage[]; to: (page: string, control?: string) => string }

export function CheckAnswers({ draft, form, answers, wanted, following, pages, to }: Props) {
  const { t, w } = useI18n();
  const change = (page: string, control: string, what: string) => <Link to={to(page, control)} aria-label={`${t('party.change')} ${what}`}>{t('party.change')}</Link>;
  return (
    <>
      <p>{t('apply.check_help')}</p>
      {pages.filter((p) => p.step).map((p) => (
        <section key={p.name} aria-labelledby={`check-${p.name}`}>
          <h2 id={`check-${p.name}`}>{w(p.step?.title)}</h2>
          <FormAnswers form={form} only={p.step?.fields.map((f) => f.name)} answers={answers} all action={(f) => change(p.name, `field-${f.name}`, w(f.title))} />
        </section>
      ))}
      {draft.materials.length ? (
        <section aria-labelledby="check-materials">
          <h2 id="check-materials">{t('apply.materials')}</h2>
          <dl className="answers">
            {draft.materials.map((m) => (
              <div key={m.name}>
                <dt>{w(m.title)}</dt>
                <dd>{m.answered_by ? <span className="city-has">{t('apply.m_have', { what: w(m.answered_by[1]) })}</span> : m.files.length ? m.files.map((f) => f.name).join('、') : following.includes(m.name) ? t('apply.m_following') : m.required ? <span className="error-text">{t(m.may_follow ? 'apply.m_missing_follow' : 'apply.m_missing', { title: w(m.title) })}</span> : t('apply.m_none')}</dd>
                <dd>{m.answered_by ? null : change(MATERIALS, `material-${m.name}`, w(m.title))}</dd>
              </div>
            ))}
          </dl>
        </section>
      ) : null}
      {pages.some((p) => p.kind === 'delivery') ? (
        <section aria-labelledby="check-delivery">
          <h2 id="check-delivery">{t('apply.delivery')}</h2>
          <dl className="answers"><div><dt>{t('svc.delivery')}</dt><dd>{wanted ? t(`svc.way_${wanted.way}`) : t('party.not_given')}{wanted?.address ? <><br />{wanted.address.name} {wanted.address.mobile}<br />{wanted.address.address}</> : null}</dd><dd>{change(DELIVERY, 'delivery', t('svc.delivery'))}</dd></div></dl>
        </section>
      ) : null}
      <dl className="answers">
        <div><dt>{t('app.applicant')}</dt><dd>{draft.applicant.name} {draft.applicant.number}{draft.applicant.agent ? t('apply.agent', { name: draft.applicant.agent }) : ''}</dd><dd /></div>
        <div><dt>{t('apply.fee')}</dt><dd>{draft.fees_fen > 0 ? t('apply.fee_sum', { money: money(draft.fees_fen) }) : t('apply.fee_none')}</dd><dd /></div>
      </dl>
      <p>{t('apply.promise')}</p>
    </>
  );
}
