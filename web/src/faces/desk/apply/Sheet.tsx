// Desk, on behalf: the whole form on one sheet, saved while it is written, materials taken in, the way
// the result comes, handed in when nothing is missing.
import { useEffect, useMemo, useRef, useState } from 'react';
import type { Json } from '../../../api/cases';
import { ApiError, get } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import { discardDraft, draftPath, patchDraft, submitDraft, type Draft, type DraftChange, type Receipt, type WantedDelivery } from '../../../api/applications';
import { itemPath, type Answers, type Item } from '../../../api/items';
import { askedSteps, Fields, faultsOf, hints, placed, readForm, Summary, summaryOf, type Fault, type FieldFaults } from '../../../components/form';
import { FormFault, useAct } from '../../../components/Inputs';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { yuan } from '../../../lib/matter';
import { useNow } from '../../../lib/now';
import { makeSaver } from '../../../lib/saver';
import { clock, date } from '../../../lib/time';
import { DeliveryFields } from './DeliveryFields';
import { SheetMaterials } from './SheetMaterials';

interface Props { draft: Draft; onDone: (receipt: Receipt) => void; onLeave: () => void }

export function Sheet(props: Props) {
  const query = useApi<Item>(itemPath(props.draft.item), { version: props.draft.item_version });
  return <View query={query} lines={8}>{(item) => <Filled {...props} item={item} />}</View>;
}

/** By post only with the whole address: half of one is kept on the page. */
const isWhole = (d: WantedDelivery): boolean => d.way !== 'post' || Boolean(d.address?.name.trim() && d.address.mobile.trim() && d.address.address.trim());

/** Saves answers one after the other; what the server says comes back into the draft. */
function useSaving(first: Draft) {
  const [draft, setDraft] = useState(first);
  const [state, setState] = useState<'waiting' | 'saving' | 'saved' | 'failed'>('saved');
  const [error, setError] = useState<ApiError | null>(null);
  const version = useRef(first.version);
  const taken = (next: Draft) => { version.current = next.version; setDraft(next); };
  const saver = useMemo(() => makeSaver<DraftChange>(
    (a, b) => ({ ...a, ...b, answers: { ...a.answers, ...b.answers } }),
    async (change) => {
      try {
        taken(await patchDraft(first.id, change, version.current));
      } catch (e) {
        // Somebody else saved it meanwhile (another window): theirs is taken, ours put on top.
        if (!(e instanceof ApiError) || (e.status !== 409 && e.status !== 412)) throw e;
        taken(await get<Draft>(draftPath(first.id)));
        taken(await patchDraft(first.id, change, version.current));
      }
    },
    (next, e) => { setState(next); setError(e instanceof ApiError ? e : null); },
  ), [first.id]);
  useEffect(() => () => saver.stop(), [saver]);
  return { draft, state, error, saver, taken };
}

function Filled({ draft: begun, item, onDone, onLeave }: Props & { item: Item }) {
  const { t, w, lang } = useI18n();
  const { draft, state, error: saving, saver, taken } = useSaving(begun);
  const form = useMemo(() => readForm(item.content.form), [item]);
  const [answers, setAnswers] = useState<Answers>(begun.answers);
  const [delivery, setDelivery] = useState<WantedDelivery | null>(begun.delivery ?? (item.content.delivery[0] ? { way: item.content.delivery[0] } : null));
  const [tried, setTried] = useState(0);
  const { busy, error, run } = useAct();
  const today = date(useNow());
  const noAddress = tried > 0 && delivery !== null && !isWhole(delivery);
  const steps = askedSteps(form, answers);
  const shown = steps.flatMap((s) => s.fields);
  const told = placed([...(tried ? draft.problems : []), ...(error?.problems ?? [])], shown.map((f) => f.name), lang);
  const own = tried ? faultsOf(hints(form, answers, today), t) : {};
  const faults: FieldFaults = Object.fromEntries(shown.map((f) => [f.name, own[f.name] ?? told.fields[f.name] ?? []]));
  const lines: Fault[] = tried ? [...summaryOf(shown, faults, w), ...told.rest.map((p) => ({ text: p.words[lang] || p.words.zh, to: null })), ...(noAddress ? [{ text: t('counter.need_address'), to: null }] : [])] : [];
  const put = (name: string, value: Json) => {
    setAnswers((before) => ({ ...before, [name]: value }));
    saver.note({ answers: { [name]: value } });
  };
  const deliver = (next: WantedDelivery) => { setDelivery(next); if (isWhole(next)) saver.note({ delivery: next }); };
  // The first way is what most want; it counts from the start.
  useEffect(() => { if (delivery && !begun.delivery && isWhole(delivery)) saver.note({ delivery }); }, [saver]); // eslint-disable-line react-hooks/exhaustive-deps
  const refresh = async () => { if (await saver.flush()) taken(await get<Draft>(draftPath(begun.id))); };
  const submit = () => {
    setTried(tried + 1);
    if (hints(form, answers, today).size || (delivery && !isWhole(delivery))) return;
    void run(async () => {
      if (await saver.flush()) onDone(await submitDraft(begun.id));
    });
  };
  return (
    <form noValidate onSubmit={(e) => { e.preventDefault(); submit(); }} aria-label={w(draft.title)}>
      <section className="card">
        <h2>{w(draft.title)}</h2>
        <p>{t('counter.for', { name: draft.applicant.name, number: draft.applicant.number })} · {t(`desk_channel.${draft.channel}`)}</p>
        <p role="status" className={state === 'failed' ? 'error-text' : 'muted small'}>{state === 'failed' ? t('counter.not_saved', { why: saving?.say(lang) ?? '' }) : state === 'saved' ? t('counter.saved_at', { at: clock(draft.saved_at) }) : t('counter.saving')}</p>
        <Summary faults={lines} round={tried} />
        {error && error.problems.length === 0 ? <FormFault error={error} /> : null}
      </section>
      {steps.map((step) => (
        <section key={step.name} className="card stack" aria-label={w(step.title)}>
          <h2>{w(step.title)}</h2>
          {step.help ? <p className="muted">{w(step.help)}</p> : null}
          <Fields fields={step.fields} answers={answers} onChange={put} faults={faults} prefilled={draft.prefilled} />
        </section>
      ))}
      <section className="card" aria-label={t('matter.materials')}>
        <h2>{t('matter.materials')}</h2>
        <SheetMaterials draft={draft} onChanged={() => { void refresh(); }} onFollowing={(following) => saver.note({ following })} />
      </section>
      {item.content.delivery.length ? <section className="card stack" aria-label={t('counter.delivery')}><h2>{t('counter.delivery')}</h2><DeliveryFields ways={item.content.delivery} value={delivery} onChange={deliver} /></section> : null}
      {draft.fees_fen ? <p className="card">{t('counter.fees', { sum: yuan(draft.fees_fen) })}</p> : null}
      <p className="row">
        <button type="submit" className="button strong" disabled={busy}>{t('counter.submit')}</button>
        <button type="button" className="button" onClick={() => { saver.stop(); void run(() => discardDraft(begun.id)).then(onLeave); }}>{t('counter.discard')}</button>
      </p>
    </form>
  );
}
