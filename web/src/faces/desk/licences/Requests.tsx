// Desk: asking somebody to show a licence with their wallet (OpenID4VP): type, the fewest fields,
// purpose and the application it is for; the code for the wallet, then what was verified; and what
// one asked for before.
import { useEffect, useState, type FormEvent } from 'react';
import { Link, useNavigate, useParams, useSearchParams } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import { useBelow, useLicenceTypes, type Asked, type LicenceType, type WalletAnswer, type WalletRequest } from '../../../api/licences';
import { FormFault, SelectField, TextField, useAct } from '../../../components/Inputs';
import { TypeTicks, VerdictTag } from '../../../components/Licence';
import { PageHead } from '../../../components/PageHead';
import { QrCode } from '../../../components/QrCode';
import { Verified } from '../../../components/Verified';
import { View } from '../../../components/View';
import { useI18n, type Key } from '../../../i18n';
import { secondsLeft } from '../../../lib/licences';
import { useNow } from '../../../lib/now';
import { useOrganisations } from '../../../lib/organisations';
import { dateTime, ms } from '../../../lib/time';
import { useSession } from '../../../shell/session';

const LOOK_MS = 2_000;
/** No request is good for longer. */
const MOST_S = 3_600;
const WORDS = { min: 2, max: 100 };
const HISTORY = '/desk/presentations';

type Wrong = Partial<Record<'kind' | 'fields' | 'purpose', Key>>;

/** What is wrong before it is sent. */
export function wrongOf(type: LicenceType | undefined, fields: readonly string[], purpose: string): Wrong {
  const length = [...purpose.trim()].length;
  return {
    ...(type ? {} : { kind: 'wal.ask_no_type' as const }),
    ...(type && fields.length === 0 ? { fields: 'wal.ask_none' as const } : {}),
    ...(length < WORDS.min || length > WORDS.max ? { purpose: 'wal.ask_need_purpose' as const } : {}),
  };
}

function Ask({ types, onAsked }: { types: Map<string, LicenceType>; onAsked: (asked: Asked) => void }) {
  const { t, w } = useI18n();
  const { session } = useSession();
  const nameOf = useOrganisations();
  const act = useAct();
  const [params] = useSearchParams();
  const [kind, setKind] = useState(params.get('type') ?? '');
  const [chosen, setChosen] = useState<string[] | null>(null);
  const [purpose, setPurpose] = useState('');
  const [matter, setMatter] = useState(params.get('matter') ?? '');
  const [wrong, setWrong] = useState<Wrong>({});
  const type = types.get(kind);
  const fields = chosen ?? type?.minimum ?? [];
  const verifier = session?.organisation ? nameOf(session.organisation) : (session?.display ?? '');
  const clear = (name: keyof Wrong) => setWrong((before) => ({ ...before, [name]: undefined }));
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const found = wrongOf(type, fields, purpose);
    setWrong(found);
    if (Object.keys(found).length) return;
    const asked = await act.run(() => send<Asked>('POST', '/licences/requests', { kind, fields, why: { verifier, purpose: purpose.trim() }, matter: matter.trim() }));
    if (asked) onAsked(asked);
  };
  return (
    <form className="card stack" noValidate onSubmit={(e) => { void submit(e); }}>
      <p className="muted small">{t('wal.ask_help')}</p>
      <p>{t('wal.ask_as', { name: verifier })}</p>
      <FormFault error={act.error} shown={['kind', 'purpose', 'matter']} />
      {wrong.kind ? <p role="alert" className="error-text">{t(wrong.kind)}</p> : null}
      <SelectField name="kind" label={t('wal.ask_type')} value={kind} error={act.error} onChange={(next) => { setKind(next); setChosen(null); clear('kind'); }} choices={[{ value: '', text: t('wal.ask_choose') }, ...[...types.values()].map((known) => ({ value: known.name, text: w(known.title) }))]} />
      {type ? <TypeTicks type={type} chosen={fields} onChange={(next) => { setChosen(next); clear('fields'); }} legend={t('wal.ask_fields')} fault={wrong.fields ? t(wrong.fields) : null} /> : null}
      <TextField name="purpose" label={t('wal.ask_purpose')} hint={t('wal.ask_purpose_help')} value={purpose} maxLength={WORDS.max} error={act.error} wrong={wrong.purpose ? t(wrong.purpose) : null} autoComplete="off" onChange={(e) => { setPurpose(e.target.value); clear('purpose'); }} />
      <TextField name="matter" label={t('wal.ask_matter')} hint={t('wal.ask_matter_help')} value={matter} maxLength={60} error={act.error} autoComplete="off" spellCheck={false} onChange={(e) => setMatter(e.target.value)} />
      <p><button type="submit" className="button strong" disabled={act.busy}>{t('wal.ask_go')}</button></p>
    </form>
  );
}

/** How a request stands, and what was found. */
function Outcome({ answer }: { answer: WalletAnswer }) {
  const { t } = useI18n();
  const r = answer.request;
  return (
    <>
      {r.state === 'over' ? <p className="stale">{t('wal.ask_over')}</p> : null}
      {r.state === 'declined' ? <p className="stale">{t('wal.ask_declined', { error: r.error ?? '' })}</p> : null}
      {r.matter && r.of_applicant !== null ? <p className={r.of_applicant ? 'confirmed' : 'error-box'} role={r.of_applicant ? undefined : 'alert'}>{t(r.of_applicant ? 'wal.ask_applicant' : 'wal.ask_not_applicant', { matter: r.matter })}</p> : null}
      {answer.verification ? <Verified answer={answer.verification} shown={t('verify.shown')} /> : r.state === 'answered' ? <>{r.verdict ? <p><VerdictTag verdict={r.verdict} /></p> : null}<p className="muted">{t('wal.ask_gone')}</p></> : null}
    </>
  );
}

function Waiting({ url, until }: { url: string; until: string }) {
  const { t } = useI18n();
  const now = useNow(1_000);
  const [copied, setCopied] = useState(false);
  const left = secondsLeft(ms(until), now, MOST_S);
  const copy = async () => {
    await navigator.clipboard.writeText(url).then(() => setCopied(true), () => setCopied(false));
  };
  return (
    <div className="shown-code dense">
      <QrCode text={url} label={t('wal.ask_label')} />
      <p role="timer" className="countdown">{t('wal.ask_left', { min: Math.floor(left / 60), s: left % 60 })}</p>
      {'clipboard' in navigator ? <p className="row"><button type="button" className="button" onClick={() => { void copy(); }}>{t('wal.ask_copy')}</button>{copied ? <span role="status">{t('wal.put_copied')}</span> : null}</p> : null}
    </div>
  );
}

/** A request made just now, until it is answered: the code is shown here only, it is kept nowhere. */
function Live({ asked, onAgain }: { asked: Asked; onAgain: () => void }) {
  const { t } = useI18n();
  const client = useQueryClient();
  const [done, setDone] = useState(false);
  const query = useApi<WalletAnswer>(`/licences/requests/${encodeURIComponent(asked.id)}`, undefined, { every: done ? 0 : LOOK_MS });
  const state = query.data?.request.state ?? 'waiting';
  useEffect(() => {
    setDone(state !== 'waiting');
    void client.invalidateQueries({ queryKey: ['/licences/requests', {}, 'below'] });
  }, [state, client]);
  return (
    <section className="card stack" aria-label={t('wal.ask')} data-request={state}>
      <div role="status">{state === 'waiting' ? <p>{t('wal.ask_wait')}</p> : null}</div>
      {state === 'waiting' ? <Waiting url={asked.url} until={asked.expires_at} /> : query.data ? <Outcome answer={query.data} /> : null}
      <p><button type="button" className="button" onClick={onAgain}>{t('wal.ask_again')}</button></p>
    </section>
  );
}

function History() {
  const { t, w } = useI18n();
  const query = useBelow<WalletRequest>('/licences/requests');
  return (
    <section className="card stack" aria-labelledby="history">
      <h2 id="history">{t('wal.history')}</h2>
      <p className="muted small">{t('wal.history_help')}</p>
      <View query={query} empty={(d) => d.pages.every((p) => p.items.length === 0)} emptyText={t('wal.history_none')}>
        {(d) => (
          <>
            <ul className="tie-list">
              {d.pages.flatMap((p) => p.items).map((r) => (
                <li key={r.id} data-state={r.state}>
                  <p className="row"><Link to={`${HISTORY}/${r.id}`} aria-label={t('wal.history_open', { time: dateTime(r.created_at) })}>{dateTime(r.created_at)}</Link><strong>{w(r.title)}</strong>{r.verdict ? <VerdictTag verdict={r.verdict} /> : <span>{t(`wal.state_${r.state}`)}</span>}</p>
                  <p className="muted small">{r.purpose}{r.matter ? ` · ${r.matter}` : ''}</p>
                </li>
              ))}
            </ul>
            {query.hasNextPage ? <p><button type="button" className="button" disabled={query.isFetchingNextPage} onClick={() => { void query.fetchNextPage(); }}>{t('lic.more')}</button></p> : null}
          </>
        )}
      </View>
    </section>
  );
}

function One({ id }: { id: string }) {
  const { t, w } = useI18n();
  const query = useApi<WalletAnswer>(`/licences/requests/${encodeURIComponent(id)}`);
  const { types } = useLicenceTypes();
  return (
    <View query={query}>
      {(answer) => {
        const r = answer.request;
        const titles = r.fields.map((name) => (name === 'holder_name' ? t('lic.holder') : name === 'holder_number' ? t('lic.holder_number') : w(types.get(r.kind)?.fields.find((f) => f.name === name)?.title) || name));
        return (
          <section className="card stack" aria-labelledby="one">
            <h2 id="one">{w(r.title)}</h2>
            <dl className="facts">
              <dt>{t('wal.history_at')}</dt><dd>{dateTime(r.created_at)}</dd>
              <dt>{t('wal.history_outcome')}</dt><dd>{t(`wal.state_${r.state}`)}{r.answered_at ? ` · ${dateTime(r.answered_at)}` : ''}</dd>
              <dt>{t('wal.ask_purpose')}</dt><dd>{r.purpose}</dd>
              {r.matter ? <><dt>{t('lic.use_matter')}</dt><dd><Link to={`/desk/applications/${encodeURIComponent(r.matter)}`}>{r.matter}</Link></dd></> : null}
              <dt>{t('use.fields')}</dt><dd>{titles.join('、')}</dd>
            </dl>
            <Outcome answer={answer} />
          </section>
        );
      }}
    </View>
  );
}

export default function Requests() {
  const { t } = useI18n();
  const { id } = useParams();
  const go = useNavigate();
  const { types, query } = useLicenceTypes();
  const [asked, setAsked] = useState<Asked | null>(null);
  if (id) return <div className="one-thing"><PageHead title={t('wal.ask')} back={{ to: HISTORY, text: t('wal.history') }} /><One key={id} id={id} /></div>;
  const again = () => { setAsked(null); void go(HISTORY, { replace: true }); };
  return (
    <div className="one-thing">
      <PageHead title={t('wal.ask')} back={{ to: '/desk/licences', text: t('lic.desk') }} />
      <View query={query}>{() => (asked ? <Live key={asked.id} asked={asked} onAgain={again} /> : <Ask types={types} onAsked={setAsked} />)}</View>
      <History />
    </div>
  );
}
