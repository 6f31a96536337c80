// Operator: organisations: the tree at any date, lazily, with a search; one organisation beside it.
import { useMemo, useState } from 'react';
import { Button, DatePicker, Drawer, Input, Tree } from 'antd';
import { useNavigate, useParams } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { get } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { components } from '../../api/schema';
import type { Page } from '../../api/types';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { fromPicker, toPicker } from '../../components/TimeRange';
import { View } from '../../components/View';
import { useI18n, type Key } from '../../i18n';
import { useFilters } from '../../lib/at';
import { rfc3339 } from '../../lib/time';
import { useSession } from '../../shell/session';
import { Import } from './organisations/Import';
import { Detail } from './organisations/Detail';
import './organisations/organisations.css';

type Listed = components['schemas']['ListedOrganisation'];
const LIMIT = 500;

interface Branch { key: string; title: string; isLeaf: boolean; children?: Branch[] }

function grown(branches: Branch[], key: string, children: Branch[]): Branch[] {
  return branches.map((b) => b.key === key ? { ...b, children } : b.children ? { ...b, children: grown(b.children, key, children) } : b);
}

/** The tree, level by level. Remade when the date or the language changes. */
function Branches({ at, now, choose }: { at: string; now: string; choose: (code: string) => void }) {
  const { t, w } = useI18n();
  const branch = (o: Listed): Branch => ({ key: o.code, title: o.below ? `${w(o.title)}（${o.below}）` : w(o.title), isLeaf: o.children === 0 });
  const top = useApi<Page<Listed>>('/organisations', { at, limit: LIMIT });
  const [below, setBelow] = useState<Record<string, Listed[]>>({});
  const data = useMemo(() => {
    let tree = (top.data?.items ?? []).map(branch);
    for (const [code, items] of Object.entries(below)) tree = grown(tree, code, items.map(branch));
    return tree;
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [top.data, below, w]);
  const load = async (code: string) => {
    const page = await get<Page<Listed>>('/organisations', { parent: code, at, limit: LIMIT });
    setBelow((before) => ({ ...before, [code]: page.items }));
  };
  return (
    <View query={top} empty={(d) => d.items.length === 0} emptyText={t('org.nothing')}>
      {() => <Tree<Branch> aria-label={t('org.tree')} treeData={data} height={560} selectedKeys={now ? [now] : []} loadData={(node) => load(node.key)} onSelect={(keys) => { const [code] = keys; if (code) choose(String(code)); }} />}
    </View>
  );
}

function Hits({ text, at, choose }: { text: string; at: string; choose: (code: string) => void }) {
  const { t, w } = useI18n();
  const query = useApi<Page<Listed>>('/organisations', { text, at, limit: 100 }, { keep: true });
  return (
    <View query={query} empty={(d) => d.items.length === 0} emptyText={t('org.nothing')}>
      {(d) => (
        <>
          <p className="muted" role="status">{t('org.found_n', { n: d.total })}{d.next ? ` · ${t('org.more', { n: d.items.length })}` : ''}</p>
          <ul className="org-hits">{d.items.map((o) => (
            <li key={o.code}><button type="button" className="link" onClick={() => choose(o.code)}>{w(o.title)}</button> <span className="muted">{t(`kind.${o.kind}` as Key)}{o.path?.length ? ` · ${o.path.map((p) => w(p)).join(' / ')}` : ''}</span></li>
          ))}</ul>
        </>
      )}
    </View>
  );
}

export default function Organisations() {
  const { code = '' } = useParams();
  const { t } = useI18n();
  const { may } = useSession();
  const navigate = useNavigate();
  const client = useQueryClient();
  const filters = useFilters();
  const [importing, setImporting] = useState(false);
  const [round, setRound] = useState(0);
  const [at, text] = [filters.get('as_of'), filters.get('text')];
  const choose = (next: string) => { void navigate({ pathname: `/operator/organisations/${encodeURIComponent(next)}`, search: filters.params.toString() }); };
  const again = () => {
    setRound((n) => n + 1);
    void client.invalidateQueries();
  };
  return (
    <>
      <PageHead title={t('org.title')} sub={t('org.help')}>{may('operate', 'organisations') ? <Button onClick={() => setImporting(true)}>{t('org.import')}</Button> : null}</PageHead>
      <div className="org">
        <section className="card" aria-label={t('org.tree')}>
          <div className="row">
            <Input.Search defaultValue={text} allowClear aria-label={t('org.search')} placeholder={t('org.search')} onSearch={(v) => filters.set({ text: v || null })} />
            <label>{t('org.as_of')} <DatePicker aria-label={t('org.as_of')} placeholder={t('data.now')} value={at ? toPicker(Date.parse(at)) : null} onChange={(d) => filters.set({ as_of: d ? rfc3339(fromPicker(d.startOf('day'))) : null })} /></label>
          </div>
          {text ? <Hits text={text} at={at} choose={choose} /> : <Branches key={`${at} ${round}`} at={at} now={code} choose={choose} />}
        </section>
        <section className="card">{code ? <Detail key={code} code={code} at={at} changed={again} choose={choose} /> : <p className="muted">{t('org.pick')}</p>}</section>
      </div>
      <Drawer open={importing} onClose={() => setImporting(false)} destroyOnHidden size={480} title={t('org.import')} closable={{ 'aria-label': t('verb.close_dialog') }}><Import parent={code} changed={again} /></Drawer>
      <Provenance asOf={Date.now()} source="organisations" path="/organisations" />
    </>
  );
}
