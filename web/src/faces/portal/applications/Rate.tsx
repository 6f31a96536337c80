// Portal: rating a service (好差评): five faces with words, what stood out, a text; then the answer of
// the department.
import { useRef, useState, type FormEvent } from 'react';
import { actOwn, type Application, type Rating } from '../../../api/applications';
import { FormFault, useAct } from '../../../components/Inputs';
import { useI18n, type Key } from '../../../i18n';
import { apply } from '../../../i18n/texts/apply';
import { pointsFor } from '../../../lib/services';
import { date, dateTime, lastMoment } from '../../../lib/time';

const MARKS = [5, 4, 3, 2, 1] as const;
/** Mouths of the faces, from very dissatisfied to very satisfied. */
const MOUTHS = ['M12 27q8-9 16 0', 'M13 26q7-5 14 0', 'M13 25h14', 'M13 24q7 5 14 0', 'M12 23q8 9 16 0'] as const;

export function MarkFace({ mark }: { mark: number }) {
  return <svg viewBox="0 0 40 40" width="40" height="40" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="2.5" strokeLinecap="round"><circle cx="20" cy="20" r="17" /><path d="M14 15v1.5M26 15v1.5" strokeWidth="3.5" /><path d={MOUTHS[mark - 1] ?? MOUTHS[2]} /></svg>;
}

export const pointKey = (point: string): Key | null => (Object.hasOwn(apply, `app.point_${point}`) ? (`app.point_${point}` as Key) : null);

export function RateForm({ application, onDone }: { application: Application; onDone: () => void }) {
  const { t } = useI18n();
  const act = useAct();
  const form = useRef<HTMLFormElement>(null);
  const [mark, setMark] = useState(0);
  const [about, setAbout] = useState<string[]>([]);
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState(false);
  const points = pointsFor(mark);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setWrong(mark === 0);
    if (mark === 0) { form.current?.querySelector('input')?.focus(); return; }
    const done = await act.run(() => actOwn(application, { verb: 'rate', mark, about: about.filter((a) => points.some((p) => p === a)), text: text.trim() }));
    if (done) onDone();
  };
  return (
    <form ref={form} className="card stack" noValidate aria-labelledby="rate" onSubmit={(e) => { void submit(e); }} data-rate>
      <h2 id="rate">{t('app.rate')}</h2>
      <p className="muted">{t('app.rate_help')}</p>
      <FormFault error={act.error} />
      <fieldset className="marks" aria-describedby={wrong ? 'rate-fault' : undefined}>
        <legend className="hidden">{t('app.rate')}</legend>
        {wrong ? <p id="rate-fault" role="alert" className="error-text">{t('app.rate_need')}</p> : null}
        {MARKS.map((m) => <label key={m} className={mark === m ? 'chosen' : undefined}><input type="radio" name="mark" value={m} checked={mark === m} onChange={() => { setMark(m); setWrong(false); }} /><MarkFace mark={m} /><span>{t(`app.mark_${m}`)}</span></label>)}
      </fieldset>
      {points.length ? (
        <fieldset className="checks"><legend>{t('app.rate_about')}</legend>
          {points.map((p) => <label key={p}><input type="checkbox" name={`point-${p}`} checked={about.includes(p)} onChange={(e) => setAbout(e.target.checked ? [...about, p] : about.filter((a) => a !== p))} /><span>{t(`app.point_${p}`)}</span></label>)}
        </fieldset>
      ) : null}
      <div className="input"><label htmlFor="rate-text">{t('app.rate_text')}</label><textarea id="rate-text" name="text" rows={3} maxLength={500} value={text} onChange={(e) => setText(e.target.value)} /></div>
      <p><button type="submit" className="button strong" disabled={act.busy}>{t('app.rate_send')}</button></p>
    </form>
  );
}

export function RatingShown({ rating }: { rating: Rating }) {
  const { t } = useI18n();
  return (
    <section className="card stack" aria-labelledby="rated" data-rated>
      <h2 id="rated">{t('app.rated')}</h2>
      <p className="row"><MarkFace mark={rating.mark} /> <strong>{t(`app.mark_${rating.mark}` as Key)}</strong> <span className="muted small">{dateTime(rating.at)}</span></p>
      {rating.about.length ? <p>{rating.about.map((a) => { const key = pointKey(a); return key ? t(key) : a; }).join('、')}</p> : null}
      {rating.text ? <p>{rating.text}</p> : null}
      {rating.answer ? <><h3>{t('app.rate_answer')}</h3><p>{rating.answer}</p><p className="muted small">{dateTime(rating.answered_at)}{rating.visited ? ` · ${t('app.rate_visited')}` : ''}</p></> : rating.answer_due ? <p role="status">{t('app.rate_due', { day: date(lastMoment(rating.answer_due)) })}</p> : null}
    </section>
  );
}
