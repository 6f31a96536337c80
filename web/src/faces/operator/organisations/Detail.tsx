// Operator: one organisation at a date: members, positions, history; acts on it.
import { Fragment, useState } from 'react';
import { App, Button, Drawer, Dropdown, Form, Input, Select, Tabs } from 'antd';
import { Link } from 'react-router';
import { send } from '../../../api/client';
import { useApi } from '../../../api/hooks';
import type { components } from '../../../api/schema';
import type { List, Page } from '../../../api/types';
import { Faults } from '../../../components/Faults';
import { SimpleTable } from '../../../components/SimpleTable';
import { Empty, View } from '../../../components/View';
import { useI18n, type Key } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import { personName } from '../../../lib/person';
import { useRoleList, useRoles } from '../../../lib/roles';
import { date, dateTime } from '../../../lib/time';
import { useSession } from '../../../shell/session';
import { Act, type ActKind } from './Act';

type S = components['schemas'];
type Props = { code: string; at: string; changed: () => void; choose: (code: string) => void };
const ACTS: ActKind[] = ['found', 'change', 'merge', 'split', 'abolish'];
const period = (from: string, to: string | null | undefined) => `${date(from)} – ${to ? date(to) : ''}`;

export function Detail({ code, at, changed, choose }: Props) {
  const { t, w } = useI18n();
  const { may } = useSession();
  const [act, setAct] = useState<ActKind | null>(null);
  const query = useApi<S['OrganisationDetail']>(`/organisations/${encodeURIComponent(code)}`, { at });
  return (
    <View query={query}>
      {(d) => {
        const o = d.organisation;
        return (
          <>
            {o ? <Head one={o} letters={d.letters} choose={choose} /> : <><h2>{w(d.history[0]?.title)}</h2><p className="banner warn">{t('org.not_then')}</p></>}
            {o && may('operate', 'organisations') ? (
              <p><Dropdown menu={{ items: ACTS.map((kind) => ({ key: kind, label: t(`org.act_${kind}` as Key), disabled: o.declared && kind === 'abolish' })), onClick: ({ key }) => setAct(key as ActKind) }}><Button>{t('act.change')} ▾</Button></Dropdown></p>
            ) : null}
            <Tabs items={[
              { key: 'members', label: t('org.members'), children: <Members code={code} at={at} changed={changed} /> },
              { key: 'positions', label: t('org.positions'), children: <Positions code={code} at={at} changed={changed} /> },
              { key: 'history', label: t('org.history'), children: <History detail={d} /> },
            ]} />
            <Drawer open={act !== null} onClose={() => setAct(null)} destroyOnHidden size={480} title={act ? t(`org.act_${act}` as Key) : ''} closable={{ 'aria-label': t('verb.close_dialog') }}>
              {act && o ? <Act kind={act} one={o} done={() => { setAct(null); changed(); }} /> : null}
            </Drawer>
          </>
        );
      }}
    </View>
  );
}

function Head({ one, letters, choose }: { one: S['ListedOrganisation']; letters: string | null; choose: (code: string) => void }) {
  const { t, w } = useI18n();
  const path = (one.path ?? []).map((p) => w(p)).join(' / ');
  const facts: [string, React.ReactNode][] = [
    [t('org.code'), <code key="c">{one.code}</code>], [t('org.kind'), t(`kind.${one.kind}` as Key)],
    [t('org.parent'), one.parent ? <button key="p" type="button" className="link" onClick={() => choose(one.parent ?? '')}>{path}</button> : t('org.top')],
    [t('org.valid'), period(one.valid_from, one.valid_to)],
    ...(one.credit_code ? [[t('org.credit_code'), <code key="u">{one.credit_code}</code>] as [string, React.ReactNode]] : []),
    ...(letters ? [[t('org.letter_word'), <span key="w">{letters}{one.letter_word ? '' : ` ${t('org.letter_word_usual')}`}</span>] as [string, React.ReactNode]] : []),
    ...(one.division ? [[t('org.division'), <code key="d">{one.division}</code>] as [string, React.ReactNode]] : []),
  ];
  return (
    <>
      <h2>{w(one.title)}</h2>
      <p className="muted">{t('org.below_n', { children: one.children, below: one.below })}{one.declared ? ` · ${t('org.declared')}` : ''}</p>
      <dl className="facts">{facts.map(([name, value]) => <Fragment key={name}><dt>{name}</dt><dd>{value}</dd></Fragment>)}</dl>
    </>
  );
}

function Members({ code, at, changed }: { code: string; at: string; changed: () => void }) {
  const { t, w, lang } = useI18n();
  const { modal } = App.useApp();
  const path = `/organisations/${encodeURIComponent(code)}`;
  const query = useApi<Page<S['DirectoryEntry']>>(`${path}/members`, { at, limit: 500 });
  const positions = useApi<List<S['Position']>>(`${path}/positions`, { at });
  const [inviting, setInviting] = useState(false);
  const { error, busy, attempt, clear } = useAttempt();
  const invite = async (v: S['Invitation']) => {
    await attempt(async () => {
      const made = await send<S['Invited']>('POST', `${path}/invitations`, v);
      setInviting(false);
      modal.success({ title: t('org.invited_title', { account: made.account }), content: <><p>{t('org.invited_help')}</p><p><code className="invited-password">{made.password}</code></p></> });
      changed();
    });
  };
  return (
    <>
      <p><Button type="primary" onClick={() => { clear(); setInviting(true); }}>{t('org.invite')}</Button></p>
      <View query={query} empty={(d) => d.items.length === 0} emptyText={t('org.no_members')}>
        {(d) => (
          <SimpleTable<S['DirectoryEntry']> caption={t('org.members_caption')} rows={d.items} rowKey={(e) => e.appointment} columns={[
            { title: t('org.person'), cell: (e) => <Link to={`/operator/members/${encodeURIComponent(e.account)}`}>{personName(e.account, e.name, lang)}</Link> }, { title: t('org.position'), cell: (e) => w(e.title) },
            { title: t('org.rank'), cell: (e) => t(`rank.${e.rank}` as Key) }, { title: t('org.main'), cell: (e) => t(e.main ? 'org.main' : 'org.concurrent') },
            { title: t('org.phone'), cell: (e) => e.phone || '—' }, { title: t('org.since'), cell: (e) => date(e.since) }, { title: t('word.state'), cell: (e) => e.away ? e.substitute ? t('org.away_by', { name: e.substitute }) : t('org.away') : '—' }]} />
        )}
      </View>
      <Drawer open={inviting} onClose={() => setInviting(false)} destroyOnHidden size={480} title={t('org.invite')} closable={{ 'aria-label': t('verb.close_dialog') }}>
        <Faults error={error} />
        <Form<S['Invitation']> layout="vertical" onFinish={(v) => { void invite(v); }}>
          <Form.Item name="account" label={t('org.account')} rules={[{ required: true, message: t('alerts.need_text') }]}><Input autoComplete="off" /></Form.Item>
          <Form.Item name="name" label={t('org.person')} rules={[{ required: true, message: t('alerts.need_text') }]}><Input autoComplete="off" /></Form.Item>
          <Form.Item name="position" label={t('org.position')} rules={[{ required: true, message: t('alerts.need_text') }]}><Select options={(positions.data?.items ?? []).map((p) => ({ value: p.id, label: w(p.title) }))} /></Form.Item>
          <Form.Item name="phone" label={t('org.phone')}><Input autoComplete="off" /></Form.Item>
          <Form.Item name="room" label={t('org.room')}><Input autoComplete="off" /></Form.Item>
          <Button type="primary" htmlType="submit" loading={busy}>{t('org.invite')}</Button>
        </Form>
      </Drawer>
    </>
  );
}

function Positions({ code, at, changed }: { code: string; at: string; changed: () => void }) {
  const { t, w } = useI18n();
  const roleTitle = useRoles();
  const roles = useRoleList().map((role) => ({ value: role.name, label: `${w(role.title)} (${role.name})` }));
  const path = `/organisations/${encodeURIComponent(code)}/positions`;
  const query = useApi<List<S['Position']>>(path, { at });
  const [making, setMaking] = useState(false);
  const { error, busy, attempt, clear } = useAttempt();
  const make = async (v: { zh: string; en?: string; roles?: string[]; rank?: S['Position']['rank'] }) => {
    const body = { organisation: code, title: { zh: v.zh, en: v.en ?? '' }, roles: v.roles ?? [], rank: v.rank ?? 'staff' };
    if (await attempt(() => send('POST', path, body))) {
      setMaking(false);
      changed();
    }
  };
  return (
    <>
      <p><Button type="primary" onClick={() => { clear(); setMaking(true); }}>{t('org.new_position')}</Button></p>
      <View query={query} empty={(d) => d.items.length === 0} emptyText={t('org.no_positions')}>
        {(d) => (
          <SimpleTable<S['Position']> caption={t('org.positions_caption')} rows={d.items} rowKey={(p) => p.id} columns={[
            { title: t('org.position_title'), cell: (p) => w(p.title) }, { title: t('org.rank'), cell: (p) => t(`rank.${p.rank}` as Key) },
            { title: t('org.roles'), cell: (p) => p.roles.map(roleTitle).join('、') || '—' }, { title: t('org.holders'), cell: (p) => (p.holders ?? []).join('、') || '—' }]} />
        )}
      </View>
      <Drawer open={making} onClose={() => setMaking(false)} destroyOnHidden size={480} title={t('org.new_position')} closable={{ 'aria-label': t('verb.close_dialog') }}>
        <Faults error={error} />
        <Form<{ zh: string; en?: string; roles?: string[]; rank?: S['Position']['rank'] }> layout="vertical" initialValues={{ rank: 'staff' }} onFinish={(v) => { void make(v); }}>
          <Form.Item name="zh" label={t('org.name_zh')} rules={[{ required: true, message: t('alerts.need_text') }]}><Input autoComplete="off" /></Form.Item>
          <Form.Item name="en" label={t('org.name_en')}><Input autoComplete="off" /></Form.Item>
          <Form.Item name="rank" label={t('org.rank')}><Select options={(['head', 'deputy', 'staff'] as const).map((r) => ({ value: r, label: t(`rank.${r}`) }))} /></Form.Item>
          <Form.Item name="roles" label={t('org.roles')} extra={t('org.roles_help')}><Select mode="tags" options={roles} optionFilterProp="label" /></Form.Item>
          <Button type="primary" htmlType="submit" loading={busy}>{t('org.new_position')}</Button>
        </Form>
      </Drawer>
    </>
  );
}

function History({ detail }: { detail: S['OrganisationDetail'] }) {
  const { t, w } = useI18n();
  if (!detail.history.length) return <Empty />;
  return (
    <>
      <SimpleTable<S['Organisation']> caption={t('org.versions_caption')} rows={detail.history} rowKey={(o) => o.valid_from} columns={[
        { title: t('org.name_zh'), cell: (o) => w(o.title) }, { title: t('org.kind'), cell: (o) => t(`kind.${o.kind}` as Key) }, { title: t('org.parent'), cell: (o) => o.parent ?? '—' }, { title: t('org.valid'), cell: (o) => period(o.valid_from, o.valid_to) }]} />
      <SimpleTable<S['OrganisationActDone']> caption={t('org.acts_caption')} rows={detail.acts} rowKey={(a) => a.id} columns={[
        { title: t('act.change'), cell: (a) => t(`act.${a.what}` as Key) }, { title: t('org.on'), cell: (a) => date(a.on) }, { title: t('org.reason'), cell: (a) => a.reason }, { title: t('member.signed_by'), cell: (a) => `${a.by} · ${dateTime(a.at)}` }]} />
    </>
  );
}
