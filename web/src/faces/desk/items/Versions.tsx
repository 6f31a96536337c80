// Desk, item designer: published versions, what changed between two in words, publishing the working
// copy, going back to an earlier one, suspending, resuming and cancelling; each with its reason.
import { useState } from 'react';
import { Modal } from 'antd';
import { send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import { itemPath, type Item, type ItemState, type ItemVerb, type ItemVerbName } from '../../../api/items';
import { Faults } from '../../../components/Faults';
import { SimpleTable } from '../../../components/SimpleTable';
import { View } from '../../../components/View';
import { useI18n, type Key } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import type { Content } from '../../../lib/designer';
import { changesOf } from '../../../lib/itemContent';
import { dateTime } from '../../../lib/time';
import { LinesIn, SelectIn, TextIn } from './parts';

const VERBS: readonly ItemVerbName[] = ['publish', 'roll_back', 'suspend', 'resume', 'cancel', 'discard'];

/** Why a verb cannot be used at an item now; null when it can. */
export function itemRefusal(verb: ItemVerbName, state: ItemState, versions: number, changed: boolean, problems: number): Key | null {
  switch (verb) {
    case 'publish': return state === 'cancelled' ? 'design.no_cancelled' : !changed ? 'design.no_change' : problems > 0 ? 'design.no_problems' : null;
    case 'roll_back': return state === 'cancelled' ? 'design.no_cancelled' : versions > 1 ? null : 'design.no_earlier';
    case 'suspend': return state === 'in_force' ? null : 'design.no_in_force';
    case 'resume': return state === 'suspended' ? null : 'design.no_suspended';
    case 'cancel': return state === 'in_force' || state === 'suspended' ? null : 'design.no_in_force';
    case 'discard': return changed ? null : 'design.no_change';
  }
}

interface Props { item: string; content: Content; changed: boolean; problems: number; flush: () => Promise<boolean>; onDone: (verb: ItemVerbName) => void }

export function Versions(props: Props) {
  const { t } = useI18n();
  const query = useApi<{ items: Item[] }>(`${itemPath(props.item)}/versions`);
  // Version 0 is the working copy; an item never published has none of its own.
  const published = (query.data?.items ?? []).filter((v) => v.version > 0);
  const none = query.error?.status === 404 || (query.data !== undefined && published.length === 0);
  return (
    <>
      <Acts {...props} versions={published} />
      <section className="card" aria-label={t('design.versions')}>
        <h2>{t('design.versions')}</h2>
        {none ? <p className="muted">{t('design.no_versions')}</p> : <View query={query}>
          {() => (
            <SimpleTable<Item> quiet caption={t('design.versions')} rows={published} rowKey={(v) => String(v.version)} columns={[
              { title: t('proc.version'), cell: (v) => t('cases.version', { n: v.version }) },
              { title: t('word.state'), cell: (v) => t(`design.state_${v.state}`) },
              { title: t('design.note'), cell: (v) => v.note || '—' },
              { title: t('proc.published'), cell: (v) => (v.published_at ? dateTime(v.published_at) : '—') },
              { title: t('proc.by'), cell: (v) => v.published_by ?? '—' }]} />
          )}
        </View>}
      </section>
      <Compare content={props.content} versions={published} />
    </>
  );
}

function Compare({ content, versions }: { content: Content; versions: readonly Item[] }) {
  const { t, w } = useI18n();
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('copy');
  const first = from || String(versions[0]?.version ?? '');
  const of = (name: string): Content | undefined => (name === 'copy' ? content : versions.find((v) => String(v.version) === name)?.content);
  const [a, b] = [of(first), of(to)];
  const options = [{ value: 'copy', text: t('design.working_copy') }, ...versions.map((v) => ({ value: String(v.version), text: t('cases.version', { n: v.version }) }))];
  const changes = a && b ? changesOf(a, b, (words) => w(words)) : [];
  if (versions.length === 0) return null;
  return (
    <section className="card stack" aria-label={t('design.compare')}>
      <h2>{t('design.compare')}</h2>
      <div className="d-grid"><SelectIn label={t('design.compare_from')} value={first} onChange={setFrom} options={options} /><SelectIn label={t('design.compare_to')} value={to} onChange={setTo} options={options} /></div>
      {changes.length ? <ul className="problem-list">{changes.map((c, i) => <li key={i}>{t(c.key, c.fill)}</li>)}</ul> : <p className="muted">{t('design.no_difference')}</p>}
    </section>
  );
}

function Acts({ item, changed, problems, flush, onDone, versions }: Props & { versions: readonly Item[] }) {
  const { t, lang } = useI18n();
  const { error, busy, attempt, clear } = useAttempt();
  const [asked, setAsked] = useState<ItemVerbName | null>(null);
  const [note, setNote] = useState('');
  const [version, setVersion] = useState('');
  const [successors, setSuccessors] = useState<string[]>([]);
  const [missing, setMissing] = useState<Key | null>(null);
  const state = versions[0]?.state ?? 'drafted';
  const refusals = VERBS.map((verb) => [verb, itemRefusal(verb, state, versions.length, changed, problems)] as const);
  const reasons = [...new Set(refusals.map(([, why]) => why).filter((why): why is Key => why !== null))];
  const open = (verb: ItemVerbName) => { clear(); setMissing(null); setNote(''); setVersion(String(versions[1]?.version ?? '')); setAsked(verb); };
  const made = (verb: ItemVerbName): ItemVerb | Key => {
    const why = note.trim();
    if (verb === 'discard') return { verb };
    if (!why) return verb === 'publish' ? 'design.need_note' : 'design.need_reason';
    if (verb === 'roll_back') return version ? { verb, version: Number(version), note: why } : 'design.need_version';
    return verb === 'cancel' ? { verb, note: why, successors: successors.map((s) => s.trim()).filter(Boolean) } : { verb, note: why };
  };
  const finish = async () => {
    if (!asked) return;
    const act = made(asked);
    setMissing(typeof act === 'string' ? act : null);
    if (typeof act === 'string') return;
    const verb = asked;
    if (await attempt(async () => { if (verb === 'publish' && !(await flush())) return; await send<Item>('POST', `${itemPath(item)}/verbs`, act); onDone(verb); })) setAsked(null);
  };
  return (
    <section className="card" aria-label={t('design.acts')}>
      <h2>{t('design.acts')}</h2>
      <p>{t('design.stands', { state: t(`design.state_${state}`) })}{changed ? ` · ${t('design.copy_differs')}` : ''}</p>
      <div className="row">{refusals.map(([verb, why]) => <button key={verb} type="button" className={verb === 'publish' ? 'button strong' : 'button'} disabled={why !== null} aria-describedby={why ? `why-${why}` : undefined} onClick={() => open(verb)}>{t(`design.${verb}`)}</button>)}</div>
      {reasons.map((why) => <p key={why} id={`why-${why}`} className="muted small" style={{ marginTop: 8 }}>{t('case.verb_why', { verbs: refusals.filter(([, r]) => r === why).map(([verb]) => t(`design.${verb}`)).join(lang === 'zh' ? '、' : ', '), why: t(why) })}</p>)}
      {asked ? (
        <Modal open title={t(`design.${asked}`)} onCancel={() => setAsked(null)} onOk={() => { void finish(); }} confirmLoading={busy} okButtonProps={{ danger: asked === 'cancel' || asked === 'discard' }} okText={t('verb.confirm')} cancelText={t('verb.cancel')} destroyOnHidden closable={{ 'aria-label': t('verb.close_dialog') }}>
          <div className="stack">
            <p className="muted">{t(`design.about_${asked}`)}</p>
            {asked === 'roll_back' ? <SelectIn label={t('design.roll_back_to')} value={version} onChange={setVersion} options={versions.slice(1).map((v) => ({ value: String(v.version), text: `${t('cases.version', { n: v.version })} · ${v.note}` }))} /> : null}
            {asked === 'discard' ? null : <TextIn label={t(asked === 'publish' ? 'design.note' : 'word.reason')} area max={500} value={note} onChange={setNote} />}
            {asked === 'cancel' ? <LinesIn label={t('design.successors')} hint={t('design.successors_help')} value={successors} onChange={setSuccessors} /> : null}
            {missing ? <p className="error-text" role="alert">{t(missing)}</p> : null}
            <Faults error={error} />
          </div>
        </Modal>
      ) : null}
    </section>
  );
}
