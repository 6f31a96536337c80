// Portal: applying: loads the draft with the version of the item it follows, and hands both to the
// pages of the form; after handing in, the confirmation.
import { useCallback, useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Link, Navigate, useParams, useSearchParams } from 'react-router';
import { draftPath, type Draft, type Receipt } from '../../../api/applications';
import { get, type ApiError } from '../../../api/client';
import { itemPath, type Item } from '../../../api/items';
import { PageHead } from '../../../components/PageHead';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useSession } from '../../../shell/session';
import { PortalGate } from '../PortalGate';
import { Done } from './Done';
import { Filling, likesSheet } from './Filling';
import './apply.css';
import '../../../components/services.css';

/** Asked once: from then on the queue has it. */
const ONCE = { staleTime: Infinity, gcTime: 0, refetchOnMount: 'always', refetchOnReconnect: false } as const;

function Open({ draft, onDone }: { draft: Draft; onDone: (receipt: Receipt) => void }) {
  const [version, setVersion] = useState(draft.item_version);
  const onVersion = useCallback((next: number) => setVersion(next), []);
  const query = useQuery<Item, ApiError>({ queryKey: [itemPath(draft.item), { version }], queryFn: ({ signal }) => get<Item>(itemPath(draft.item), { version }, signal), placeholderData: (before) => before });
  return <View query={query}>{(item) => <Filling loaded={draft} item={item} onVersion={onVersion} onDone={onDone} />}</View>;
}

function LoadDraft({ id, onDone }: { id: string; onDone: (receipt: Receipt) => void }) {
  const { t } = useI18n();
  const [params] = useSearchParams();
  const query = useQuery<Draft, ApiError>({ queryKey: [draftPath(id), 'open'], queryFn: ({ signal }) => get<Draft>(draftPath(id), undefined, signal), ...ONCE });
  if (query.data && !query.data.submitted_as && likesSheet() && !params.has('view') && !params.has('step')) return <Navigate to={`/apply/${encodeURIComponent(id)}?view=sheet`} replace />;
  return (
    <View query={query}>
      {(draft) => draft.submitted_as ? (
        <div className="one-thing">
          <PageHead title={t('apply.title')} back={{ to: '/portal/applications', text: t('app.mine') }} />
          <section className="card stack" role="status"><p>{t('apply.gone')}</p><p><Link className="button strong" to={`/portal/applications/${encodeURIComponent(draft.submitted_as)}`}>{t('apply.gone_go')}</Link></p></section>
        </div>
      ) : <Open draft={draft} onDone={onDone} />}
    </View>
  );
}

export default function Apply() {
  const { t } = useI18n();
  const { draft = '' } = useParams();
  const { session } = useSession();
  const [receipt, setReceipt] = useState<Receipt | null>(null);
  const [opened, setOpened] = useState(false);
  if (session && !opened) setOpened(true);
  if (receipt) return <div className="one-thing"><Done receipt={receipt} /></div>;
  // Once open the form stays, though the session runs out: what was typed is not taken away.
  if (opened) return <LoadDraft key={draft} id={draft} onDone={setReceipt} />;
  return <div className="one-thing"><PageHead title={t('apply.title')} /><PortalGate>{null}</PortalGate></div>;
}
