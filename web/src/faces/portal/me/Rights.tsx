// Portal: rights over one's own data: look and export, correct, withdraw consent, erase.
import { useState, type FormEvent } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { PartyRequest, PersonalExport } from '../../../api/types';
import { FormFault, SelectField, TextField, useAct } from '../../../components/Inputs';
import { PageHead } from '../../../components/PageHead';
import { Steps } from '../../../components/Steps';
import { View } from '../../../components/View';
import { useI18n, type Key } from '../../../i18n';
import { saveFile } from '../../../lib/csv';
import { dateTime } from '../../../lib/time';
import { useStepUp } from '../../../shell/StepUp';
import { useSession } from '../../../shell/session';
import { Ties } from './Ties';

function Readable({ data }: { data: PersonalExport }) {
  const { t } = useI18n();
  const person = data.data.identity;
  return (
    <div className="stack">
      <dl className="facts">
        <dt>{t('register.done_name')}</dt><dd>{data.account}</dd><dt>{t('me.level')}</dt><dd>{t(`party.level_${data.level}` as Key)}</dd>
        <dt>{t('me.name')}</dt><dd>{person?.name ?? '—'}</dd><dt>{t('me.number')}</dt><dd>{person?.number ?? '—'}</dd><dt>{t('me.birth')}</dt><dd>{person?.birth ?? '—'}</dd>
        <dt>{t('me.phone')}</dt><dd>{data.data.phone ?? '—'}</dd>
      </dl>
      <h3>{t('desk.p_ties')}</h3><Ties ties={data.ties} empty={t('me.no_acting')} />
      <h3>{t('me.history')}</h3><Steps steps={data.history} self={data.account} />
    </div>
  );
}

export default function Rights() {
  const { t } = useI18n();
  const client = useQueryClient();
  const { signedIn } = useSession();
  const requests = useApi<{ items: PartyRequest[] }>('/me/requests');
  const stepUp = useStepUp();
  const look = useAct();
  const act = useAct();
  const [data, setData] = useState<PersonalExport | null>(null);
  const [kind, setKind] = useState<PartyRequest['kind']>('correction');
  const [text, setText] = useState('');
  const [sure, setSure] = useState(false);
  const [done, setDone] = useState<string | null>(null);
  const fetchAll = () => look.run(() => stepUp.attempt(() => send<PersonalExport>('POST', '/me/export')));
  const download = async () => {
    const all = await fetchAll();
    if (all) saveFile('my-data.json', JSON.stringify(all, null, 2), 'application/json');
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const made = await act.run(() => stepUp.attempt(() => send<PartyRequest>('POST', '/me/requests', { kind, text })));
    if (!made) return;
    setDone(made.id);
    setText('');
    setSure(false);
    if (kind === 'erasure') await signedIn();
    void client.invalidateQueries();
  };
  const final = kind !== 'correction';
  return (
    <div className="one-thing">
      <PageHead title={t('rights.title')} sub={t('rights.sub')} back={{ to: '/portal/me', text: t('me.title') }} />
      <View query={requests}>
        {(d) => (
          <>
            <section className="card stack" aria-labelledby="export">
              <h2 id="export">{t('rights.export')}</h2>
              <p>{t('rights.export_help')}</p>
              <FormFault error={look.error?.code === 'access.step_up' ? null : look.error} />
              <p className="row">
                <button type="button" className="button" disabled={look.busy} onClick={() => { void fetchAll().then((all) => { if (all) setData(all); }); }}>{t('rights.show')}</button>
                <button type="button" className="button" disabled={look.busy} onClick={() => { void download(); }}>{t('rights.download')}</button>
              </p>
              {data ? <Readable data={data} /> : null}
            </section>
            <form className="card stack" noValidate onSubmit={(e) => { void submit(e); }}>
              <h2>{t('rights.ask')}</h2>
              {done ? <p role="status" className="confirmed">{t('rights.done')} <code>{done}</code></p> : null}
              <FormFault error={act.error?.code === 'access.step_up' ? null : act.error} shown={['text']} />
              <SelectField name="kind" label={t('rights.kind')} value={kind} onChange={(k) => { setKind(k as PartyRequest['kind']); setSure(false); }} choices={(['correction', 'consent', 'erasure'] as const).map((k) => ({ value: k, text: t(`rights.kind_${k}`) }))} />
              <p>{t(`rights.warn_${kind}`)}</p>
              <TextField name="text" label={t('rights.text')} value={text} error={act.error} maxLength={1000} onChange={(e) => setText(e.target.value)} />
              {final ? <div className="input checks"><label><input type="checkbox" name="sure" checked={sure} onChange={(e) => setSure(e.target.checked)} /><span>{t('rights.sure')}</span></label></div> : null}
              <button type="submit" className="button strong" disabled={act.busy || (final && !sure)}>{t('rights.submit')}</button>
            </form>
            <section className="card stack" aria-labelledby="my-requests">
              <h2 id="my-requests">{t('rights.mine')}</h2>
              {d.items.length === 0 ? <p className="muted">{t('rights.none')}</p> : (
                <ul className="tie-list">{d.items.map((r) => <li key={r.id}><div><strong>{t(`rights.kind_${r.kind}`)}</strong> <span className="tag plain">{t(`rights.state_${r.state}`)}</span></div><div>{r.text}</div><div className="muted small">{dateTime(r.created_at)} · <code>{r.id}</code>{r.reason ? ` · ${r.reason}` : ''}</div></li>)}</ul>
              )}
            </section>
          </>
        )}
      </View>
      {stepUp.dialog}
    </div>
  );
}
