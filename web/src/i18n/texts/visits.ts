// Words of visits to a service hall and of a resident's inbox.
import type { Pair } from '../lang';

export const visits = {
  'inbox.title': ['我的消息', 'My messages'],
} as const satisfies Record<string, Pair>;
