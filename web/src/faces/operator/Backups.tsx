// Operator: the backup repository, restore drills, legal holds.
import { useState } from 'react';
import { App, Button, Drawer, Form, Input } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { List } from '../../api/types';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SimpleTable } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n, type Key, type Words } from '../../i18n';
import { bytes, number } from '../../lib/format';
import { dateTimeSeconds } from '../../lib/time';

interface Base { number: number; at: string; bytes: number; chain: string; edition: string }
interface State { covered: string | null; base_at: string | null; base_progress: [number, number] | null; chain: string; broken: number; trouble: { code: string; words: Words } | null }
interface Repository { id: string; folder: string; state: State; bases: Base[]; base_count: number; segment_count: number; segment_bytes: number; bytes: number; oldest: string | null; newest: string | null }
interface Backup {
  store: string; repository: Repository | null; age_s: number | null; late: boolean | null; interval_s: number; keep: string; copy_folder: string;
  doing: { what: string; done: number; all: number } | null; last_verify: { at: string; verdict: { bytes: number; faults: Words[] } } | null;
}
interface Drill { at: string; ok: boolean; fault: Words | null; restored_to: string | null; rpo_s: number | null; rto_s: number; bytes: number; bytes_per_s: number }
type Parts = Partial<Record<'register' | 'key' | 'person' | 'account' | 'thing', string | null>>;
interface Hold { id: string; name: string; reason: string; basis: string; scope: Parts & { from?: string | null; to?: string | null }; placed_by: string; placed_at: string; released_at: string | null; release_reason: string | null }
interface Holds { total: number; items: { in_force: boolean; hold: Hold }[]; last_expiry: { at: string; expired: { values: number; rollups: number; held: number } } | null }

const PARTS = ['thing', 'register', 'key', 'account', 'person'] as const;
const JOBS = { base: 'backup_base', verify: 'backup_verify', drill: 'restore_drill', forget: 'backup_forget', copy: 'backup_copy' } as const;
type Act = keyof typeof JOBS;

/** Runs a piece of work, says how it went, and looks at the answers anew. */
function useAttempt() {
  const { t, lang } = useI18n();
  const { message } = App.useApp();
  const client = useQueryClient();
  return async (work: () => Promise<unknown>, said: Key) => {
    try {
      await work();
      void message.success(t(said));
      return true;
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      void message.error([e.say(lang), ...e.problems.map((p) => `${p.at} ${p.words[lang]}`)].join(' '), 8);
      return false;
    } finally {
      for (const path of ['/operator/backups', '/operator/backups/drills', '/operator/holds']) void client.invalidateQueries({ queryKey: [path] });
    }
  };
}

function RepositoryCard({ d }: { d: Backup }) {
  const { t, w } = useI18n();
  const r = d.repository;
  if (!r) return <section className="card"><h2>{t('backups.state')}</h2><p className={d.store === 'sqlite' ? 'over' : ''}>{t(d.store === 'sqlite' ? 'backups.none' : 'backups.none_postgres')}</p></section>;
  const check = d.last_verify;
  const faults = check?.verdict.faults.length ?? 0;
  return (
    <section className="card" aria-live="polite">
      <h2>{t('backups.state')}: <span className={d.late ? 'over' : ''}>{d.late ? `▲ ${t('backups.late')}` : t('backups.fine')}</span></h2>
      {r.state.trouble ? <p className="over" role="alert">{t('backups.trouble')}: {w(r.state.trouble.words)} <code>{r.state.trouble.code}</code></p> : null}
      {d.doing ? <p role="status">{t('backups.doing', { what: t(`backups.${d.doing.what}` as Key), done: bytes(d.doing.done) })}</p> : null}
      <dl className="facts">
        <dt>{t('backups.rpo_now')}</dt><dd>{d.age_s === null ? '—' : t('backups.seconds', { n: number(d.age_s, 1) })}</dd>
        <dt>{t('backups.interval')}</dt><dd>{t('backups.seconds', { n: d.interval_s })}</dd>
        <dt>{t('backups.last_base')}</dt><dd>{r.state.base_progress ? t('backups.base_running', { done: bytes(r.state.base_progress[0]), all: bytes(r.state.base_progress[1]) }) : dateTimeSeconds(r.state.base_at)}</dd>
        <dt>{t('backups.restorable')}</dt><dd>{r.oldest ? t('backups.range', { from: dateTimeSeconds(r.oldest), to: dateTimeSeconds(r.state.covered ?? r.newest) }) : '—'}</dd>
        <dt>{t('backups.segments')}</dt><dd>{t('backups.segments_value', { n: number(r.segment_count, 0), bytes: bytes(r.segment_bytes) })}</dd>
        <dt>{t('backups.size')}</dt><dd>{bytes(r.bytes)}</dd>
        <dt>{t('backups.last_verify')}</dt>
        <dd className={faults ? 'over' : ''}>{check ? (faults ? t('backups.verify_bad', { at: dateTimeSeconds(check.at), n: faults }) : t('backups.verify_ok', { at: dateTimeSeconds(check.at), bytes: bytes(check.verdict.bytes) })) : t('backups.never')}{check?.verdict.faults.slice(0, 5).map((f, i) => <p key={i} className="small">{w(f)}</p>)}</dd>
        <dt>{t('backups.folder')}</dt><dd><code>{r.folder}</code></dd>
        <dt>{t('backups.copy_folder')}</dt><dd>{d.copy_folder ? <code>{d.copy_folder}</code> : t('backups.no_copy')}</dd>
        <dt>{t('backups.keep')}</dt><dd><code>{d.keep.replaceAll(',', ', ')}</code></dd>
        <dt>{t('backups.chain')}</dt><dd><code className="small">{r.state.chain || '—'}</code></dd>
        <dt>{t('backups.broken')}</dt><dd>{number(r.state.broken, 0)}</dd>
      </dl>
    </section>
  );
}

function Drills() {
  const { t, w } = useI18n();
  const query = useApi<List<Drill>>('/operator/backups/drills', undefined, { every: 15_000, keep: true });
  return (
    <section className="card">
      <h2>{t('backups.drills')}</h2>
      <View query={query} empty={(d) => d.items.length === 0} emptyText={t('backups.no_drills')}>
        {(d) => (
          <SimpleTable<Drill> quiet caption={t('backups.drills')} rows={d.items} rowKey={(r) => r.at} columns={[
            { title: t('backups.at'), cell: (r) => dateTimeSeconds(r.at) },
            { title: t('backups.result'), cell: (r) => <span className={r.ok ? '' : 'over'}>{r.ok ? `✓ ${t('backups.passed')}` : `✗ ${t('backups.failed', { why: w(r.fault) })}`}</span> },
            { title: t('backups.restored_to'), cell: (r) => dateTimeSeconds(r.restored_to) },
            { title: t('backups.rpo'), cell: (r) => (r.rpo_s === null ? '—' : t('backups.seconds', { n: number(r.rpo_s, 1) })), right: true },
            { title: t('backups.rto'), cell: (r) => t('backups.seconds', { n: number(r.rto_s, 1) }), right: true },
            { title: t('backups.bytes'), cell: (r) => bytes(r.bytes), right: true },
            { title: t('backups.speed'), cell: (r) => t('backups.per_second', { bytes: bytes(r.bytes_per_s) }), right: true }]} />
        )}
      </View>
    </section>
  );
}

type HoldForm = { name: string; reason: string; basis: string } & Parts;

function HoldsCard() {
  const { t } = useI18n();
  const attempt = useAttempt();
  const query = useApi<Holds>('/operator/holds', undefined, { keep: true });
  const [placing, setPlacing] = useState(false);
  const [releasing, setReleasing] = useState<Hold | null>(null);
  const place = async ({ name, reason, basis, ...parts }: HoldForm) => {
    const scope = Object.fromEntries(Object.entries(parts).filter(([, v]) => v));
    if (await attempt(() => send('POST', '/operator/holds', { name, reason, basis, scope }), 'operator.done')) setPlacing(false);
  };
  const release = async (hold: Hold, reason: string) => {
    if (await attempt(() => send('POST', `/operator/holds/${encodeURIComponent(hold.id)}/release`, { reason }), 'operator.done')) setReleasing(null);
  };
  const need = [{ required: true, message: t('alerts.need_text') }];
  const scope = (h: Hold) => PARTS.filter((p) => h.scope[p]).map((p) => `${t(`backups.hold_${p}`)} ${h.scope[p]}`).join('；') || '—';
  return (
    <section className="card">
      <div className="row"><h2>{t('backups.holds')}</h2><Button onClick={() => setPlacing(true)}>{t('backups.new_hold')}</Button></div>
      <p className="muted small">{t('backups.holds_help')}</p>
      {query.data?.last_expiry ? <p className="small">{t('backups.expiry')}: {t('backups.expiry_value', { at: dateTimeSeconds(query.data.last_expiry.at), values: number(query.data.last_expiry.expired.values, 0), rollups: number(query.data.last_expiry.expired.rollups, 0), held: number(query.data.last_expiry.expired.held, 0) })}</p> : null}
      <View query={query} empty={(d) => d.items.length === 0} emptyText={t('backups.no_holds')}>
        {(d) => (
          <SimpleTable<Holds['items'][number]> quiet caption={t('backups.holds')} rows={d.items} rowKey={(i) => i.hold.id} columns={[
            { title: t('backups.hold_name'), cell: (i) => i.hold.name },
            { title: t('backups.hold_scope'), cell: (i) => scope(i.hold) },
            { title: t('backups.hold_reason'), cell: (i) => i.hold.reason },
            { title: t('backups.hold_basis'), cell: (i) => i.hold.basis },
            { title: t('backups.hold_by'), cell: (i) => `${i.hold.placed_by} ${dateTimeSeconds(i.hold.placed_at)}` },
            { title: t('backups.hold_state'), cell: (i) => (i.in_force ? t('backups.in_force') : i.hold.released_at ? t('backups.released', { why: i.hold.release_reason ?? '' }) : t('backups.ended')) },
            { title: t('backups.release'), cell: (i) => (i.in_force ? <Button size="small" danger aria-label={`${t('backups.release')} ${i.hold.name}`} onClick={() => setReleasing(i.hold)}>{t('backups.release')}</Button> : '—') }]} />
        )}
      </View>
      <Drawer open={placing} onClose={() => setPlacing(false)} destroyOnHidden size={480} title={t('backups.new_hold')} closable={{ 'aria-label': t('verb.close_dialog') }}>
        <Form<HoldForm> layout="vertical" onFinish={(v) => { void place(v); }}>
          <Form.Item name="name" label={t('backups.hold_name')} rules={need}><Input autoComplete="off" maxLength={200} /></Form.Item>
          <Form.Item name="reason" label={t('backups.hold_reason')} rules={need}><Input.TextArea rows={2} maxLength={300} /></Form.Item>
          <Form.Item name="basis" label={t('backups.hold_basis')} rules={need}><Input maxLength={300} /></Form.Item>
          {PARTS.map((p) => <Form.Item key={p} name={p} label={t(`backups.hold_${p}`)}><Input autoComplete="off" /></Form.Item>)}
          <Button type="primary" htmlType="submit">{t('backups.new_hold')}</Button>
        </Form>
      </Drawer>
      <Drawer open={releasing !== null} onClose={() => setReleasing(null)} destroyOnHidden size={480} title={releasing ? t('backups.release_title', { name: releasing.name }) : ''} closable={{ 'aria-label': t('verb.close_dialog') }}>
        {releasing ? (
          <Form<{ reason: string }> layout="vertical" onFinish={(v) => { void release(releasing, v.reason); }}>
            <Form.Item name="reason" label={t('backups.hold_reason')} rules={need}><Input.TextArea rows={3} maxLength={300} /></Form.Item>
            <Button type="primary" danger htmlType="submit">{t('backups.release')}</Button>
          </Form>
        ) : null}
      </Drawer>
    </section>
  );
}

export default function Backups() {
  const { t } = useI18n();
  const { modal } = App.useApp();
  const attempt = useAttempt();
  const query = useApi<Backup>('/operator/backups', undefined, { every: 5_000, keep: true });
  const run = (act: Act) => attempt(() => send('POST', `/operator/jobs/${JOBS[act]}/run`), 'backups.started');
  const ask = (act: Act, help: string) => modal.confirm({ title: t(`backups.${act}`), content: help, okText: t(`backups.${act}`), cancelText: t('verb.cancel'), onOk: () => run(act) });
  const d = query.data;
  const busy = Boolean(d?.doing);
  return (
    <>
      <PageHead title={t('backups.title')}>
        {d?.repository ? (
          <>
            <Button type="primary" disabled={busy} onClick={() => { void run('base'); }}>{t('backups.base')}</Button>
            <Button disabled={busy} onClick={() => { void run('verify'); }}>{t('backups.verify')}</Button>
            <Button disabled={busy} onClick={() => ask('drill', t('backups.drill_help'))}>{t('backups.drill')}</Button>
            <Button disabled={busy} onClick={() => ask('forget', t('backups.forget_help', { keep: d.keep }))}>{t('backups.forget')}</Button>
            {d.copy_folder ? <Button disabled={busy} onClick={() => { void run('copy'); }}>{t('backups.copy')}</Button> : null}
          </>
        ) : null}
      </PageHead>
      <View query={query} lines={8}>{(answer) => <RepositoryCard d={answer} />}</View>
      <Drills />
      {d?.repository ? (
        <section className="card">
          <h2>{t('backups.bases')}</h2>
          {d.repository.bases.length === 0 ? <p>{t('backups.no_bases')}</p> : (
            <SimpleTable<Base> quiet caption={t('backups.bases')} rows={d.repository.bases} rowKey={(b) => String(b.number)} columns={[
              { title: t('backups.number'), cell: (b) => number(b.number, 0) }, { title: t('backups.at'), cell: (b) => dateTimeSeconds(b.at) },
              { title: t('backups.bytes'), cell: (b) => bytes(b.bytes), right: true }, { title: t('backups.edition'), cell: (b) => b.edition },
              { title: t('backups.chain'), cell: (b) => <code className="small">{b.chain}</code> }]} />
          )}
        </section>
      ) : null}
      <HoldsCard />
      <Provenance asOf={query.dataUpdatedAt} source="operator/backups" path="/operator/backups" />
    </>
  );
}
