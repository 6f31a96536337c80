// Portal: authorising an agent: for whom, who, for what and how long; check; the confirmation.
import { useState, type FormEvent } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { PartyTie, RegistrationTerms } from '../../../api/types';
import { DocumentFields, noDocument } from '../../../components/DocumentFields';
import { Answers, FormFault, SelectField, TextField, useAct } from '../../../components/Inputs';
import { PageHead } from '../../../components/PageHead';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useMatters } from './Ties';

type Step = 'who' | 'what' | 'check';
const STEPS: Step[] = ['who', 'what', 'check'];

export default function NewAgent() {
  const { t, w } = useI18n();
  const client = useQueryClient();
  const terms = useApi<RegistrationTerms>('/registrations/terms');
  const ties = useApi<{ items: PartyTie[] }>('/me/ties');
  const matters = useMatters();
  const [step, setStep] = useState<Step>('who');
  const [principal, setPrincipal] = useState<string | null>(null);
  const [identity, setIdentity] = useState(noDocument);
  const [scope, setScope] = useState<string[]>([]);
  const [days, setDays] = useState('365');
  const [evidence, setEvidence] = useState('');
  const [done, setDone] = useState(false);
  const act = useAct();
  const n = STEPS.indexOf(step) + 1;
  const before = STEPS[n - 2];
  const firms = (ties.data?.items ?? []).filter((x) => x.side === 'holder' && x.tie === 'representative' && x.state === 'active');
  const chosen = principal ?? firms[0]?.principal ?? '';
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const next = STEPS[n];
    if (next) { act.clear(); return setStep(next); }
    const made = await act.run(() => send<PartyTie>('POST', '/me/agents', { principal: chosen || null, identity, scope, days: Number(days) || 0, evidence }));
    if (!made) return;
    setDone(true);
    void client.invalidateQueries();
  };
  const toggle = (name: string) => setScope((s) => (s.includes(name) ? s.filter((x) => x !== name) : [...s, name]));
  return (
    <div className="one-thing">
      <PageHead title={t(step === 'check' && !done ? 'agent.check' : 'agent.title')} sub={done ? undefined : t('party.step', { n, of: STEPS.length })} back={{ to: '/portal/me', text: t('me.title') }} />
      <View query={ties}>
        {() => (done ? (
          <section className="card stack"><div className="confirmed" role="status"><p>{t('agent.done')}</p></div><p>{t('agent.done_text')}</p><p><Link className="button strong" to="/portal/me">{t('me.title')}</Link></p></section>
        ) : (
          <form className="card stack" noValidate onSubmit={(e) => { void submit(e); }}>
            <FormFault error={act.error} shown={step === 'who' ? ['number', 'name', 'document', 'birth'] : step === 'what' ? ['days', 'evidence'] : []} />
            {step === 'who' ? (
              <>
                <SelectField name="principal" label={t('agent.for')} value={chosen} onChange={setPrincipal} choices={[...firms.map((f) => ({ value: f.principal, text: f.other })), { value: '', text: t('agent.myself') }]} />
                <h2>{t('agent.person')}</h2>
                <DocumentFields value={identity} onChange={setIdentity} error={act.error} prefix="agent-" />
              </>
            ) : null}
            {step === 'what' ? (
              <>
                <fieldset className="input checks"><legend>{t('agent.scope')}</legend>
                  {(terms.data?.matters ?? []).map((m) => <label key={m.name}><input type="checkbox" name={`scope-${m.name}`} checked={scope.includes(m.name)} onChange={() => toggle(m.name)} /><span>{w(m.title)}</span></label>)}
                </fieldset>
                <TextField name="days" label={t('agent.days')} value={days} error={act.error} inputMode="numeric" maxLength={4} onChange={(e) => setDays(e.target.value)} />
                <TextField name="evidence" label={t('agent.evidence')} value={evidence} error={act.error} maxLength={100} onChange={(e) => setEvidence(e.target.value)} />
              </>
            ) : null}
            {step === 'check' ? (
              <Answers rows={[
                { label: t('agent.for'), value: firms.find((f) => f.principal === chosen)?.other ?? t('agent.myself'), onChange: () => setStep('who') },
                { label: t('proof.name'), value: identity.name, onChange: () => setStep('who') },
                { label: t('proof.number'), value: identity.number, onChange: () => setStep('who') },
                { label: t('tie.scope'), value: scope.length ? matters(scope) : '', onChange: () => setStep('what') },
                { label: t('agent.days'), value: days, onChange: () => setStep('what') },
                { label: t('agent.evidence'), value: evidence, onChange: () => setStep('what') },
              ]} />
            ) : null}
            <button type="submit" className="button strong wide" disabled={act.busy}>{act.busy ? t('state.loading') : t(step === 'check' ? 'agent.submit' : 'party.next')}</button>
            {before ? <button type="button" className="link" onClick={() => setStep(before)}>{t('party.back')}</button> : null}
          </form>
        ))}
      </View>
    </div>
  );
}
