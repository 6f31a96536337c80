// Operator: accounts: create, disable with a confirmation, change roles.
import { useState } from 'react';
import { App, Button, Drawer, Form, Input, Select } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { AccountChange, List, NewAccount } from '../../api/types';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SimpleTable } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { personName } from '../../lib/person';
import { useRoleList, useRoles } from '../../lib/roles';
import { dateTime } from '../../lib/time';
import { AccountHelp } from './AccountHelp';

interface Account { name: string; display: string; roles: string[]; organisation: string | null; disabled: boolean; last_sign_in: string | null; second_factors: number }

export default function Accounts() {
  const { t, w, lang } = useI18n();
  const { message, modal } = App.useApp();
  const client = useQueryClient();
  const query = useApi<List<Account>>('/operator/accounts', undefined, { keep: true });
  const [creating, setCreating] = useState(false);
  const [changing, setChanging] = useState<Account | null>(null);
  const [helping, setHelping] = useState<string | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const roleTitle = useRoles();
  const known = useRoleList().map((role) => ({ value: role.name, label: `${w(role.title)} (${role.name})` }));
  const attempt = async (work: () => Promise<unknown>) => {
    setError(null);
    try {
      await work();
      void message.success(t('operator.done'));
      setCreating(false);
      setChanging(null);
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      setError(e);
      void message.error(e.say(lang));
    }
    void client.invalidateQueries({ queryKey: ['/operator/accounts'] });
  };
  const patch = (a: Account, change: AccountChange) => attempt(() => send('PATCH', `/operator/accounts/${encodeURIComponent(a.name)}`, change));
  const toggle = (a: Account) => {
    if (a.disabled) void patch(a, { disabled: false });
    else modal.confirm({ title: t('operator.disable_title', { name: personName(a.name, a.display, lang) }), content: t('operator.disable_help'), okText: t('operator.disable'), cancelText: t('verb.cancel'), okButtonProps: { danger: true }, onOk: () => patch(a, { disabled: true }) });
  };
  const faults = error ? <div className="error-box" role="alert"><p>{error.say(lang)}</p>{error.problems.map((p, i) => <p key={i}><code>{p.at}</code> {p.words[lang]}</p>)}</div> : null;
  const rolePick = <Select mode="tags" options={known} placeholder={t('operator.roles_help')} />;
  return (
    <>
      <PageHead title={t('operator.accounts')}><Button type="primary" onClick={() => setCreating(true)}>{t('operator.new_account')}</Button></PageHead>
      <section className="card">
        <View query={query} empty={(d) => d.items.length === 0}>
          {(d) => (
            <SimpleTable<Account> caption={t('operator.accounts_caption')} rows={d.items} rowKey={(a) => a.name} columns={[
              { title: t('operator.name'), cell: (a) => <code>{a.name}</code> }, { title: t('operator.display'), cell: (a) => personName(a.name, a.display, lang) }, { title: t('operator.roles'), cell: (a) => a.roles.map(roleTitle).join('、') },
              { title: t('operator.organisation'), cell: (a) => a.organisation ?? '—' }, { title: t('word.state'), cell: (a) => t(a.disabled ? 'operator.disabled' : 'operator.active') }, { title: t('operator.last_sign_in'), cell: (a) => dateTime(a.last_sign_in) }, { title: t('operator.second_factors'), cell: (a) => a.second_factors, right: true },
              { title: t('operator.change_roles'), cell: (a) => <span className="row"><Button size="small" aria-label={`${t('operator.change_roles')} ${a.name}`} onClick={() => setChanging(a)}>{t('operator.change_roles')}</Button><Button size="small" aria-label={`${t('operator.help_account')} ${a.name}`} onClick={() => setHelping(a.name)}>{t('operator.help_account')}</Button><Button size="small" danger={!a.disabled} aria-label={`${t(a.disabled ? 'operator.enable' : 'operator.disable')} ${a.name}`} onClick={() => toggle(a)}>{t(a.disabled ? 'operator.enable' : 'operator.disable')}</Button></span> }]} />
          )}
        </View>
      </section>
      <Drawer open={creating} onClose={() => setCreating(false)} destroyOnHidden size={480} title={t('operator.new_account')} closable={{ 'aria-label': t('verb.close_dialog') }}>
        {faults}
        <Form<NewAccount> layout="vertical" onFinish={(v) => { void attempt(() => send('POST', '/operator/accounts', { ...v, roles: v.roles ?? [] })); }}>
          <Form.Item name="name" label={t('operator.name')} rules={[{ required: true, message: t('alerts.need_text') }]}><Input autoComplete="off" /></Form.Item>
          <Form.Item name="display" label={t('operator.display')} rules={[{ required: true, message: t('alerts.need_text') }]}><Input autoComplete="off" /></Form.Item>
          <Form.Item name="password" label={t('operator.password')} extra={t('login.password_rule')} rules={[{ required: true, min: 8, message: t('login.password_rule') }]}><Input.Password autoComplete="new-password" /></Form.Item>
          <Form.Item name="roles" label={t('operator.roles')} rules={[{ required: true, message: t('alerts.need_text') }]}>{rolePick}</Form.Item>
          <Form.Item name="organisation" label={t('operator.organisation')}><Input /></Form.Item>
          <Button type="primary" htmlType="submit">{t('verb.create')}</Button>
        </Form>
      </Drawer>
      <Drawer open={changing !== null} onClose={() => setChanging(null)} destroyOnHidden size={480} title={changing ? t('operator.roles_title', { name: personName(changing.name, changing.display, lang) }) : ''} closable={{ 'aria-label': t('verb.close_dialog') }}>
        {faults}
        {changing ? (
          <Form<{ roles: string[] }> layout="vertical" initialValues={{ roles: changing.roles }} onFinish={(v) => { void patch(changing, { roles: v.roles }); }}>
            <Form.Item name="roles" label={t('operator.roles')}>{rolePick}</Form.Item>
            <Button type="primary" htmlType="submit">{t('verb.save')}</Button>
          </Form>
        ) : null}
      </Drawer>
      {helping ? <AccountHelp name={helping} onClose={() => setHelping(null)} /> : null}
      <Provenance asOf={query.dataUpdatedAt} source="identity" path="/operator/accounts" />
    </>
  );
}
