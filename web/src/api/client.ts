// API: one door to the server. Every failure becomes an ApiError with a stable code, said in both
// languages; nothing else in the application calls fetch.
import { credentialsNow, farewell, isGuest, learn, settled, underWay, visitNow } from './guest';
import type { ProblemJson } from './types';
import type { Lang, Words } from '../i18n/lang';

export type Params = Record<string, string | number | boolean | null | undefined>;

const ACTING = 'jicheng.delegation';
/** The delegation this tab acts under; null for oneself. */
export const acting = (): { id: string; giver: string } | null => {
  try {
    return JSON.parse(sessionStorage.getItem(ACTING) ?? 'null') as { id: string; giver: string } | null;
  } catch {
    return null;
  }
};
export function actUnder(delegation: { id: string; giver: string } | null): void {
  if (delegation) sessionStorage.setItem(ACTING, JSON.stringify(delegation));
  else sessionStorage.removeItem(ACTING);
}

/** A failure that can be shown: code, what failed, every problem of the input. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  readonly words: Words;
  readonly problems: { at: string; words: Words }[];
  readonly retryAfterS: number | null;
  constructor(problem: ProblemJson) {
    super(`${problem.code}: ${problem.detail_en ?? problem.detail ?? problem.title ?? problem.status}`);
    this.code = problem.code;
    this.status = problem.status;
    const zh = problem.detail ?? problem.title ?? `请求失败（${problem.status}）`;
    this.words = { zh, en: problem.detail_en ?? zh };
    this.problems = problem.problems ?? [];
    this.retryAfterS = problem.retry_after_s ?? null;
  }
  say(lang: Lang): string {
    return this.words[lang] || this.words.zh;
  }
}

function unreachable(): ApiError {
  return new ApiError({
    code: 'network.unreachable', status: 0,
    detail: '无法连接服务器，请检查网络；页面上已有的内容仍然保留。',
    detail_en: 'The server cannot be reached; check the network. What is on the page was kept.',
  });
}

/** The address of a call with its parameters (empty ones left out). */
export function address(path: string, params?: Params): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params ?? {})) {
    if (value !== null && value !== undefined && value !== '') query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `/api/v1${path}?${text}` : `/api/v1${path}`;
}

async function failure(answer: Response): Promise<ApiError> {
  return failureOf(answer.status, await answer.text().catch(() => ''));
}

async function call(path: string, init: RequestInit): Promise<Response> {
  let answer: Response;
  const under = isGuest() ? null : acting();
  const { credentials, headers: own } = credentialsNow();
  const headers = { ...(init.headers as Record<string, string>), ...own, ...(under && !path.includes('/me/delegations') ? { 'X-Delegation': under.id } : {}) };
  try {
    answer = await underWay(fetch(path, { credentials, ...init, headers }));
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw unreachable();
  }
  if (!answer.ok) throw await failure(answer);
  return answer;
}

/** GET as JSON. */
export async function get<T>(path: string, params?: Params, signal?: AbortSignal): Promise<T> {
  const answer = await call(address(path, params), { headers: { Accept: 'application/json' }, signal });
  return (await answer.json()) as T;
}

/** The bytes of a file, for showing it on the page. */
export async function getBytes(path: string): Promise<Blob> {
  return (await call(path, {})).blob();
}

/** Same key on every retry of the same act, so that it is done once. */
export function idempotencyKey(): string {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (b) => b.toString(16).padStart(2, '0')).join('');
}

export interface SendOptions {
  /** Version (or digest) the change is based on. */
  ifMatch?: number | string;
  /** Body is already text of this type. */
  contentType?: string;
  /** Idempotency-Key of an act that is tried again later; a fresh one otherwise. */
  key?: string;
  /** Gives up waiting. */
  signal?: AbortSignal;
}

/** POST, PUT, PATCH or DELETE; answers JSON or nothing. */
export async function send<T>(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  options: SendOptions = {},
): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json', 'X-CSRF': '1' };
  if (method === 'POST') headers['Idempotency-Key'] = options.key ?? idempotencyKey();
  if (options.ifMatch !== undefined) headers['If-Match'] = `"${options.ifMatch}"`;
  const isText = options.contentType !== undefined;
  if (body !== undefined) headers['Content-Type'] = options.contentType ?? 'application/json';
  const answer = await call(address(path), {
    method,
    headers,
    body: body === undefined ? undefined : isText ? (body as string) : JSON.stringify(body),
    signal: options.signal,
  });
  const text = await answer.text();
  const read = (text ? JSON.parse(text) : null) as T;
  if (path.startsWith('/session')) learn(read);
  return read;
}

/** Ends a guest's visit: what they typed last is saved, their session is over, their bearer forgotten. At once when the page itself goes. */
export async function endGuest(atOnce: boolean): Promise<void> {
  if (!isGuest()) return;
  const { visit, bearer } = visitNow();
  // Pages that close save what waits first.
  if (!atOnce) {
    await new Promise((resolve) => { setTimeout(resolve, 0); });
    await settled(3_000);
  }
  farewell(visit);
  if (bearer) await fetch(address('/session'), { method: 'DELETE', credentials: 'omit', keepalive: true, headers: { 'X-CSRF': '1', Authorization: `Bearer ${bearer}` } }).catch(() => undefined);
}

/** Name of a file in any script as an answer says it (RFC 5987); null when it says none. */
export function fileNameOf(disposition: string | null): string | null {
  const coded = /filename\*=UTF-8''([^;\s]+)/i.exec(disposition ?? '')?.[1];
  try {
    return coded ? decodeURIComponent(coded) : (/filename="([^"]+)"/i.exec(disposition ?? '')?.[1] ?? null);
  } catch {
    return null;
  }
}

/** POST whose answer is a file: its name as the server says it, and its bytes. */
export async function sendForFile(path: string, body: unknown): Promise<{ name: string | null; file: Blob }> {
  const headers = { 'X-CSRF': '1', 'Content-Type': 'application/json' };
  const answer = await call(address(path), { method: 'POST', headers, body: JSON.stringify(body) });
  return { name: fileNameOf(answer.headers.get('Content-Disposition')), file: await answer.blob() };
}

function failureOf(status: number, text: string): ApiError {
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    // No problem+json: a proxy's page, or nothing at all.
  }
  if (body && typeof body === 'object' && 'code' in body) return new ApiError({ ...(body as ProblemJson), status });
  return new ApiError({ code: `http.${status}`, status, detail: `服务器返回 ${status}`, detail_en: `the server answered ${status}` });
}

/** POST of a file's bytes, telling the share that has gone (0 to 1). fetch cannot tell it, so this is an XMLHttpRequest. */
export function upload<T>(path: string, params: Params, body: Blob, onShare: (share: number) => void, signal?: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open('POST', address(path, params));
    request.setRequestHeader('Accept', 'application/json');
    request.setRequestHeader('X-CSRF', '1');
    request.setRequestHeader('Idempotency-Key', idempotencyKey());
    request.setRequestHeader('Content-Type', body.type || 'application/octet-stream');
    const under = isGuest() ? null : acting();
    if (under) request.setRequestHeader('X-Delegation', under.id);
    // A bearer goes before the cookie that an XMLHttpRequest sends along.
    for (const [name, value] of Object.entries(credentialsNow().headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (e) => { if (e.lengthComputable) onShare(e.loaded / e.total); };
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new DOMException('aborted', 'AbortError'));
    request.onloadend = () => signal?.removeEventListener('abort', stop);
    request.onload = () => {
      if (request.status < 200 || request.status >= 300) reject(failureOf(request.status, request.responseText));
      else resolve((request.responseText ? JSON.parse(request.responseText) : null) as T);
    };
    signal?.addEventListener('abort', stop);
    request.send(body);
  });
}
