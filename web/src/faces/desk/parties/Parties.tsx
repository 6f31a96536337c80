// Desk: the counter for persons and firms: find by document, prove in person, enter firms and
// guardianships, lower a level, decide requests. Lists are masked; every look is recorded.
import { useState, type FormEvent, type ReactNode } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useSearchParams } from 'react-router';
import { send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { List, Party, PartyRequest } from '../../../api/types';
import { DocumentFields, noDocument } from '../../../components/DocumentFields';
import { FormFault, SelectField, TextField, useAct } from '../../../components/Inputs';
import { PageHead } from '../../../components/PageHead';
import { SimpleTable } from '../../../components/SimpleTable';
import { View } from '../../../components/View';
import { useI18n, type Key } from '../../../i18n';
import { dateTime } from '../../../lib/time';
import { useSession } from '../../../shell/session';

const text = (form: FormData, name: string) => String(form.get(name) ?? '').trim();

/** A section that opens: a form with its fault and what came of it. */
function Act({ id, title, children, onSend, verb }: { id: string; title: string; verb?: Key; children: (error: ReturnType<typeof useAct>['error']) => ReactNode; onSend: (form: FormData) => Promise<string> }) {
  const { t } = useI18n();
  const client = useQueryClient();
  const act = useAct();
  const [said, setSaid] = useState<string | null>(null);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setSaid(null);
    const done = await act.run(() => onSend(form));
    if (done === undefined) return;
    setSaid(done);
    void client.invalidateQueries({ predicate: (q) => String(q.queryKey[0]).startsWith('/parties') });
  };
  return (
    <details className="card" data-act={id}>
      <summary><strong>{title}</strong></summary>
      <form className="stack" noValidate onSubmit={(e) => { void submit(e); }}>
        <FormFault error={act.error} />
        {said ? <p role="status" className="confirmed">{said}</p> : null}
        {children(act.error)}
        <p><button type="submit" className="button strong" disabled={act.busy}>{t(verb ?? 'verb.confirm')}</button></p>
      </form>
    </details>
  );
}

function Acts() {
  const { t } = useI18n();
  const [seen, setSeen] = useState(noDocument);
  const [rep, setRep] = useState(noDocument);
  const [guardian, setGuardian] = useState(noDocument);
  const [ward, setWard] = useState(noDocument);
  const level = (n: number) => t('desk.p_level_now', { level: t(`party.level_${n}` as Key) });
  const purpose = <TextField name="purpose" label={t('desk.p_purpose')} maxLength={200} />;
  return (
    <>
      <Act id="proof" title={t('desk.p_proof')} onSend={async (f) => level((await send<{ level: number }>('POST', '/parties/proofs', { account: text(f, 'account'), identity: seen, document_seen: text(f, 'document_seen'), purpose: text(f, 'purpose'), replace: f.get('replace') === 'on' })).level)}>
        {(error) => (
          <>
            <TextField name="account" label={t('desk.p_account')} error={error} autoComplete="off" />
            <DocumentFields value={seen} onChange={setSeen} error={error} prefix="seen-" />
            <TextField name="document_seen" label={t('desk.p_seen')} hint={t('desk.p_seen_help')} error={error} maxLength={200} />
            {purpose}
            <div className="input checks"><label><input type="checkbox" name="replace" /><span>{t('desk.p_replace')}</span></label></div>
          </>
        )}
      </Act>
      <Act id="legal" title={t('desk.p_legal_new')} onSend={async (f) => { const p = await send<Party>('POST', '/parties/legal', { code: text(f, 'code'), name: text(f, 'firm'), representative: rep, evidence: text(f, 'evidence'), purpose: text(f, 'purpose') }); return `${t('desk.p_saved')} ${p.name}`; }}>
        {(error) => (
          <>
            <TextField name="code" label={t('proof.credit_code')} error={error} maxLength={18} autoCapitalize="characters" />
            <TextField name="firm" at="name" label={t('desk.p_name')} error={error} maxLength={100} />
            <h3>{t('desk.p_rep')}</h3>
            <DocumentFields value={rep} onChange={setRep} prefix="rep-" />
            <TextField name="evidence" label={t('desk.p_licence')} error={error} maxLength={100} />
            {purpose}
          </>
        )}
      </Act>
      <Act id="guardianship" title={t('desk.p_guardianship')} onSend={async (f) => { await send('POST', '/parties/guardianships', { guardian, ward, evidence: text(f, 'evidence'), days: text(f, 'days') ? Number(text(f, 'days')) || 0 : null, purpose: text(f, 'purpose') }); return t('desk.p_saved'); }}>
        {(error) => (
          <>
            <h3>{t('desk.p_guardian')}</h3>
            <DocumentFields value={guardian} onChange={setGuardian} prefix="guardian-" />
            <h3>{t('desk.p_ward')}</h3>
            <DocumentFields value={ward} onChange={setWard} prefix="ward-" />
            <TextField name="days" label={t('desk.p_days')} error={error} inputMode="numeric" maxLength={4} />
            <TextField name="evidence" label={t('desk.p_paper')} error={error} maxLength={100} />
            {purpose}
          </>
        )}
      </Act>
      <Act id="withdraw" title={t('desk.p_withdraw')} onSend={async (f) => level((await send<{ level: number }>('POST', '/parties/withdrawals', { account: text(f, 'account'), level: Number(text(f, 'level')), reason: text(f, 'reason') })).level)}>
        {(error) => (
          <>
            <TextField name="account" label={t('register.done_name')} error={error} autoComplete="off" />
            <SelectField name="level" label={t('desk.p_to_level')} error={error} choices={[0, 1, 2].map((n) => ({ value: String(n), text: t(`party.level_${n}` as Key) }))} />
            <TextField name="reason" label={t('tie.reason')} error={error} maxLength={200} />
          </>
        )}
      </Act>
    </>
  );
}

function Search() {
  const { t } = useI18n();
  const [document, setDocument] = useState('citizen_number');
  const [found, setFound] = useState<Party | null | undefined>(undefined);
  const act = useAct();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setFound(undefined);
    const answer = await act.run(() => send<{ party: Party | null }>('POST', '/parties/search', { document, number: text(form, 'number'), purpose: text(form, 'purpose') }));
    if (answer) setFound(answer.party);
  };
  return (
    <form className="card stack" noValidate onSubmit={(e) => { void submit(e); }}>
      <h2>{t('desk.p_search')}</h2>
      <FormFault error={act.error} shown={['number', 'purpose']} />
      <SelectField name="document" label={t('proof.document')} value={document} onChange={setDocument} choices={(['citizen_number', 'residence_permit', 'passport', 'credit_code'] as const).map((d) => ({ value: d, text: t(`proof.${d}`) }))} />
      <TextField name="number" label={t('proof.number')} error={act.error} autoComplete="off" maxLength={40} />
      <TextField name="purpose" label={t('desk.p_purpose')} error={act.error} maxLength={200} />
      <p><button type="submit" className="button strong" disabled={act.busy}>{t('desk.p_search')}</button></p>
      {found === null ? <p role="status">{t('desk.p_found_none')}</p> : null}
      {found ? <p role="status"><Link to={`/desk/parties/${found.id}`}>{found.name} <code>{found.number}</code></Link></p> : null}
    </form>
  );
}

function Requests() {
  const { t } = useI18n();
  const { may } = useSession();
  const client = useQueryClient();
  const query = useApi<List<PartyRequest>>('/parties/requests');
  const act = useAct();
  const decide = async (event: FormEvent<HTMLFormElement>, id: string) => {
    event.preventDefault();
    const submitter = (event.nativeEvent as SubmitEvent).submitter as HTMLButtonElement | null;
    const reason = text(new FormData(event.currentTarget), 'reason');
    await act.run(() => send('POST', `/parties/requests/${id}`, { done: submitter?.value === 'done', reason }));
    void client.invalidateQueries({ queryKey: ['/parties/requests'] });
  };
  return (
    <section className="card stack">
      <h2>{t('desk.p_requests')}</h2>
      <FormFault error={act.error} />
      <View query={query}>
        {(d) => (d.items.length === 0 ? <p className="muted">{t('desk.p_no_requests')}</p> : (
          <ul className="tie-list">
            {d.items.map((r) => (
              <li key={r.id}>
                <div><strong>{t(`rights.kind_${r.kind}`)}</strong> {r.account} · {dateTime(r.created_at)}</div>
                <div>{r.text}</div>
                {may('write', 'parties') ? (
                  <form className="stack" onSubmit={(e) => { void decide(e, r.id); }}>
                    <TextField name="reason" label={t('tie.reason')} maxLength={500} />
                    <div className="row"><button type="submit" value="done" className="button strong">{t('desk.p_do')}</button><button type="submit" value="refused" className="button">{t('desk.p_refuse')}</button></div>
                  </form>
                ) : null}
              </li>
            ))}
          </ul>
        ))}
      </View>
    </section>
  );
}

export default function Parties() {
  const { t } = useI18n();
  const { may } = useSession();
  const [params, setParams] = useSearchParams();
  const kind = params.get('kind') ?? '';
  const after = params.get('after') ?? '';
  const query = useApi<{ items: Party[]; next: string | null }>('/parties', { kind, after, limit: 50 }, { keep: true });
  const go = (change: Record<string, string>) => setParams({ ...(kind ? { kind } : {}), ...change });
  return (
    <>
      <PageHead title={t('desk.parties')} sub={t('desk.parties_sub')} />
      <div className="grid two">
        <div><Search /><Requests /></div>
        <div>{may('write', 'parties') ? <Acts /> : null}</div>
      </div>
      <section className="card stack">
        <h2>{t('desk.p_list')}</h2>
        <SelectField name="kind" label={t('desk.p_kind')} value={kind} onChange={(k) => setParams(k ? { kind: k } : {})} choices={[{ value: '', text: '—' }, { value: 'natural', text: t('desk.p_natural') }, { value: 'legal', text: t('desk.p_legal') }]} />
        <View query={query} empty={(d) => d.items.length === 0}>
          {(d) => (
            <>
              <SimpleTable<Party> caption={t('desk.p_list')} quiet rows={d.items} rowKey={(p) => p.id} columns={[
                { title: t('desk.p_kind'), cell: (p) => t(p.kind === 'legal' ? 'desk.p_legal' : 'desk.p_natural') }, { title: t('desk.p_name'), cell: (p) => p.name },
                { title: t('proof.number'), cell: (p) => <code>{p.number}</code> }, { title: t('word.state'), cell: (p) => t(p.proven ? 'desk.p_proven' : 'desk.p_claimed') },
                { title: t('desk.p_open'), cell: (p) => <Link to={`/desk/parties/${p.id}`} aria-label={`${t('desk.p_open')} ${p.name} ${p.number}`}>{t('desk.p_open')}</Link> },
              ]} />
              {d.next ? <p><button type="button" className="button" onClick={() => go({ after: d.next ?? '' })}>{t('desk.p_more')}</button></p> : null}
            </>
          )}
        </View>
      </section>
    </>
  );
}
