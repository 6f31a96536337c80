// Component: what a verification found: the verdict by word, shape and frame, as of when, and what is
// shown with the purpose across it.
import { useLicenceTypes, type Verification } from '../api/licences';
import { useI18n } from '../i18n';
import { verdictLook } from '../lib/licences';
import { dateTimeSeconds } from '../lib/time';
import { useFieldWords, useGrade, useValidity, Watermarked } from './Licence';
import { Mark } from './Marks';

/** `shown` heads the content: whoever shows it agreed to, or an office used it. */
export function Verified({ answer, shown }: { answer: Verification; shown: string }) {
  const { t, w } = useI18n();
  const validity = useValidity();
  const grade = useGrade();
  const look = verdictLook[answer.verdict];
  // The code of the type stands inside the identifier (GB/T 36904): it leads to the words of a choice.
  const { types } = useLicenceTypes();
  const type = [...types.values()].find((known) => answer.identifier?.includes(`.${known.code}.`));
  const words = useFieldWords(type);
  return (
    <>
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
          <h3>{shown}</h3>
          <Watermarked text={w(answer.watermark)}>
            <dl className="facts">
              {answer.fields.map((f) => <Shown key={f.name} title={w(f.title)} value={words.value(f.name, f.value)} />)}
            </dl>
          </Watermarked>
          <p className="small"><strong>{w(answer.watermark)}</strong></p>
        </>
      ) : <p className="muted">{t('verify.nothing_shown')}</p>}
    </>
  );
}

function Shown({ title, value }: { title: string; value: string }) {
  return <><dt>{title}</dt><dd><strong>{value}</strong></dd></>;
}
