// Portal: guidance (情形引导): one question a page, the answers so far above it, and at the end what
// fits: this item with what is settled, another item, or why nothing is needed. The path stands in
// the address, so that it survives signing in and the browser's way back.
import { useState, type FormEvent } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearchParams } from 'react-router';
import type { ApiError } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import { itemPath, judgeItem, type Answers, type Item, type Judged, type Question } from '../../../api/items';
import { FormAnswers, money, readForm } from '../../../components/form';
import { PageHead } from '../../../components/PageHead';
import { Skeleton } from '../../../components/Skeleton';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { readPath, walkGuidance, writePath, type Walked } from '../../../lib/services';
import { Begin } from './Begin';
import { MaterialList } from './Materials';
import { ItemLink } from './ServicePage';

function Ask({ question, n, onAnswer }: { question: Question; n: number; onAnswer: (option: number) => void }) {
  const { t, w } = useI18n();
  const [chosen, setChosen] = useState<number | null>(null);
  const [tried, setTried] = useState(false);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setTried(true);
    if (chosen !== null) return onAnswer(chosen);
    event.currentTarget.querySelector('input')?.focus();
  };
  const wrong = tried && chosen === null;
  return (
    <form className="card stack" noValidate onSubmit={submit}>
      <p className="muted small">{t('guide.step', { n })}</p>
      <fieldset className={wrong ? 'input form-field faulty' : 'input form-field'} aria-describedby={wrong ? 'guide-fault' : undefined}>
        <legend><h2>{w(question.ask)}</h2></legend>
        {wrong ? <p id="guide-fault" role="alert" className="error-text">{t('guide.choose')}</p> : null}
        <div className="pick">
          {question.options.map((o, i) => <label key={i} className={chosen === i ? 'chosen' : undefined}><input type="radio" name="option" value={i} checked={chosen === i} onChange={() => setChosen(i)} /><span>{w(o.title)}</span></label>)}
        </div>
      </fieldset>
      <p><button type="submit" className="button strong">{t('party.next')}</button></p>
    </form>
  );
}

/** What fits: the settled answers, what is needed for them, and the way to begin. */
function Fits({ item, sets }: { item: Item; sets: Answers }) {
  const { t } = useI18n();
  const query = useQuery<Judged, ApiError>({ queryKey: ['judge', item.item, item.version, sets], queryFn: () => judgeItem(item.item, sets, false) });
  const form = readForm(item.content.form);
  return (
    <>
      <section className="card stack" aria-labelledby="fits">
        <h2 id="fits">{t('guide.end')}</h2>
        {Object.keys(sets).length ? <><p>{t('guide.end_help')}</p><FormAnswers form={form} answers={sets} /></> : null}
        <h3>{t('guide.need')}</h3>
        {query.data ? (
          <>
            {query.data.materials.length ? <MaterialList materials={query.data.materials} /> : <p>{t('guide.need_none')}</p>}
            {query.data.fees_fen > 0 ? <p>{t('guide.fee', { money: money(query.data.fees_fen) })}</p> : null}
          </>
        ) : query.error ? <MaterialList materials={item.content.materials} /> : <Skeleton lines={3} />}
      </section>
      <Begin item={item} sets={sets} />
    </>
  );
}

function End({ item, walked }: { item: Item; walked: Walked }) {
  const { t, w } = useI18n();
  const { end } = walked;
  if (end.kind === 'begin') return <Fits item={item} sets={walked.sets} />;
  if (end.kind === 'item') return <section className="card stack"><h2>{t('guide.other')}</h2><p><ItemLink item={end.item} /></p></section>;
  return end.kind === 'stop' ? <section className="card stack" data-stop><h2>{t('guide.stop')}</h2><p>{w(end.words)}</p></section> : null;
}

function Wizard({ item }: { item: Item }) {
  const { t, w } = useI18n();
  const navigate = useNavigate();
  const [params] = useSearchParams();
  const path = readPath(params.get('path') ?? '');
  const here = `/services/${encodeURIComponent(item.item)}/guide`;
  const walked = walkGuidance(item.content.guidance, path);
  const to = (next: number[]) => (next.length ? `${here}?path=${writePath(next)}` : here);
  if (item.content.guidance.length === 0) return <p>{t('guide.none')}</p>;
  return (
    <>
      {walked.taken.length ? (
        <section className="card" aria-labelledby="so-far">
          <h2 id="so-far">{t('guide.so_far')}</h2>
          <dl className="answers">
            {walked.taken.map(({ question, choice }, i) => (
              <div key={question.name}><dt>{w(question.ask)}</dt><dd>{w(choice.title)}</dd><dd><Link to={to(path.slice(0, i))} aria-label={`${t('party.change')} ${w(question.ask)}`}>{t('party.change')}</Link></dd></div>
            ))}
          </dl>
        </section>
      ) : null}
      {walked.end.kind === 'ask' ? <Ask key={walked.end.question.name} question={walked.end.question} n={walked.taken.length + 1} onAnswer={(option) => { void navigate(to([...path.slice(0, walked.taken.length), option])); }} /> : <End item={item} walked={walked} />}
      {walked.taken.length ? <p className="row"><Link to={to(path.slice(0, walked.taken.length - 1))}>← {t('party.back')}</Link> <Link to={here}>{t('guide.again')}</Link></p> : null}
    </>
  );
}

export default function Guide() {
  const { t, w } = useI18n();
  const { item = '' } = useParams();
  const query = useApi<Item>(itemPath(item));
  const title = w(query.data?.content.title);
  return (
    <div className="one-thing">
      <PageHead title={t('guide.title')} sub={title} back={{ to: `/services/${encodeURIComponent(item)}`, text: title || t('svc.title') }} />
      <View query={query}>{(d) => <Wizard item={d} />}</View>
    </div>
  );
}
