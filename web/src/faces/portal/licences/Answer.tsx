// Portal: the answer of a verification: what was found, what it means and what to do.
import { useEffect, useRef } from 'react';
import type { Verification } from '../../../api/licences';
import { Verified } from '../../../components/Verified';
import { useI18n } from '../../../i18n';

export function Answer({ answer, onAgain }: { answer: Verification; onAgain: () => void }) {
  const { t } = useI18n();
  const head = useRef<HTMLElement>(null);
  useEffect(() => { head.current?.focus(); }, []);
  return (
    <section className="card stack" aria-labelledby="result" tabIndex={-1} ref={head}>
      <h2 id="result">{t('verify.result')}</h2>
      <Verified answer={answer} shown={t('verify.shown')} />
      <h3>{t('verify.what_now')}</h3>
      <p>{t(`verify.mean_${answer.verdict}`)}</p>
      <h3>{t('verify.do_now')}</h3>
      <p>{t(`verify.do_${answer.verdict}`)}</p>
      <p><button type="button" className="button strong" onClick={onAgain}>{t('verify.again')}</button></p>
    </section>
  );
}
