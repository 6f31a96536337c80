// Portal: the answer of a verification: the verdict by word, shape and frame, as of when, what is
// shown with the purpose across it, what it means and what to do.
import { useEffect, useRef } from 'react';
import { useLicenceTypes, type Verification } from '../../../api/licences';
import { useFieldWords, useGrade, useValidity, Watermarked } from '../../../components/Licence';
import { Mark } from '../../../components/Marks';
import { useI18n } from '../../../i18n';
import { verdictLook } from '../../../lib/licences';
import { dateTimeSeconds } from '../../../lib/time';

export function Answer({ answer, onAgain }: { answer: Verification; onAgain: () => void }) {
  const { t, w } = useI18n();
  const validity = useValidity();
  const grade = useGrade();
  const head = useRef<HTMLElement>(null);
  useEffect(() => { head.current?.focus(); }, []);
  const look = verdictLook[answer.verdict];
  // The code of the type stands inside the identifier (GB/T 36904): it leads to the words of a choice.
  const { types } = useLicenceTypes();
  const type = [...types.values()].find((known) => answer.identifier?.includes(`.${known.code}.`));
  const words = useFieldWords(type);
  return (
    <section className="card stack" aria-labelledby="result" tabIndex={-1} ref={head}>
      <h2 id="result">{t('verify.result')}</h2>
      <div className={`verdict ${look.tone}`} role="status" data-verdict={answer.verdict}>
        <Mark shape={look.shape} fill={look.colour} size={44} />
        <div>
          <p className="word">{t(`lic.verdict_${answer.verdict}`)}</p>
          <p className="muted small">{t('verify.as_of', { time: dateTimeSeconds(answer.as_of) })}</p>
        </div>
      </div>
      {answer.title ? (
        <dl className="facts">
          <dt>{t('lic.type')}</dt><dd>{w(answer.title)}</dd>
          <dt>{t('lic.issuer')}</dt><dd>{w(answer.issuer)}</dd>
          <dt>{t('lic.validity')}</dt><dd>{validity(answer.valid_from, answer.valid_to)}</dd>
          {answer.grade ? <><dt>{t('lic.grade')}</dt><dd>{grade(answer.grade)}</dd></> : null}
          <dt>{t('lic.identifier')}</dt><dd><code className="licence-code">{answer.identifier}</code></dd>
        </dl>
      ) : null}
      {answer.fields.length ? (
        <>
          <h3>{t('verify.shown')}</h3>
          <Watermarked text={w(answer.watermark)}>
            <dl className="facts">
              {answer.fields.map((f) => <Shown key={f.name} title={w(f.title)} value={words.value(f.name, f.value)} />)}
            </dl>
          </Watermarked>
          <p className="small"><strong>{w(answer.watermark)}</strong></p>
        </>
      ) : <p className="muted">{t('verify.nothing_shown')}</p>}
      <h3>{t('verify.what_now')}</h3>
      <p>{t(`verify.mean_${answer.verdict}`)}</p>
      <h3>{t('verify.do_now')}</h3>
      <p>{t(`verify.do_${answer.verdict}`)}</p>
      <p><button type="button" className="button strong" onClick={onAgain}>{t('verify.again')}</button></p>
    </section>
  );
}

function Shown({ title, value }: { title: string; value: string }) {
  return <><dt>{title}</dt><dd><strong>{value}</strong></dd></>;
}
