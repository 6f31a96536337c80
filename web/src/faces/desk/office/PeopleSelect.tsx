// Desk, office: colleagues chosen from the members of the office by name, position or telephone:
// whoever can be written to, with a position or without.
import { useRef, useState } from 'react';
import { Select } from 'antd';
import { useApi } from '../../../api/hooks';
import type { components } from '../../../api/schema';
import type { Page } from '../../../api/types';
import { useI18n } from '../../../i18n';
import { personName } from '../../../lib/person';

type Member = components['schemas']['OfficeMember'];
interface Option { value: string; label: string }

export function PeopleSelect({ label, value, onChange, status }: { label: string; value: string[]; onChange: (accounts: string[]) => void; status?: 'error' }) {
  const { t, w, lang } = useI18n();
  const [text, setText] = useState('');
  const query = useApi<Page<Member>>('/office/directory', { words: text, limit: 50 }, { keep: true });
  const found: Option[] = (query.data?.items ?? []).map((m) => ({ value: m.account, label: [personName(m.account, m.name, lang), '·', w(m.organisation_title), ...m.positions.map(w)].join(' ') }));
  // Whoever is chosen keeps their name while others are looked for.
  const known = useRef(new Map<string, Option>());
  for (const one of found) known.current.set(one.value, one);
  const chosen = value.filter((account) => !found.some((one) => one.value === account)).flatMap((account) => known.current.get(account) ?? []);
  return <Select aria-label={label} mode="multiple" showSearch defaultActiveFirstOption={false} filterOption={false} status={status} placeholder={t('office.people_help')} value={value} onSearch={setText} onChange={(v: string[]) => { setText(''); onChange(v); }} options={[...found, ...chosen]} notFoundContent={query.isFetching ? t('state.loading') : t('directory.empty')} />;
}
