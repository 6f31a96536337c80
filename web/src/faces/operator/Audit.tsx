// Operator: who did what, to what, for which purpose; and whether the chain is whole.
import { useState } from 'react';
import { App, Button, Input } from 'antd';
import { ApiError, send } from '../../api/client';
import { usePaged } from '../../api/pages';
import { useApi } from '../../api/hooks';
import type { components } from '../../api/schema';
import { DataTable, type Column } from '../../components/DataTable';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { TimeRange, useStretch } from '../../components/TimeRange';
import { View } from '../../components/View';
import { useI18n, type Key } from '../../i18n';
import { useFilters } from '../../lib/at';
import { number } from '../../lib/format';
import { useNow } from '../../lib/now';
import { saveFile } from '../../lib/csv';
import { dateTimeSeconds } from '../../lib/time';

interface Entry { seq: number; at: string; account: string; verb: string; object: string; subject: string; purpose: string; basis: string; details: unknown; outcome: string; hash: string }
interface Verdict { ok: boolean; checked: number; first_altered: { seq: number; what: string } | number | null }
const FILTERS = ['account', 'verb', 'object'] as const;

function where(altered: Verdict['first_altered']): string {
  return altered === null ? '?' : typeof altered === 'number' ? String(altered) : `${altered.seq} (${altered.what})`;
}

/** What outsiders need: the newest checkpoint, the log, the public key. */
function Proofs() {
  const { t } = useI18n();
  const query = useApi<components['schemas']['Checkpoint']>('/operator/audit/checkpoint', undefined, { keep: true });
  return (
    <section className="card">
      <h2>{t('proof.title')}</h2>
      <p>{t('proof.help')}</p>
      <View query={query}>
        {(c) => (
          <>
            <p>{t('proof.checkpoint')}：{t('proof.size', { n: number(c.size, 0), time: dateTimeSeconds(c.at) })}</p>
            <p className="row">
              <Button onClick={() => saveFile(`audit-checkpoint-${c.size}.txt`, c.text)}>{t('proof.save')}</Button>
              <Button href="/api/v1/operator/audit/export">{t('proof.export')}</Button>
              <Button href="/api/v1/operator/keys/audit/public">{t('proof.key')}</Button>
            </p>
          </>
        )}
      </View>
    </section>
  );
}

export default function Audit() {
  const { t, lang } = useI18n();
  const { message } = App.useApp();
  const filters = useFilters();
  const stretch = useStretch(useNow(), 'week');
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [busy, setBusy] = useState(false);
  const params = { account: filters.get('account'), verb: filters.get('verb'), object: filters.get('object'), from: stretch.fromText, to: stretch.toText };
  const paged = usePaged<Entry>('/operator/audit', params);
  const verify = async () => {
    setBusy(true);
    try {
      setVerdict(await send<Verdict>('POST', '/operator/audit/verify'));
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      void message.error(e.say(lang));
    } finally {
      setBusy(false);
    }
  };
  const columns: Column<Entry>[] = [
    { key: 'seq', title: '#', align: 'right', render: (e) => number(e.seq, 0) },
    { key: 'at', title: t('word.time'), render: (e) => dateTimeSeconds(e.at) },
    { key: 'account', title: t('operator.account'), render: (e) => e.account },
    { key: 'verb', title: t('operator.verb'), render: (e) => e.verb },
    { key: 'object', title: t('operator.object'), render: (e) => e.object },
    { key: 'subject', title: t('operator.subject'), render: (e) => <code>{e.subject}</code> },
    { key: 'outcome', title: t('operator.outcome'), render: (e) => e.outcome },
    { key: 'purpose', title: t('operator.purpose'), render: (e) => e.purpose },
    { key: 'basis', title: t('operator.basis'), render: (e) => e.basis, spare: true },
    { key: 'details', title: t('operator.details'), render: (e) => <code>{typeof e.details === 'string' ? e.details : JSON.stringify(e.details)}</code>, spare: true },
    { key: 'proof', title: t('proof.proof'), render: (e) => <a href={`/api/v1/operator/audit/${e.seq}/proof`} download={`audit-proof-${e.seq}.json`} aria-label={`${t('proof.proof')} ${e.seq}`}>{t('proof.proof')}</a> },
    { key: 'hash', title: t('operator.hash'), render: (e) => <code>{e.hash.slice(0, 12)}…</code>, spare: true },
  ];
  return (
    <>
      <PageHead title={t('operator.audit')}><Button type="primary" loading={busy} onClick={() => { void verify(); }}>{t('operator.verify')}</Button></PageHead>
      <div role="status">{verdict ? <p className={verdict.ok ? 'card' : 'error-box'}>{verdict.ok ? `✓ ${t('operator.verify_ok', { n: number(verdict.checked, 0) })}` : `✗ ${t('operator.verify_bad', { seq: where(verdict.first_altered), n: number(verdict.checked, 0) })}`}</p> : null}</div>
      <div className="filters">
        <TimeRange stretch={stretch} spans={['day', 'week', 'month']} />
        {FILTERS.map((f) => <label key={f}>{t(`operator.${f}` as Key)}<Input.Search allowClear style={{ width: 170 }} defaultValue={filters.get(f)} onSearch={(v) => filters.set({ [f]: v.trim() })} /></label>)}
      </div>
      <View query={paged.query} empty={(p) => p.items.length === 0 && paged.page === 0} emptyText={t('operator.audit_empty')} lines={10}>
        {(p) => <DataTable<Entry> name="audit" caption={t('operator.audit_caption')} rows={p.items} rowKey={(e) => String(e.seq)} columns={columns} loading={paged.query.isPlaceholderData} total={p.total} page={paged.page} hasNext={p.next !== null} onPage={paged.turn} />}
      </View>
      <Proofs />
      <Provenance asOf={paged.query.dataUpdatedAt} source="store.audit" path="/operator/audit" params={params} />
    </>
  );
}
