// Shell: who is signed in and what city this is. `may` mirrors the policy only to explain and
// disable; the server decides.
import { createContext, useContext, useEffect, useMemo, type ReactNode } from 'react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { ApiError, get, send } from '../api/client';
import { useApi } from '../api/hooks';
import { covers } from '../lib/access';
import type { Challenge, City, MenuPage, Session } from '../api/types';

interface Here {
  /** Null when nobody is signed in; undefined while not yet known. */
  session: Session | null | undefined;
  city: City | undefined;
  pages: MenuPage[] | undefined;
  menuError: ApiError | null;
  may: (verb: string, object: string) => boolean;
  /** The first step; answers what must be shown next, or null when the session is open. */
  signIn: (account: string, password: string) => Promise<Challenge | null>;
  /** To be called when a session was opened or strengthened: everything is asked anew. */
  signedIn: () => Promise<void>;
  signOut: () => Promise<void>;
}
const Context = createContext<Here | null>(null);

export function SessionProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const session = useQuery<Session | null, ApiError>({
    queryKey: ['/session', {}],
    staleTime: 60_000,
    queryFn: async () => {
      try {
        return await get<Session>('/session');
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return null;
        throw error;
      }
    },
  });
  const city = useApi<City>('/city', undefined, { every: 60_000 });
  const menu = useApi<{ pages: MenuPage[] }>('/menu');
  const account = session.data?.account;
  useEffect(() => {
    // Another person sees another menu and other data.
    void client.invalidateQueries({ queryKey: ['/menu'] });
  }, [account, client]);
  const value = useMemo<Here>(() => {
    const renewed = async () => {
      await client.refetchQueries({ queryKey: ['/session'] });
      await session.refetch();
      void client.refetchQueries({ type: 'active' });
    };
    return {
      session: session.data,
      city: city.data,
      pages: menu.data?.pages,
      menuError: menu.error,
      may: (verb, object) => (session.data?.may ?? []).some((g) => g.do === verb && covers(g.on, object)),
      signIn: async (name, password) => {
        const step = await send<Session | Challenge>('POST', '/session', { account: name, password });
        if ('ticket' in step) return step;
        client.clear();
        await renewed();
        return null;
      },
      signedIn: renewed,
      signOut: async () => {
        await send('DELETE', '/session');
        client.setQueryData(['/session', {}], null);
        client.removeQueries({ predicate: (q) => q.queryKey[0] !== '/session' && q.queryKey[0] !== '/city' && q.queryKey[0] !== '/menu' });
        void client.invalidateQueries();
      },
    };
  }, [session, city.data, menu.data, menu.error, client]);
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useSession(): Here {
  const value = useContext(Context);
  if (!value) throw new Error('useSession outside SessionProvider');
  return value;
}
