// Operator: the register of applications that sign people on here: registered, given a new secret,
// disabled; what each one's use amounts to, and how to connect one.
import { useState, type ReactNode } from 'react';
import { App, Button, Checkbox, Drawer, Form, Input, Select, Switch } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../api/client';
import { useApi } from '../../api/hooks';
import type { Application, ApplicationList, ApplicationSecret, ApplicationUsage, RegisteredApplication } from '../../api/types';
import { PageHead } from '../../components/PageHead';
import { Provenance } from '../../components/Provenance';
import { SimpleTable } from '../../components/SimpleTable';
import { View } from '../../components/View';
import { useI18n } from '../../i18n';
import { dateTime } from '../../lib/time';

const METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const;
const SUBJECTS = ['pairwise', 'public'] as const;

interface FormValues {
  name_zh: string; name_en: string; purpose_zh: string; purpose_en: string; organisation?: string;
  method: (typeof METHODS)[number]; jwks?: string; redirect: string; bye?: string; hear?: string;
  scopes: string[]; subject: (typeof SUBJECTS)[number]; trusted?: boolean;
}

const lines = (text: string | undefined) => (text ?? '').split('\n').map((line) => line.trim()).filter(Boolean);

function specOf(v: FormValues): unknown {
  return {
    name: { zh: v.name_zh, en: v.name_en }, purpose: { zh: v.purpose_zh, en: v.purpose_en }, organisation: v.organisation || null,
    method: v.method, jwks: v.method === 'private_key_jwt' && v.jwks ? (JSON.parse(v.jwks) as unknown) : null,
    redirect_uris: lines(v.redirect), post_logout_redirect_uris: lines(v.bye), backchannel_logout_uri: v.hear || null,
    scopes: v.scopes, subject: v.subject, trusted: v.trusted ?? false,
  };
}

/** What a developer pastes to begin with. */
function snippet(issuer: string, id: string, secret: string | null): string {
  return `# Python, Authlib\nfrom authlib.integrations.requests_client import OAuth2Session\n\nclient = OAuth2Session("${id}", ${secret ? `"${secret}"` : 'None'},\n    scope="openid profile", redirect_uri="https://your.app/callback",\n    code_challenge_method="S256")\n# discovery: ${issuer}/.well-known/openid-configuration`;
}

interface Shown { id: string; secret: string | null }

export default function Applications() {
  const { t, w, lang } = useI18n();
  const { message, modal } = App.useApp();
  const client = useQueryClient();
  const query = useApi<ApplicationList>('/operator/applications', undefined, { keep: true });
  const [creating, setCreating] = useState(false);
  const [shown, setShown] = useState<Shown | null>(null);
  const [open, setOpen] = useState<Application | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const attempt = async (work: () => Promise<unknown>) => {
    setError(null);
    try {
      await work();
      void message.success(t('operator.done'));
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      setError(e);
      void message.error(e.say(lang));
    }
    void client.invalidateQueries({ queryKey: ['/operator/applications'] });
  };
  const register = (v: FormValues) => attempt(async () => {
    const made = await send<RegisteredApplication>('POST', '/operator/applications', specOf(v));
    setCreating(false);
    setShown({ id: made.application.id, secret: made.secret });
  });
  const rotate = (a: Application) => {
    let atOnce = false;
    modal.confirm({
      title: t('apps.rotate_title', { name: w(a.name) }), okText: t('apps.rotate'), cancelText: t('verb.cancel'),
      content: <div className="stack"><p>{t('apps.rotate_help')}</p><Checkbox onChange={(e) => { atOnce = e.target.checked; }}>{t('apps.rotate_at_once')}</Checkbox></div>,
      onOk: () => attempt(async () => {
        const made = await send<ApplicationSecret>('POST', `/operator/applications/${a.id}/secret`, { at_once: atOnce });
        setShown({ id: a.id, secret: made.secret });
      }),
    });
  };
  const patch = (a: Application, disabled: boolean) => attempt(() => send('PATCH', `/operator/applications/${a.id}`, { disabled }, { ifMatch: a.version }));
  const toggle = (a: Application) => {
    if (a.disabled) void patch(a, false);
    else modal.confirm({ title: t('apps.disable_title', { name: w(a.name) }), content: t('apps.disable_help'), okText: t('operator.disable'), cancelText: t('verb.cancel'), okButtonProps: { danger: true }, onOk: () => patch(a, true) });
  };
  const issuer = query.data?.issuer ?? '';
  return (
    <>
      <PageHead title={t('apps.title')}><Button type="primary" onClick={() => { setError(null); setCreating(true); }}>{t('apps.new')}</Button></PageHead>
      <section className="card">
        <View query={query} empty={(d) => d.items.length === 0} emptyText={t('apps.empty')}>
          {(d) => (
            <SimpleTable<Application> caption={t('apps.caption')} rows={d.items} rowKey={(a) => a.id} columns={[
              { title: t('apps.name'), cell: (a) => <button type="button" className="link" onClick={() => setOpen(a)}>{w(a.name)}</button> },
              { title: t('apps.id'), cell: (a) => <code>{a.id}</code> },
              { title: t('apps.method'), cell: (a) => t(`apps.method.${a.method}`) },
              { title: t('apps.scopes'), cell: (a) => a.scopes.join(' ') },
              { title: t('word.state'), cell: (a) => t(a.disabled ? 'operator.disabled' : 'operator.active') },
              { title: t('operator.details'), cell: (a) => (
                <span className="row">
                  {a.method.startsWith('client_secret') ? <Button size="small" aria-label={`${t('apps.rotate')} ${w(a.name)}`} onClick={() => rotate(a)}>{t('apps.rotate')}</Button> : null}
                  <Button size="small" danger={!a.disabled} aria-label={`${t(a.disabled ? 'operator.enable' : 'operator.disable')} ${w(a.name)}`} onClick={() => toggle(a)}>{t(a.disabled ? 'operator.enable' : 'operator.disable')}</Button>
                </span>
              ) }]} />
          )}
        </View>
      </section>
      <Drawer open={creating} onClose={() => setCreating(false)} destroyOnHidden size={560} title={t('apps.new')} closable={{ 'aria-label': t('verb.close_dialog') }}>
        <Faults error={error} />
        <NewForm scopes={query.data?.scopes ?? []} register={(v) => { void register(v); }} />
      </Drawer>
      <Drawer open={shown !== null} onClose={() => setShown(null)} destroyOnHidden size={560} title={t(shown?.secret ? 'apps.secret_title' : 'apps.snippet')} closable={{ 'aria-label': t('verb.close_dialog') }}>
        {shown ? (
          <div className="stack">
            <p>{t('apps.id')}: <code>{shown.id}</code></p>
            {shown.secret ? <><p>{t('apps.secret_help')}</p><p><code className="secret">{shown.secret}</code></p><Button onClick={() => { void navigator.clipboard.writeText(shown.secret ?? '').then(() => message.success(t('apps.copied'))); }}>{t('apps.copy')}</Button></> : null}
            <h3>{t('apps.snippet')}</h3>
            <pre className="snippet" tabIndex={0}>{snippet(issuer, shown.id, shown.secret ? '…' : null)}</pre>
          </div>
        ) : null}
      </Drawer>
      <Drawer open={open !== null} onClose={() => setOpen(null)} destroyOnHidden size={560} title={open ? w(open.name) : ''} closable={{ 'aria-label': t('verb.close_dialog') }}>
        {open ? <Detail app={open} issuer={issuer} /> : null}
      </Drawer>
      <Provenance asOf={query.dataUpdatedAt} source="openid" path="/operator/applications" />
    </>
  );
}

function Faults({ error }: { error: ApiError | null }): ReactNode {
  const { lang } = useI18n();
  return error ? <div className="error-box" role="alert"><p>{error.say(lang)}</p>{error.problems.map((p, i) => <p key={i}><code>{p.at}</code> {p.words[lang]}</p>)}</div> : null;
}

function NewForm({ scopes, register }: { scopes: ApplicationList['scopes']; register: (v: FormValues) => void }) {
  const { t, w } = useI18n();
  const [form] = Form.useForm<FormValues>();
  const method = Form.useWatch('method', form);
  const need = [{ required: true, message: t('alerts.need_text') }];
  const isJson = { validator: (_: unknown, text: string) => { try { JSON.parse(text); return Promise.resolve(); } catch { return Promise.reject(new Error(t('apps.bad_json'))); } } };
  return (
    <Form<FormValues> form={form} layout="vertical" initialValues={{ method: 'client_secret_basic', subject: 'pairwise', scopes: ['openid', 'profile'] }} onFinish={register}>
      <Form.Item name="name_zh" label={t('apps.name_zh')} rules={need}><Input /></Form.Item>
      <Form.Item name="name_en" label={t('apps.name_en')} rules={need}><Input /></Form.Item>
      <Form.Item name="purpose_zh" label={t('apps.purpose_zh')} extra={t('apps.purpose_help')} rules={need}><Input /></Form.Item>
      <Form.Item name="purpose_en" label={t('apps.purpose_en')} rules={need}><Input /></Form.Item>
      <Form.Item name="organisation" label={t('apps.organisation')}><Input /></Form.Item>
      <Form.Item name="method" label={t('apps.method')}><Select options={METHODS.map((m) => ({ value: m, label: t(`apps.method.${m}`) }))} /></Form.Item>
      {method === 'private_key_jwt' ? <Form.Item name="jwks" label={t('apps.jwks')} rules={[...need, isJson]}><Input.TextArea rows={4} /></Form.Item> : null}
      <Form.Item name="redirect" label={t('apps.redirect')} extra={t('apps.redirect_help')} rules={need}><Input.TextArea rows={2} /></Form.Item>
      <Form.Item name="bye" label={t('apps.bye')}><Input.TextArea rows={2} /></Form.Item>
      <Form.Item name="hear" label={t('apps.hear')}><Input /></Form.Item>
      <Form.Item name="scopes" label={t('apps.scopes')}><Checkbox.Group className="stack" options={scopes.map((s) => ({ value: s.name, label: `${s.name}: ${w(s.words)}` }))} /></Form.Item>
      <Form.Item name="subject" label={t('apps.subject')}><Select options={SUBJECTS.map((s) => ({ value: s, label: t(`apps.subject.${s}`) }))} /></Form.Item>
      <Form.Item name="trusted" label={t('apps.trusted')} valuePropName="checked"><Switch aria-label={t('apps.trusted')} /></Form.Item>
      <Button type="primary" htmlType="submit">{t('apps.new')}</Button>
    </Form>
  );
}

function Detail({ app, issuer }: { app: Application; issuer: string }) {
  const { t, w } = useI18n();
  const usage = useApi<ApplicationUsage>(`/operator/applications/${app.id}/usage`);
  return (
    <div className="stack">
      <p>{w(app.purpose)}</p>
      <p>{t('apps.id')}: <code>{app.id}</code></p>
      <p>{t('apps.redirect')}: {app.redirect_uris.map((uri) => <code key={uri} className="uri">{uri}</code>)}</p>
      <h3>{t('apps.usage')}</h3>
      <View query={usage}>
        {(u) => (
          <>
            <p>{t('apps.people', { n: u.people, g: u.grants, when: u.newest ? dateTime(u.newest) : '—' })}</p>
            {u.logouts.length === 0 ? <p className="muted">{t('apps.logouts_empty')}</p> : (
              <SimpleTable caption={t('apps.logouts')} rows={u.logouts} rowKey={(_, i) => String(i)} columns={[
                { title: t('word.time'), cell: (l) => dateTime(l.at) },
                { title: t('word.state'), cell: (l) => t(l.done_at ? 'apps.delivered' : l.next_at ? 'apps.waiting' : 'apps.given_up') },
                { title: t('apps.attempts'), cell: (l) => l.attempts, right: true },
                { title: t('operator.error'), cell: (l) => l.error ?? '—' }]} />
            )}
          </>
        )}
      </View>
      <h3>{t('apps.snippet')}</h3>
      <pre className="snippet" tabIndex={0}>{snippet(issuer, app.id, app.method === 'none' ? null : '…')}</pre>
    </div>
  );
}
