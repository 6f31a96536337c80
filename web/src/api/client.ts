// API: one door to the server. Every failure becomes an ApiError with a stable code, said in both
// languages; nothing else in the application calls fetch.
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
  const body: unknown = await answer.json().catch(() => null);
  const known = body && typeof body === 'object' && 'code' in body;
  if (known) return new ApiError({ ...(body as ProblemJson), status: answer.status });
  return new ApiError({
    code: `http.${answer.status}`, status: answer.status,
    detail: `服务器返回 ${answer.status}`, detail_en: `the server answered ${answer.status}`,
  });
}

async function call(path: string, init: RequestInit): Promise<Response> {
  let answer: Response;
  const under = acting();
  const headers = under && !path.includes('/me/delegations') ? { ...(init.headers as Record<string, string>), 'X-Delegation': under.id } : init.headers;
  try {
    answer = await fetch(path, { credentials: 'same-origin', ...init, headers });
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

/** Same key on every retry of the same act, so that it is done once. */
function idempotencyKey(): string {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (b) => b.toString(16).padStart(2, '0')).join('');
}

export interface SendOptions {
  /** Version the change is based on. */
  ifMatch?: number;
  /** Body is already text of this type. */
  contentType?: string;
}

/** POST, PUT, PATCH or DELETE; answers JSON or nothing. */
export async function send<T>(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  options: SendOptions = {},
): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json', 'X-CSRF': '1' };
  if (method === 'POST') headers['Idempotency-Key'] = idempotencyKey();
  if (options.ifMatch !== undefined) headers['If-Match'] = `"${options.ifMatch}"`;
  const isText = options.contentType !== undefined;
  if (body !== undefined) headers['Content-Type'] = options.contentType ?? 'application/json';
  const answer = await call(address(path), {
    method,
    headers,
    body: body === undefined ? undefined : isText ? (body as string) : JSON.stringify(body),
  });
  const text = await answer.text();
  return (text ? JSON.parse(text) : null) as T;
}
