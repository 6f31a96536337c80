// Operator: providers in front of this city (Keycloak, the provincial one): where people may also
// sign in, and what their claims there give them here.
import { useState } from 'react';
import { App, Button, Drawer, Form, Input, Switch } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { Provider, ProviderList } from '../../api/types';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SimpleTable } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';

interface Values {
  id: string; name_zh: string; name_en: string; issuer: string; client_id: string; secret?: string; secret_in_body?: boolean;
  scopes?: string; roles_claim?: string; roles?: string; organisation_claim?: string; organisations?: string;
  makes_accounts?: boolean; disabled?: boolean;
}

/** `theirs = ours, ours` a line. */
function pairs(text: string | undefined): [string, string[]][] {
  return (text ?? '').split('\n').flatMap((line): [string, string[]][] => {
    const cut = line.lastIndexOf('=');
    if (cut < 1) return [];
    return [[line.slice(0, cut).trim(), line.slice(cut + 1).split(/[,，、]/).map((w) => w.trim()).filter(Boolean)]];
  });
}

const text = (map: Record<string, string | string[]>) => Object.entries(map).map(([from, to]) => `${from} = ${[to].flat().join(', ')}`).join('\n');

function bodyOf(v: Values): unknown {
  return {
    spec: {
      name: { zh: v.name_zh, en: v.name_en }, issuer: v.issuer.trim(), client_id: v.client_id.trim(), secret_in_body: v.secret_in_body ?? false,
      scopes: (v.scopes ?? '').split(/\s+/).filter(Boolean), roles_claim: v.roles_claim || null, roles: Object.fromEntries(pairs(v.roles)),
      organisation_claim: v.organisation_claim || null, organisations: Object.fromEntries(pairs(v.organisations).map(([from, to]) => [from, to[0] ?? ''])),
      makes_accounts: v.makes_accounts ?? false,
    },
    secret: v.secret || null, disabled: v.disabled ?? false,
  };
}

function valuesOf(p: Provider): Values {
  return {
    id: p.id, name_zh: p.name.zh, name_en: p.name.en, issuer: p.issuer, client_id: p.client_id, secret_in_body: p.secret_in_body, scopes: p.scopes.join(' '),
    roles_claim: p.roles_claim ?? '', roles: text(p.roles), organisation_claim: p.organisation_claim ?? '', organisations: text(p.organisations),
    makes_accounts: p.makes_accounts, disabled: p.disabled,
  };
}

export default function Providers() {
  const { t, w, lang } = useI18n();
  const { message } = App.useApp();
  const client = useQueryClient();
  const query = useApi<ProviderList>('/operator/providers', undefined, { keep: true });
  const [open, setOpen] = useState<Provider | 'new' | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const save = async (v: Values) => {
    setError(null);
    try {
      await send('PUT', `/operator/providers/${encodeURIComponent(v.id)}`, bodyOf(v));
      void message.success(t('operator.done'));
      setOpen(null);
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      setError(e);
    }
    void client.invalidateQueries({ queryKey: ['/operator/providers'] });
  };
  const need = [{ required: true, message: t('alerts.need_text') }];
  const show = (which: Provider | 'new') => { setError(null); setOpen(which); };
  return (
    <>
      <PageHead title={t('providers.title')}><Button type="primary" onClick={() => show('new')}>{t('providers.new')}</Button></PageHead>
      <section className="card">
        <View query={query} empty={(d) => d.items.length === 0} emptyText={t('providers.empty')}>
          {(d) => (
            <SimpleTable<Provider> caption={t('providers.caption')} rows={d.items} rowKey={(p) => p.id} columns={[
              { title: t('providers.name'), cell: (p) => <button type="button" className="link" onClick={() => show(p)}>{w(p.name)}</button> },
              { title: t('providers.issuer'), cell: (p) => <code>{p.issuer}</code> },
              { title: t('providers.callback'), cell: (p) => <code>{p.callback}</code> },
              { title: t('providers.makes_accounts'), cell: (p) => t(p.makes_accounts ? 'providers.yes' : 'providers.no') },
              { title: t('word.state'), cell: (p) => t(p.disabled ? 'operator.disabled' : 'operator.active') }]} />
          )}
        </View>
      </section>
      <Drawer open={open !== null} onClose={() => setOpen(null)} destroyOnHidden size={560} title={open && open !== 'new' ? w(open.name) : t('providers.new')} closable={{ 'aria-label': t('verb.close_dialog') }}>
        {error ? <div className="error-box" role="alert"><p>{error.say(lang)}</p>{error.problems.map((p, i) => <p key={i}><code>{p.at}</code> {p.words[lang]}</p>)}</div> : null}
        {open ? (
          <Form<Values> layout="vertical" initialValues={open === 'new' ? {} : valuesOf(open)} onFinish={(v) => { void save(v); }}>
            <Form.Item name="id" label={t('providers.id')} rules={need}><Input disabled={open !== 'new'} autoComplete="off" /></Form.Item>
            <Form.Item name="name_zh" label={t('apps.name_zh')} rules={need}><Input /></Form.Item>
            <Form.Item name="name_en" label={t('apps.name_en')} rules={need}><Input /></Form.Item>
            <Form.Item name="issuer" label={t('providers.issuer')} extra={t('providers.issuer_help')} rules={need}><Input /></Form.Item>
            <Form.Item name="client_id" label={t('apps.id')} rules={need}><Input autoComplete="off" /></Form.Item>
            <Form.Item name="secret" label={t('providers.secret')} extra={open !== 'new' && open.has_secret ? t('providers.secret_kept') : undefined}><Input.Password autoComplete="new-password" /></Form.Item>
            <Form.Item name="secret_in_body" label={t('providers.secret_in_body')} valuePropName="checked"><Switch aria-label={t('providers.secret_in_body')} /></Form.Item>
            <Form.Item name="scopes" label={t('providers.scopes')}><Input placeholder="profile" /></Form.Item>
            <Form.Item name="roles_claim" label={t('providers.roles_claim')}><Input placeholder="realm_access.roles" /></Form.Item>
            <Form.Item name="roles" label={t('providers.roles')} extra={t('providers.map_help')}><Input.TextArea rows={3} /></Form.Item>
            <Form.Item name="organisation_claim" label={t('providers.organisation_claim')}><Input /></Form.Item>
            <Form.Item name="organisations" label={t('providers.organisations')}><Input.TextArea rows={3} /></Form.Item>
            <Form.Item name="makes_accounts" label={t('providers.makes_accounts')} valuePropName="checked"><Switch aria-label={t('providers.makes_accounts')} /></Form.Item>
            <Form.Item name="disabled" label={t('operator.disabled')} valuePropName="checked"><Switch aria-label={t('operator.disabled')} /></Form.Item>
            <Button type="primary" htmlType="submit">{t('verb.save')}</Button>
          </Form>
        ) : null}
      </Drawer>
      <Provenance asOf={query.dataUpdatedAt} source="openid" path="/operator/providers" />
    </>
  );
}
