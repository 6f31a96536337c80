// Operator: why somebody may or may not, what a person may do, and the matrix of what roles may.
import { useState } from 'react';
import { Button, Input, Select } from 'antd';
import { useApi } from '../../api/hooks';
import type { components } from '../../api/schema';
import type { List } from '../../api/types';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SimpleTable } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n, type Key, type Words } from '../../i18n';
import { useFilters } from '../../lib/at';

type Explanation = components['schemas']['Explanation'];
type Cited = components['schemas']['PolicyCited'];
interface Line { role: string; object: string; verb: string; marks: string[]; purpose: string; basis: string; at: string; now?: boolean }
interface Matrix { roles: { name: string; title: Words }[]; lines: Line[] }
const VERBS = ['read', 'export', 'write', 'handle', 'command', 'operate', 'audit'];

function marked(line: Line): string {
  return line.marks.length ? `${line.verb}[${line.marks.join(' ')}]` : line.verb;
}

function Policies({ title, list }: { title: string; list: Cited[] }) {
  const { t, lang } = useI18n();
  if (list.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul>
        {list.map((p, i) => (
          <li key={`${p.at}-${i}`}>
            <code>{p.at}</code> {p.purpose}{p.basis ? `（${p.basis}）` : ''}
            {p.missing.map((m) => <div key={m.is}>✗ {m.words[lang]}</div>)}
            <details><summary>{t('access.text')}</summary><pre>{p.text}</pre></details>
          </li>
        ))}
      </ul>
    </>
  );
}

function Answer({ why }: { why: Explanation }) {
  const { t, lang } = useI18n();
  const fields = Object.entries((why.mask as { fields?: Record<string, string> }).fields ?? {});
  return (
    <div role="status">
      <p className={why.allowed ? 'card' : 'error-box'}>
        {why.allowed ? `✓ ${t('access.allowed')}：${why.role ?? ''} · ${why.purpose ?? ''} · ${why.basis ?? ''}` : `✗ ${t('access.denied')}`}
      </p>
      {why.missing.length ? <p>{t('access.missing')}：{why.missing.map((m) => m.words[lang]).join('；')}</p> : null}
      {why.would.length ? <p>{t('access.would')}：{why.would.join('、')}</p> : null}
      {fields.length ? <p>{t('access.masked_fields')}：{fields.map(([f, s]) => `${f} ${t(`access.shown_${s}` as Key)}`).join('、')}</p> : null}
      <Policies title={t('access.determining')} list={why.determining} />
      <Policies title={t('access.others')} list={why.others} />
    </div>
  );
}

function Explain() {
  const { t } = useI18n();
  const [asked, setAsked] = useState<{ account: string; do: string; on: string } | null>(null);
  const [form, setForm] = useState({ account: '', do: 'read', on: '' });
  const query = useApi<Explanation>(asked ? '/access/explain' : null, asked ?? undefined);
  const set = (change: Partial<typeof form>) => { setForm({ ...form, ...change }); };
  return (
    <section className="card" aria-label={t('access.explain')}>
      <h2>{t('access.explain')}</h2>
      <p>{t('access.explain_help')}</p>
      <form className="filters" onSubmit={(e) => { e.preventDefault(); if (form.on.trim()) setAsked({ ...form, on: form.on.trim(), account: form.account.trim() }); }}>
        <label>{t('operator.account')}<Input id="explain-account" style={{ width: 170 }} value={form.account} onChange={(e) => { set({ account: e.target.value }); }} /></label>
        <label>{t('operator.verb')}<Select aria-label={t('operator.verb')} style={{ width: 130 }} value={form.do} options={VERBS.map((v) => ({ value: v, label: v }))} onChange={(v: string) => { set({ do: v }); }} /></label>
        <label>{t('access.which')}<Input id="explain-on" style={{ width: 260 }} value={form.on} onChange={(e) => { set({ on: e.target.value }); }} /></label>
        <Button type="primary" htmlType="submit">{t('access.ask')}</Button>
      </form>
      {asked ? <View query={query} lines={3}>{(why) => <Answer why={why} />}</View> : null}
    </section>
  );
}

function Rights() {
  const { t } = useI18n();
  const filters = useFilters();
  const account = filters.get('account');
  const query = useApi<List<Line>>('/access/rights', { account });
  return (
    <section className="card" aria-label={t('access.rights')}>
      <h2>{t('access.rights')}</h2>
      <div className="filters"><label>{t('operator.account')}<Input.Search allowClear style={{ width: 200 }} defaultValue={account} onSearch={(v) => { filters.set({ account: v.trim() }); }} /></label></div>
      <View query={query} empty={(d) => d.items.length === 0}>
        {(d) => (
          <SimpleTable<Line> caption={t('access.rights_caption')} rows={d.items} rowKey={(l, i) => `${l.at}-${l.object}-${l.verb}-${i}`} columns={[
            { title: t('operator.object'), cell: (l) => <code>{l.object}</code> }, { title: t('access.verbs'), cell: marked }, { title: t('access.now'), cell: (l) => (l.now ? `✓ ${t('word.yes')}` : `✗ ${t('word.no')}`) },
            { title: t('access.role'), cell: (l) => l.role }, { title: t('operator.purpose'), cell: (l) => l.purpose }, { title: t('operator.basis'), cell: (l) => l.basis }, { title: t('access.at'), cell: (l) => <code>{l.at}</code> }]} />
        )}
      </View>
    </section>
  );
}

function MatrixTable() {
  const { t, w } = useI18n();
  const query = useApi<Matrix>('/access/matrix');
  return (
    <section className="card" aria-label={t('access.matrix')}>
      <h2>{t('access.matrix')}</h2>
      <View query={query} empty={(d) => d.lines.length === 0} lines={10}>
        {(d) => {
          const objects = [...new Set(d.lines.map((l) => l.object))].sort();
          const cell = (object: string, role: string) => d.lines.filter((l) => l.object === object && l.role === role).map(marked).join('、') || '·';
          return (
            <SimpleTable<string> caption={t('access.matrix_caption')} rows={objects} rowKey={(o) => o} columns={[
              { title: t('operator.object'), cell: (o) => <code>{o}</code> },
              ...d.roles.map((r) => ({ title: `${w(r.title)} (${r.name})`, cell: (o: string) => cell(o, r.name) }))]} />
          );
        }}
      </View>
      <Provenance asOf={query.dataUpdatedAt} source="policy" path="/access/matrix" />
    </section>
  );
}

export default function Access() {
  const { t } = useI18n();
  return (
    <>
      <PageHead title={t('access.title')} />
      <Explain />
      <Rights />
      <MatrixTable />
    </>
  );
}
