// Desk: the catalogue for designers: every item with version, where it stands and whether a working
// copy differs; a new one from nothing or copied from another.
import { useState } from 'react';
import { Button, Input, Modal } from 'antd';
import { Link, useNavigate } from 'react-router';
import { get, send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import { usePaged } from '../../../api/pages';
import { itemPath, type ItemLine, type WorkingCopy } from '../../../api/items';
import { DataTable, type Column } from '../../../components/DataTable';
import { Faults } from '../../../components/Faults';
import { PageHead } from '../../../components/PageHead';
import { Provenance } from '../../../components/Provenance';
import { View } from '../../../components/View';
import { useI18n, type Key } from '../../../i18n';
import { useFilters } from '../../../lib/at';
import { useAttempt } from '../../../lib/attempt';
import { copyOf, isItemName, newContent } from '../../../lib/itemContent';
import { number } from '../../../lib/format';
import { useOrganisations } from '../../../lib/organisations';
import { useSession } from '../../../shell/session';
import { Exports } from '../cases/Exports';
import { SelectIn, TextIn, WordsIn } from './parts';

export default function ItemList() {
  const { t, w } = useI18n();
  const { may } = useSession();
  const filters = useFilters();
  const navigate = useNavigate();
  const nameOf = useOrganisations();
  const [making, setMaking] = useState(false);
  const params = { all: true, text: filters.get('text'), organisation: filters.get('organisation') };
  const paged = usePaged<ItemLine>('/items', params);
  const operates = may('operate', 'items');
  const to = (i: ItemLine) => `/desk/items/${encodeURIComponent(i.item)}`;
  const columns: Column<ItemLine>[] = [
    { key: 'title', title: t('design.title'), width: 200, render: (i) => <Link to={to(i)}>{w(i.title) || i.item}</Link> },
    { key: 'item', title: t('design.item_name'), render: (i) => <code>{i.item}</code> },
    { key: 'type', title: t('design.type'), render: (i) => t(`design.type_${i.type}`) },
    { key: 'organisation', title: t('app.organisation'), render: (i) => nameOf(i.organisation) },
    { key: 'version', title: t('proc.version'), align: 'right', render: (i) => number(i.version, 0) },
    { key: 'state', title: t('word.state'), render: (i) => <span className={`tag plain state-${i.state === 'in_force' ? 'open' : 'closed'}`}>{t(`design.state_${i.state}`)}</span> },
    { key: 'changed', title: t('design.working_copy'), render: (i) => (i.changed ? t('design.copy_differs') : '—') },
    { key: 'promised', title: t('clock.promised'), spare: true, render: (i) => `${i.promised.days} ${t(`clock.${i.promised.count}`)}` },
    { key: 'channels', title: t('design.channels'), spare: true, render: (i) => i.channels.map((c) => t(`desk_channel.${c}`)).join(' · ') },
  ];
  return (
    <>
      <PageHead title={t('design.list')} sub={t('design.list_sub')}><Button type="primary" disabled={!operates} onClick={() => setMaking(true)}>{t('design.new_item')}</Button></PageHead>
      {operates ? null : <p className="muted">{t('design.no_may')}</p>}
      <div className="filters">
        <label>{t('verb.search')}<span data-search><Input.Search id="search" key={filters.get('text')} defaultValue={filters.get('text')} allowClear placeholder={t('counter.find_help')} onSearch={(v) => filters.set({ text: v.trim() || null })} /></span></label>
      </div>
      <View query={paged.query} empty={(p) => p.items.length === 0 && paged.page === 0} emptyText={t('design.list_empty')} lines={8}>
        {(p) => (
          <DataTable<ItemLine> name="items" caption={t('design.list')} rows={p.items} rowKey={(i) => i.item} columns={columns} loading={paged.query.isPlaceholderData} total={p.total} page={paged.page} hasNext={p.next !== null} onPage={paged.turn} onOpen={(i) => { void navigate(to(i)); }}
            tools={<Exports<ItemLine> name="items" path="/items" params={params} head={[t('design.title'), t('design.item_name'), t('design.type'), t('app.organisation'), t('proc.version'), t('word.state')]} cells={(i) => [w(i.title), i.item, t(`design.type_${i.type}`), nameOf(i.organisation), i.version, t(`design.state_${i.state}`)]} />} />
        )}
      </View>
      {making ? <NewItem onClose={() => setMaking(false)} onMade={(item) => { void navigate(`/desk/items/${encodeURIComponent(item)}`); }} /> : null}
      <Provenance asOf={paged.query.dataUpdatedAt} source="items" path="/items" params={params} />
    </>
  );
}

function NewItem({ onClose, onMade }: { onClose: () => void; onMade: (item: string) => void }) {
  const { t, w } = useI18n();
  const { session } = useSession();
  const { error, busy, attempt } = useAttempt();
  const others = useApi<{ items: ItemLine[] }>('/items', { all: true, limit: 200 });
  const [name, setName] = useState('');
  const [title, setTitle] = useState({ zh: '', en: '' });
  const [from, setFrom] = useState('');
  const [missing, setMissing] = useState<Key | null>(null);
  const taken = (others.data?.items ?? []).some((i) => i.item === name);
  const wrong = name && !isItemName(name) ? t('design.item_rule') : taken ? t('design.name_taken') : null;
  const make = async () => {
    const what: Key | null = !name || wrong ? 'design.need_name' : !title.zh.trim() ? 'design.need_title' : null;
    setMissing(what);
    if (what) return;
    const words = { zh: title.zh.trim(), en: title.en.trim() };
    await attempt(async () => {
      const content = from ? copyOf((await get<WorkingCopy>(`${itemPath(from)}/copy`)).content, words) : newContent(words, session?.organisation ?? '');
      await send<WorkingCopy>('PUT', `${itemPath(name)}/copy`, { content });
      onMade(name);
    });
  };
  return (
    <Modal open title={t('design.new_item')} onCancel={onClose} onOk={() => { void make(); }} confirmLoading={busy} okText={t('design.make')} cancelText={t('verb.cancel')} destroyOnHidden closable={{ 'aria-label': t('verb.close_dialog') }}>
      <div className="stack">
        <WordsIn label={t('design.title')} value={title} max={200} onChange={setTitle} />
        <TextIn label={t('design.item_name')} hint={t('design.item_rule')} value={name} max={60} wrong={wrong} onChange={(v) => setName(v.trim())} />
        <SelectIn label={t('design.copy_from')} value={from} none={t('design.from_nothing')} onChange={setFrom} options={(others.data?.items ?? []).map((i) => ({ value: i.item, text: w(i.title) || i.item }))} />
        {missing ? <p className="error-text" role="alert">{t(missing)}</p> : null}
        <Faults error={error} />
      </div>
    </Modal>
  );
}
