// Operator: running cases moved to another version of their process: versions, where each step with
// cases goes, a dry run that says what becomes of each case, then the move itself.
import { useEffect, useState } from 'react';
import { App, Button, Modal, Popconfirm, Select } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { get, send } from '../../../api/client';
import type { Migrated, Migration as Asked, Process, ProcessDrawing } from '../../../api/cases';
import type { Page } from '../../../api/types';
import { Faults } from '../../../components/Faults';
import { SimpleTable } from '../../../components/SimpleTable';
import { useI18n } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import { stepsOf, type Step } from '../../../lib/bpmn';
import { number } from '../../../lib/format';
import { counted, mappingOf, nodeRows, prefilled, type NodeRow } from '../../../lib/migration';

/** Cases shown, at most. */
const SHOWN = 200;

const ask = (asked: Asked): Promise<Page<Migrated>> => send<Page<Migrated>>('POST', '/processes/migrate', asked);

interface Looked { rows: NodeRow[]; targets: Step[]; chosen: Record<string, string> }
interface Outcome { found: Migrated[]; moved: boolean }

export function Migration({ versions, onClose }: { versions: readonly Process[]; onClose: () => void }) {
  const { t } = useI18n();
  const { message } = App.useApp();
  const client = useQueryClient();
  const { error, busy, attempt, clear } = useAttempt();
  const running = versions.filter((p) => p.open > 0);
  const process = versions[0]?.process ?? '';
  const newest = versions[0]?.version ?? 1;
  const [from, setFrom] = useState(running.find((p) => p.version !== newest)?.version ?? running[0]?.version ?? newest);
  const [to, setTo] = useState(from === newest ? (versions.find((p) => p.version !== newest)?.version ?? newest) : newest);
  const [looked, setLooked] = useState<Looked | null>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  useEffect(() => {
    let over = false;
    setLooked(null);
    setOutcome(null);
    clear();
    if (from === to) return undefined;
    void attempt(async () => {
      const path = `/processes/${encodeURIComponent(process)}/drawing`;
      const [old, next, found] = await Promise.all([get<ProcessDrawing>(path, { version: from }), get<ProcessDrawing>(path, { version: to }), ask({ process, from, to, mapping: {}, dry: true })]);
      const rows = nodeRows(found.items, stepsOf(old.xml));
      const targets = stepsOf(next.xml);
      if (!over) setLooked({ rows, targets, chosen: prefilled(rows, targets) });
    });
    return () => { over = true; };
    // Asked anew for other versions only.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [process, from, to]);
  const go = (dry: boolean) => attempt(async () => {
    if (!looked) return;
    const { items } = await ask({ process, from, to, mapping: mappingOf(looked.chosen), dry });
    setOutcome({ found: items, moved: !dry });
    if (dry) return;
    void message.success(t('mig.done', counted(items)));
    await client.invalidateQueries({ predicate: (q) => /^\/(processes|cases|tasks)/.test(String(q.queryKey[0])) });
  });
  const choose = (node: string, next: string) => {
    setOutcome(null);
    setLooked((now) => now && { ...now, chosen: { ...now.chosen, [node]: next } });
  };
  const options = versions.map((p) => ({ value: p.version, label: `${t('cases.version', { n: p.version })} · ${t('proc.open')} ${number(p.open, 0)}` }));
  const sum = outcome ? counted(outcome.found) : { fit: 0, not: 0 };
  return (
    <Modal open width={820} title={`${t('mig.open')} · ${versions[0]?.name || process}`} onCancel={onClose} footer={null} destroyOnHidden closable={{ 'aria-label': t('verb.close_dialog') }}>
      <div className="stack">
        <p className="muted">{t('mig.help')}</p>
        <div className="filters">
          <label>{t('mig.from')}<Select aria-label={t('mig.from')} style={{ width: 220 }} value={from} onChange={setFrom} options={options} /></label>
          <label>{t('mig.to')}<Select aria-label={t('mig.to')} style={{ width: 220 }} value={to} onChange={setTo} options={options} /></label>
        </div>
        {looked ? (looked.rows.length ? (
          <SimpleTable<NodeRow> caption={t('mig.nodes')} rows={looked.rows} rowKey={(row) => row.node} columns={[
            { title: t('mig.node'), cell: (row) => <>{row.name} <code>{row.node}</code></> },
            { title: t('mig.cases'), cell: (row) => number(row.cases, 0), right: true },
            { title: t('mig.goes_to'), cell: (row) => (
              <Select aria-label={`${t('mig.goes_to')} ${row.name}`} style={{ width: 280 }} showSearch optionFilterProp="label" placeholder={t('mig.pick')} value={looked.chosen[row.node]} onChange={(next) => choose(row.node, next)}
                options={looked.targets.filter((step) => step.kind === row.kind || step.id === row.node).map((step) => ({ value: step.id, label: `${step.name}${step.id === row.node ? t('mig.same') : ''}` }))} />
            ) }]} />
        ) : <p>{t('mig.none')}</p>) : null}
        <Faults error={error} />
        <div className="row">
          <Button loading={busy} disabled={!looked?.rows.length} onClick={() => { void go(true); }}>{t('mig.try')}</Button>
          <Popconfirm title={t('mig.confirm', { n: sum.fit })} okText={t('verb.confirm')} cancelText={t('verb.cancel')} onConfirm={() => { void go(false); }} disabled={!sum.fit || outcome?.moved}>
            <Button type="primary" loading={busy} disabled={!sum.fit || outcome?.moved}>{t('mig.run', { n: sum.fit })}</Button>
          </Popconfirm>
        </div>
        {outcome ? (
          <>
            <p role="status">{t(outcome.moved ? 'mig.done' : 'mig.summary', sum)}</p>
            {outcome.found.length > SHOWN ? <p className="muted small">{t('mig.shown', { n: SHOWN })}</p> : null}
            <Outcomes found={outcome.found.slice(0, SHOWN)} moved={outcome.moved} />
          </>
        ) : null}
      </div>
    </Modal>
  );
}

function Outcomes({ found, moved }: { found: readonly Migrated[]; moved: boolean }) {
  const { t, lang } = useI18n();
  return (
    <SimpleTable<Migrated> quiet caption={t('mig.outcome')} rows={found} rowKey={(one) => one.case} columns={[
      { title: t('tasks.number'), cell: (one) => one.number },
      { title: t('tasks.step'), cell: (one) => <code>{one.nodes.join(', ')}</code> },
      { title: t('mig.outcome'), cell: (one) => one.problems.length ? <span className="error-text">{one.problems.map((p) => `${p.at}: ${p.words[lang]}`).join(lang === 'zh' ? '；' : '; ')}</span> : t(moved ? 'mig.moved' : 'mig.fits') }]} />
  );
}
