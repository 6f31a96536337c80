// Portal, applying: the draft with its queue, for as long as the page is open.
import { useEffect, useReducer, useState } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { draftPath, patchDraft, type Draft } from '../../../api/applications';
import { get } from '../../../api/client';
import { DraftQueue, tabKeeper } from '../../../lib/draft';
import { useSession } from '../../../shell/session';

export function useDraft(draft: Draft): DraftQueue {
  const [, draw] = useReducer((n: number) => n + 1, 0);
  const client = useQueryClient();
  const { session } = useSession();
  const [queue] = useState(() => new DraftQueue(draft, {
    save: (change, version) => patchDraft(draft.id, change, version),
    load: () => get<Draft>(draftPath(draft.id)),
  }, tabKeeper(draft.id), draw));
  useEffect(() => {
    queue.open();
    const again = () => queue.again();
    const leave = (event: BeforeUnloadEvent) => { if (queue.pending()) event.preventDefault(); };
    const hidden = () => { if (document.visibilityState === 'hidden' && queue.pending()) void queue.flush(); };
    addEventListener('online', again);
    addEventListener('beforeunload', leave);
    document.addEventListener('visibilitychange', hidden);
    return () => {
      removeEventListener('online', again);
      removeEventListener('beforeunload', leave);
      document.removeEventListener('visibilitychange', hidden);
      // Leaving by a link of the page: what waits goes now.
      if (queue.pending()) void queue.flush();
      queue.close();
      void client.invalidateQueries({ queryKey: ['/drafts'] });
    };
  }, [queue, client, draft.id]);
  const out = queue.state.is === 'signed_out';
  // The page of signing in must know that the session is over, or it would lead straight back.
  useEffect(() => { if (out) void client.refetchQueries({ queryKey: ['/session'] }); }, [out, client]);
  useEffect(() => { if (session) queue.again(); }, [session, queue]);
  return queue;
}
