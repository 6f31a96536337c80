// Portal, applying: the pages of the form, one question (step) a page or all on one sheet; saved at
// every step; problems stand at their field, with a summary on top that takes the focus.
import { useEffect, useMemo, useRef, useState, type FormEvent, type ReactNode } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useLocation, useNavigate, useSearchParams } from 'react-router';
import { draftPath, submitDraft, type Draft, type Receipt } from '../../../api/applications';
import { ApiError, get, idempotencyKey } from '../../../api/client';
import type { Item, Problem } from '../../../api/items';
import { Fields, faultsOf, goTo, hints, money, placed, readForm, Summary, wrong, type Fault, type FieldFaults } from '../../../components/form';
import { FormFault } from '../../../components/Inputs';
import { PageHead } from '../../../components/PageHead';
import { useI18n } from '../../../i18n';
import { applyPages, CHECK, deliveryControl, deliveryFaults, lacking, materialAt, mendAt, pageBeside, pageNow, type ApplyPage } from '../../../lib/apply';
import { useNow } from '../../../lib/now';
import { date } from '../../../lib/time';
import { remember, remembered } from '../../../lib/memory';
import { CheckAnswers } from './Check';
import { DeliveryFields } from './Delivery';
import { Notices } from './Notices';
import { ConflictBox, SaveLine } from './SaveLine';
import { Uploads } from './Uploads';
import { useDraft } from './useDraft';

const CHECK_BACK = 'check';

export function Filling({ loaded, item, onVersion, onDone }: { loaded: Draft; item: Item; onVersion: (version: number) => void; onDone: (receipt: Receipt) => void }) {
  const { t, w, lang } = useI18n();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { hash } = useLocation();
  const [params] = useSearchParams();
  const queue = useDraft(loaded);
  const { draft } = queue;
  const today = date(useNow());
  const form = useMemo(() => readForm(item.content.form), [item]);
  const answers = queue.answers();
  const waiting = queue.change();
  const wanted = waiting.delivery ?? draft.delivery;
  const following = waiting.following ?? draft.materials.filter((m) => m.following).map((m) => m.name);
  const materials = draft.materials.map((m) => ({ ...m, following: following.includes(m.name) }));
  const pages = applyPages(form, answers, item.content, materials);
  const sheet = params.get('view') === 'sheet';
  const now = sheet && params.get('step') !== CHECK ? null : pageNow(pages, params.get('step'), draft.step);
  const shown: readonly ApplyPage[] = now ? [now] : pages.filter((p) => p.kind !== 'check');
  const place = now?.name ?? 'sheet';
  const [tried, setTried] = useState<{ at: string; round: number; server: readonly Problem[] }>({ at: '', round: 0, server: [] });
  const [left, setLeft] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [unsaved, setUnsaved] = useState(false);
  const key = useRef(idempotencyKey());
  const head = useRef<HTMLDivElement>(null);
  const was = useRef(place);

  useEffect(() => { if (draft.item_version !== item.version) onVersion(draft.item_version); }, [draft.item_version, item.version, onVersion]);
  // A new page begins at its heading, or at the field one came for; the step is kept for the next time.
  useEffect(() => {
    const moved = was.current !== place;
    was.current = place;
    if (hash.length > 1) requestAnimationFrame(() => goTo(decodeURIComponent(hash.slice(1))));
    else if (moved) { scrollTo(0, 0); head.current?.focus({ preventScroll: true }); }
    // Only going on saves: opening alone must not mark as seen what changed in the form.
    if (moved && place !== 'sheet') queue.put({ step: place }, true);
  }, [place, hash, queue]);

  const to = (page: string, control?: string) => `/apply/${encodeURIComponent(draft.id)}?${new URLSearchParams({ ...(sheet ? { view: 'sheet' } : {}), ...(sheet && page !== CHECK ? {} : { step: page }), ...(control && !sheet ? { back: CHECK_BACK } : {}) }).toString()}${control ? `#${encodeURIComponent(control)}` : ''}`;
  const trying = tried.at === place;
  const fieldsHere = shown.flatMap((p) => p.step?.fields ?? []);
  const said = placed(trying ? tried.server : [], fieldsHere.map((f) => f.name), lang);
  const faults: FieldFaults = {};
  const own = faultsOf(trying ? hints(form, answers, today, fieldsHere.map((f) => f.name)) : new Map(), t);
  for (const f of fieldsHere) {
    const early = left.includes(f.name) ? wrong(f, answers[f.name]) : null;
    faults[f.name] = own[f.name] ?? (early ? [t(early.key, early.fill)] : (said.fields[f.name] ?? []));
  }
  const lack = lacking(materials);
  const materialFaults = (name: string): string[] => {
    if (!trying) return [];
    const server = tried.server.filter((p) => materialAt(p.at) === name).map((p) => w(p.words));
    const missing = lack.find((m) => m.name === name);
    return server.length ? server : missing ? [t(missing.may_follow ? 'apply.m_missing_follow' : 'apply.m_missing', { title: w(missing.title) })] : [];
  };
  const deliveryFound: Record<string, string[]> = {};
  if (trying) {
    for (const f of deliveryFaults(wanted, item.content.delivery)) (deliveryFound[f.control] ??= []).push(t(f.key));
    for (const p of tried.server) if (/^\/?delivery(\/|$)/.test(p.at)) { const c = deliveryControl(p.at); if (!deliveryFound[c]) deliveryFound[c] = [w(p.words)]; }
  }
  const has = (kind: ApplyPage['kind']) => shown.some((p) => p.kind === kind);
  const lines: Fault[] = [
    ...fieldsHere.flatMap((f) => (trying ? (faults[f.name] ?? []) : []).map((text) => ({ text, title: w(f.title), to: `field-${f.name}` }))),
    ...(has('materials') ? materials.flatMap((m) => materialFaults(m.name).map((text) => ({ text, to: `material-${m.name}` }))) : []),
    ...(has('delivery') ? Object.entries(deliveryFound).flatMap(([control, texts]) => texts.map((text) => ({ text, to: control }))) : []),
  ];

  /** What is wrong on this page now, before anybody is asked. */
  const wrongHere = (): boolean => hints(form, answers, today, fieldsHere.map((f) => f.name)).size > 0 || (has('materials') && lack.length > 0) || (has('delivery') && deliveryFaults(wanted, item.content.delivery).length > 0);
  const aboutHere = (problems: readonly Problem[]): Problem[] => problems.filter((p) => { const at = mendAt(p, pages); return at !== null && shown.some((s) => s.name === at.page); });
  const attempt = (server: readonly Problem[]) => setTried((before) => ({ at: place, round: before.round + 1, server }));

  const goOn = async (event: FormEvent) => {
    event.preventDefault();
    setError(null);
    if (wrongHere()) { attempt([]); void queue.flush(); return; }
    setBusy(true);
    const saved = await queue.flush();
    setBusy(false);
    if (queue.state.is === 'conflict' || queue.state.is === 'refused') return;
    // Without a network one goes on; the server looks when it is back.
    const server = saved ? aboutHere(queue.draft.problems) : [];
    if (server.length) return attempt(server);
    setTried({ at: '', round: tried.round, server: [] });
    const next = sheet || params.get('back') === CHECK_BACK ? CHECK : (pageBeside(applyPages(form, queue.answers(), item.content, queue.draft.materials), place, 1)?.name ?? CHECK);
    void navigate(to(next));
  };

  const handIn = async (event: FormEvent) => {
    event.preventDefault();
    setError(null);
    setUnsaved(false);
    setBusy(true);
    try {
      if (!(await queue.flush())) return setUnsaved(true);
      const receipt = await submitDraft(draft.id, key.current);
      queue.forget();
      client.removeQueries({ queryKey: [draftPath(draft.id)] });
      onDone(receipt);
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      // What was refused is tried again as another act once something was changed.
      if (e.status >= 400 && e.status < 500) key.current = idempotencyKey();
      setError(e);
      attempt(e.problems);
    } finally {
      setBusy(false);
    }
  };

  const renew = async () => { queue.renewed(await get<Draft>(draftPath(draft.id))); };
  const uploaded = async () => { await renew().catch(() => undefined); };
  const onCheck = now?.kind === 'check';
  const n = now ? pages.indexOf(now) + 1 : 1;
  const before = now ? pageBeside(pages, now.name, -1) : null;
  const single = now?.step?.fields.length === 1 ? now.step.fields[0] : undefined;
  const title = now ? titleOf(now, t, w) : w(item.content.title);
  const checkLines: Fault[] = onCheck ? tried.server.map((p) => { const at = mendAt(p, pages); const field = form.fields.find((f) => at?.control === `field-${f.name}`); return { text: w(p.words), title: field ? w(field.title) : undefined, to: null, onGo: at ? () => { void navigate(to(at.page, at.control)); } : undefined }; }) : [];

  return (
    <div className={sheet && !onCheck ? 'apply sheet' : 'apply one-thing'}>
      <PageHead title={title} sub={now ? `${w(item.content.title)} · ${t('apply.step', { n, of: pages.length })}` : undefined} back={before ? { to: to(before.name), text: t('apply.back') } : { to: `/services/${encodeURIComponent(item.item)}`, text: w(item.content.title) }} />
      {now ? <progress className="apply-progress" max={pages.length} value={n} aria-label={t('apply.step', { n, of: pages.length })} /> : null}
      <div ref={head} tabIndex={-1} className="apply-top">
        <SaveLine queue={queue} />
        <p className="row spread small">
          <span className="muted">{t('apply.for', { name: draft.applicant.name })}{draft.applicant.agent ? t('apply.agent', { name: draft.applicant.agent }) : ''}</span>
          {onCheck ? null : <button type="button" className="link" onClick={() => { remember('apply.view', sheet ? 'one' : 'sheet'); void navigate(`/apply/${encodeURIComponent(draft.id)}${sheet ? '' : '?view=sheet'}`); }}>{t(sheet ? 'apply.one' : 'apply.sheet')}</button>}
        </p>
      </div>
      <Notices draft={draft} form={form} />
      <ConflictBox queue={queue} form={form} />
      {onCheck ? (
        <form className="card stack" noValidate onSubmit={(e) => { void handIn(e); }}>
          <Summary faults={checkLines} help={t('form.summary_help')} round={tried.round} />
          {error && checkLines.length === 0 ? <FormFault error={error} /> : null}
          {unsaved ? <p role="alert" className="error-text">{t('apply.not_saved_yet')}</p> : null}
          <CheckAnswers draft={{ ...draft, materials }} form={form} answers={answers} wanted={wanted} following={following} pages={pages} to={to} />
          <p><button type="submit" className="button strong wide" data-submit disabled={busy}>{t(busy ? 'apply.submitting' : 'apply.submit')}</button></p>
        </form>
      ) : (
        <form className="stack" noValidate onSubmit={(e) => { void goOn(e); }}>
          <Summary faults={lines} round={trying ? tried.round : 0} />
          {shown.map((p) => (
            <Part key={p.name} title={sheet ? titleOf(p, t, w) : null} help={p.step?.help ? w(p.step.help) : p.kind === 'materials' ? t('apply.materials_help') : null}>
              {p.step ? <Fields fields={p.step.fields} answers={answers} faults={faults} prefilled={draft.prefilled} heading={!sheet && single && same(single.title, p.step.title) ? single.name : undefined}
                onChange={(name, value, settled) => queue.put({ answers: { [name]: value } }, settled)} onBlur={(name) => { if (!left.includes(name)) setLeft([...left, name]); }} /> : null}
              {p.kind === 'materials' ? <ul className="material-list">{materials.map((m) => <Uploads key={m.name} about={draft.id} state={m} material={item.content.materials.find((x) => x.name === m.name)} faults={materialFaults(m.name)} onChanged={uploaded} follows={following.includes(m.name)} onFollow={(yes) => queue.put({ following: yes ? [...following, m.name] : following.filter((f) => f !== m.name) }, true)} />)}</ul> : null}
              {p.kind === 'delivery' ? <DeliveryFields ways={item.content.delivery} wanted={wanted} faults={deliveryFound} onChange={(delivery, settled) => queue.put({ delivery }, settled)} /> : null}
            </Part>
          ))}
          {draft.fees_fen > 0 ? <p className="muted small">{t('apply.fee')}: {t('apply.fee_sum', { money: money(draft.fees_fen) })}</p> : null}
          <p><button type="submit" className="button strong wide" data-next disabled={busy}>{t(sheet || params.get('back') === CHECK_BACK ? 'apply.to_check' : 'apply.next')}</button></p>
        </form>
      )}
      <p className="small"><Link to="/portal/applications">{t('apply.later')}</Link> <span className="muted">{t('apply.later_help', { day: date(draft.expires_at) })}</span></p>
    </div>
  );
}

const same = (a: { zh: string }, b: { zh: string }) => a.zh === b.zh;

function titleOf(page: ApplyPage, t: ReturnType<typeof useI18n>['t'], w: ReturnType<typeof useI18n>['w']): string {
  if (page.step) return w(page.step.title);
  return t(page.kind === 'materials' ? 'apply.materials' : page.kind === 'delivery' ? 'apply.delivery' : 'apply.check');
}

function Part({ title, help, children }: { title: string | null; help: string | null; children: ReactNode }) {
  return (
    <section className="card stack">
      {title ? <h2>{title}</h2> : null}
      {help ? <p className="muted">{help}</p> : null}
      {children}
    </section>
  );
}

/** How this person likes to fill in: a step a page, or one sheet. */
export const likesSheet = (): boolean => remembered('apply.view') === 'sheet';
