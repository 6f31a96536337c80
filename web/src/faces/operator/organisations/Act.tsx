// Operator: one act on an organisation: what, from which day, for which reason; refused with every
// fault named.
import { App, Button, DatePicker, Form, Input, Select } from 'antd';
import type { Dayjs } from 'dayjs';
import { send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { components } from '../../../api/schema';
import type { Page } from '../../../api/types';
import { Faults } from '../../../components/Faults';
import { fromPicker } from '../../../components/TimeRange';
import { useI18n, type Key } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import { rfc3339 } from '../../../lib/time';

type S = components['schemas'];
type Listed = S['ListedOrganisation'];
export type ActKind = 'found' | 'change' | 'merge' | 'split' | 'abolish';
const KINDS = ['department', 'institution', 'district', 'street', 'community', 'enterprise', 'city', 'public'] as const;

interface Wanted {
  code?: string; zh?: string; en?: string; kind?: Listed['kind']; parent?: string; credit_code?: string; division?: string; letter_word?: string;
  into?: string; children?: string[]; on?: Dayjs; reason: string;
}

function deed(kind: ActKind, one: Listed, v: Wanted): S['OrganisationDeed'] {
  const fresh = { code: v.code ?? '', kind: v.kind ?? 'department', title: { zh: v.zh ?? '', en: v.en ?? '' }, credit_code: v.credit_code || null, division: v.division || null, letter_word: v.letter_word || null };
  switch (kind) {
    case 'found': return { do: 'found', organisations: [{ ...fresh, parent: one.code }] };
    case 'change': return { do: 'change', code: one.code, title: { zh: v.zh ?? '', en: v.en ?? '' }, kind: v.kind ?? one.kind, parent: v.parent ?? '', credit_code: v.credit_code ?? '', division: v.division ?? '', letter_word: v.letter_word ?? '' };
    case 'merge': return { do: 'merge', from: [one.code], into: v.into ?? '' };
    case 'split': return { do: 'split', code: one.code, into: [fresh], children: Object.fromEntries((v.children ?? []).map((c) => [c, fresh.code])), keep: true };
    default: return { do: 'abolish', code: one.code };
  }
}

export function Act({ kind, one, done }: { kind: ActKind; one: Listed; done: () => void }) {
  const { t, w } = useI18n();
  const { message } = App.useApp();
  const { error, busy, attempt } = useAttempt();
  const below = useApi<Page<Listed>>(kind === 'split' ? '/organisations' : null, { parent: one.code, limit: 500 });
  const names = kind === 'found' || kind === 'change' || kind === 'split';
  const need = [{ required: true, message: t('alerts.need_text') }];
  const run = async (v: Wanted) => {
    const on = v.on ? rfc3339(fromPicker(v.on.startOf('day'))) : null;
    if (await attempt(() => send('POST', '/operator/organisations/acts', { on, reason: v.reason, act: deed(kind, one, v) }))) {
      void message.success(t('org.done'));
      done();
    }
  };
  const first: Partial<Wanted> = kind === 'change' ? { zh: one.title.zh, en: one.title.en, kind: one.kind, parent: one.parent ?? '', credit_code: one.credit_code ?? '', division: one.division ?? '', letter_word: one.letter_word ?? '' } : { kind: 'department' };
  const help: Partial<Record<ActKind, Key>> = { merge: 'org.merge_help', split: 'org.split_help', abolish: 'org.abolish_help' };
  return (
    <>
      <p><strong>{w(one.title)}</strong></p>
      {help[kind] ? <p>{t(help[kind])}</p> : null}
      {one.declared && kind === 'change' ? <p className="banner warn">{t('org.declared_help')}</p> : null}
      <Faults error={error} />
      <Form<Wanted> layout="vertical" initialValues={first} onFinish={(v) => { void run(v); }}>
        {kind === 'found' || kind === 'split' ? <Form.Item name="code" label={t('org.code')} rules={need}><Input autoComplete="off" /></Form.Item> : null}
        {names ? (
          <>
            <Form.Item name="zh" label={t('org.name_zh')} rules={need}><Input autoComplete="off" /></Form.Item>
            <Form.Item name="en" label={t('org.name_en')}><Input autoComplete="off" /></Form.Item>
            <Form.Item name="kind" label={t('org.kind')}><Select options={KINDS.map((k) => ({ value: k, label: t(`kind.${k}`) }))} /></Form.Item>
            {kind === 'change' ? <Form.Item name="parent" label={t('org.parent')}><Input autoComplete="off" /></Form.Item> : null}
            <Form.Item name="credit_code" label={t('org.credit_code')}><Input autoComplete="off" /></Form.Item>
            <Form.Item name="division" label={t('org.division')}><Input autoComplete="off" /></Form.Item>
            <Form.Item name="letter_word" label={t('org.letter_word')} extra={t('org.letter_word_help')}><Input autoComplete="off" maxLength={20} /></Form.Item>
          </>
        ) : null}
        {kind === 'merge' ? <Form.Item name="into" label={t('org.merge_into')} rules={need}><Input autoComplete="off" /></Form.Item> : null}
        {kind === 'split' ? <Form.Item name="children" label={t('org.split_children')}><Select mode="multiple" options={(below.data?.items ?? []).map((o) => ({ value: o.code, label: w(o.title) }))} /></Form.Item> : null}
        <Form.Item name="on" label={t('org.on')} extra={t('org.on_help')}><DatePicker /></Form.Item>
        <Form.Item name="reason" label={t('org.reason')} extra={t('org.reason_help')} rules={need}><Input autoComplete="off" /></Form.Item>
        <Button type="primary" danger={kind === 'abolish' || kind === 'merge'} htmlType="submit" loading={busy}>{t('org.do')}</Button>
      </Form>
    </>
  );
}
