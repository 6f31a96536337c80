// Tests: a guest of a shared screen: their calls carry no cookie and a bearer that is nowhere else,
// nothing of them is written into the browser, and their session ends with them.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { endGuest, get, send } from '../../src/api/client';
import { isGuest, welcomeGuest } from '../../src/api/guest';
import { tabKeeper } from '../../src/lib/draft';
import { remember, remembered } from '../../src/lib/memory';

interface Call { path: string; init: RequestInit }
const calls: Call[] = [];
const headersOf = (call: Call | undefined) => call?.init.headers as Record<string, string>;
const storage = () => {
  const kept = new Map<string, string>();
  return { kept, getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => { kept.set(k, v); }, removeItem: (k: string) => { kept.delete(k); } };
};

describe('a guest of a shared screen', () => {
  const local = storage();
  const session = storage();
  beforeEach(() => {
    calls.length = 0;
    vi.stubGlobal('localStorage', local);
    vi.stubGlobal('sessionStorage', session);
    vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
      calls.push({ path, init });
      return Promise.resolve(new Response(JSON.stringify(path === '/api/v1/session' ? { account: 'a', token: 'secret-1' } : {}), { status: 200 }));
    });
  });
  afterEach(() => vi.unstubAllGlobals());

  it('leaves the cookies of the terminal alone and nothing behind', async () => {
    session.setItem('jicheng.delegation', JSON.stringify({ id: 'd1', giver: 'x' }));
    welcomeGuest();
    await send('POST', '/session', { account: 'a', password: 'p' });
    expect(calls[0]?.init.credentials).toBe('omit');
    expect(headersOf(calls[0])?.Authorization).toBeUndefined();
    await get('/drafts');
    expect([calls[1]?.init.credentials, headersOf(calls[1])?.Authorization, headersOf(calls[1])?.['X-Delegation']]).toEqual(['omit', 'Bearer secret-1', undefined]);
    remember('apply.view', 'sheet');
    tabKeeper('01J').set({ change: {}, version: 1 } as never);
    expect(tabKeeper('01J').get()).toBeNull();
    expect([remembered('apply.view'), session.kept.size]).toEqual([null, 1]);
    await endGuest(false);
    expect([calls[2]?.path, calls[2]?.init.method, headersOf(calls[2])?.Authorization]).toEqual(['/api/v1/session', 'DELETE', 'Bearer secret-1']);
    expect(isGuest()).toBe(false);
    await get('/session');
    expect([calls[3]?.init.credentials, headersOf(calls[3])?.Authorization, headersOf(calls[3])?.['X-Delegation']]).toEqual(['same-origin', undefined, 'd1']);
    expect(JSON.stringify([...local.kept, ...session.kept])).not.toContain('secret-1');
  });

  it('leaves the next guest alone who comes while it still saves', async () => {
    welcomeGuest();
    await send('POST', '/session', { account: 'a', password: 'p' });
    const leaving = endGuest(false);
    welcomeGuest();
    await get('/drafts');
    expect(headersOf(calls[1])?.Authorization).toBeUndefined();
    await leaving;
    expect(isGuest()).toBe(true);
    expect([calls[2]?.init.method, headersOf(calls[2])?.Authorization]).toEqual(['DELETE', 'Bearer secret-1']);
    await endGuest(true);
    expect([isGuest(), calls.length]).toEqual([false, 3]);
  });

  it('who never signed in ends no session, and outside a visit no bearer is taken', async () => {
    welcomeGuest();
    await endGuest(true);
    expect(calls).toEqual([]);
    await send('POST', '/session', { account: 'a', password: 'p' });
    await get('/drafts');
    expect(headersOf(calls[1])?.Authorization).toBeUndefined();
    await endGuest(false);
    expect(calls.length).toBe(2);
  });
});
