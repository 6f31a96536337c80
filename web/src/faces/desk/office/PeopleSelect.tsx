// Desk, office: colleagues chosen from the directory by name, position or telephone.
import { useState } from 'react';
import { Select } from 'antd';
import { useApi } from '../../../api/hooks';
import type { components } from '../../../api/schema';
import type { Page } from '../../../api/types';
import { useI18n } from '../../../i18n';
import { personName } from '../../../lib/person';

type Entry = components['schemas']['DirectoryEntry'];

export function PeopleSelect({ label, value, onChange, status }: { label: string; value: string[]; onChange: (accounts: string[]) => void; status?: 'error' }) {
  const { t, w, lang } = useI18n();
  const [text, setText] = useState('');
  const query = useApi<Page<Entry>>('/directory', { text, limit: 50 }, { keep: true });
  const options = (query.data?.items ?? []).map((e) => ({ value: e.account, label: `${personName(e.account, e.name, lang)} · ${w(e.organisation_title)} ${w(e.title)}` }));
  const unique = [...new Map(options.map((o) => [o.value, o])).values()];
  return <Select aria-label={label} mode="multiple" showSearch filterOption={false} status={status} placeholder={t('office.people_help')} value={value} onSearch={setText} onChange={(v: string[]) => { setText(''); onChange(v); }} options={unique} notFoundContent={query.isFetching ? t('state.loading') : t('directory.empty')} />;
}
