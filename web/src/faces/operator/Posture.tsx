// Operator: how safe the running city is, item by item of the standards, with the evidence.
import { useState } from 'react';
import { Button, Segmented } from 'antd';
import { address } from '../../api/client';
import { useApi } from '../../api/hooks';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SimpleTable } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n, type Key } from '../../i18n';

interface Words { zh: string; en: string }
interface Finding { check: string; state: string; words: Words; figures: Record<string, unknown>; at: string }
interface Item { name: string; standard: string; title: Words; state: string; findings: Finding[]; by: Words | null }
interface Answer { at: string; counts: Record<string, number>; items: Item[] }

const STATES = ['not_met', 'partly', 'unknown', 'met', 'not_ours'];
// A shape beside the word: never by colour alone.
const MARK: Record<string, string> = { met: '●', partly: '◐', not_met: '▲', unknown: '○', not_ours: '—' };

export default function Posture() {
  const { t, lang } = useI18n();
  const query = useApi<Answer>('/operator/posture', undefined, { every: 60_000, keep: true });
  const [state, setState] = useState('all');
  const word = (name: string) => t(`posture.${name}` as Key);
  const csv = address('/operator/posture', { format: 'csv' });
  return (
    <>
      <PageHead title={t('posture.title')} sub={t('posture.help')}><Button onClick={() => window.print()}>{t('posture.print')}</Button></PageHead>
      <section className="card">
        <View query={query} lines={12}>
          {(d) => (
            <>
              <div className="scroll" tabIndex={0} role="region" aria-label={t('posture.state')}>
                <Segmented value={state} onChange={setState} options={[{ value: 'all', label: `${t('posture.all')} ${d.items.length}` }, ...STATES.map((s) => ({ value: s, label: `${MARK[s]} ${word(s)} ${d.counts[s] ?? 0}` }))]} />
              </div>
              <SimpleTable<Item> caption={t('posture.title')} quiet rows={d.items.filter((i) => state === 'all' || i.state === state)} rowKey={(i) => i.name} columns={[
                { title: t('posture.item'), cell: (i) => i.title[lang] },
                { title: t('posture.standard'), cell: (i) => <span className="small muted">{i.standard}</span> },
                { title: t('posture.state'), cell: (i) => <span className={i.state === 'not_met' ? 'over' : ''} style={{ whiteSpace: 'nowrap' }}>{MARK[i.state]} {word(i.state)}</span> },
                { title: t('posture.evidence'), cell: (i) => i.by ? t('posture.by', { by: i.by[lang] }) : <ul className="plain">{i.findings.map((f) => <li key={f.check}>{MARK[f.state]} {f.words[lang]}{Object.keys(f.figures).length ? <details><summary className="small">{t('posture.figures')}</summary><code className="small">{JSON.stringify(f.figures)}</code></details> : null}</li>)}</ul> }]} />
            </>
          )}
        </View>
      </section>
      <Provenance asOf={query.data?.at ?? query.dataUpdatedAt} source="posture" path="/operator/posture" downloads={[{ text: 'CSV', href: csv }]} />
    </>
  );
}
