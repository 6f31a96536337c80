// Portal: who saw my data and why; asking about it, objecting to it, and the answers. Plain parts
// only: residents come with phones.
import { useState, type FormEvent } from 'react';
import { Link } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, send } from '../../api/client';
import { usePaged } from '../../api/pages';
import { useApi } from '../../api/hooks';
import type { components } from '../../api/schema';
import { PageHead } from '../../components/PageHead';
import { View } from '../../components/View';
import { useI18n, type Key } from '../../i18n';
import { number } from '../../lib/format';
import { dateTime } from '../../lib/time';
import { useSession } from '../../shell/session';

type Look = components['schemas']['DataAccess'];
type LookPage = components['schemas']['DataAccessPage'];
type QuestionPage = components['schemas']['DataQuestionPage'];

function Ask({ seq }: { seq: number }) {
  const { t, lang } = useI18n();
  const client = useQueryClient();
  const [said, setSaid] = useState<{ ok: boolean; text: string } | null>(null);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const values = new FormData(form);
    try {
      await send('POST', `/me/data-access/${seq}/question`, { kind: values.get('kind'), text: values.get('text') });
      form.reset();
      setSaid({ ok: true, text: t('mydata.sent') });
      void client.invalidateQueries({ queryKey: ['/me/data-questions'] });
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      setSaid({ ok: false, text: [e.say(lang), ...e.problems.map((p) => p.words[lang])].join(' ') });
    }
  };
  return (
    <details>
      <summary>{t('mydata.ask')}</summary>
      <form className="stack" onSubmit={(e) => { void submit(e); }}>
        <label>{t('mydata.kind')}
          <select name="kind" defaultValue="ask">
            <option value="ask">{t('mydata.kind.ask')}</option>
            <option value="object">{t('mydata.kind.object')}</option>
          </select>
        </label>
        <label>{t('mydata.text')}<textarea name="text" required maxLength={2000} rows={3} /></label>
        <button type="submit" className="tool strong">{t('mydata.send')}</button>
        {said ? <p role={said.ok ? 'status' : 'alert'} className={said.ok ? undefined : 'error-box'}>{said.text}</p> : null}
      </form>
    </details>
  );
}

function LookCard({ look }: { look: Look }) {
  const { t, w } = useI18n();
  const fields = look.fields.map((f) => (f.title ? w(f.title) : f.name)).join('、');
  return (
    <li className="card">
      <h3>{dateTime(look.at)} · {look.display}</h3>
      <dl className="facts">
        <dt>{t('mydata.who')}</dt><dd>{look.display}{look.organisation ? `（${look.organisation}）` : ''}</dd>
        <dt>{t('mydata.what')}</dt><dd>{look.object_title ? w(look.object_title) : look.object}</dd>
        <dt>{t('mydata.fields')}</dt><dd>{fields || '—'}</dd>
        <dt>{t('mydata.purpose')}</dt><dd>{look.purpose || t('mydata.no_purpose')}</dd>
        <dt>{t('mydata.basis')}</dt><dd>{look.basis || t('mydata.no_purpose')}</dd>
        {look.case ? <><dt>{t('mydata.case')}</dt><dd><code>{look.case}</code></dd></> : null}
      </dl>
      <Ask seq={look.seq} />
    </li>
  );
}

function Mine() {
  const { t } = useI18n();
  const looks = usePaged<Look>('/me/data-access', {}, { limit: 20 });
  const questions = useApi<QuestionPage>('/me/data-questions', { limit: 50 });
  return (
    <>
      <View query={looks.query} empty={(d) => (d as LookPage).proven && d.items.length === 0} emptyText={t('mydata.empty')}>
        {(d) => (d as LookPage).proven ? (
          <>
            <p className="muted">{t('mydata.total', { n: number(d.total, 0) })}</p>
            <ul className="plain-list">{d.items.map((look) => <LookCard key={look.seq} look={look} />)}</ul>
            <p className="row">
              {looks.page > 0 ? <button type="button" className="tool" onClick={() => looks.turn(-1)}>←</button> : null}
              {d.next ? <button type="button" className="tool" onClick={() => looks.turn(1)}>{t('mydata.more')}</button> : null}
            </p>
          </>
        ) : <p className="card" role="status">{t('mydata.not_proven')}</p>}
      </View>
      <section className="card">
        <h2>{t('mydata.questions')}</h2>
        <View query={questions} empty={(d) => d.items.length === 0} emptyText={t('mydata.no_questions')}>
          {(d) => (
            <ul className="plain-list">
              {d.items.map((q) => (
                <li key={q.id}>
                  <p><strong>{t(`mydata.kind.${q.kind}` as Key)}</strong> · {t('mydata.about', { seq: q.seq })} · {dateTime(q.created_at)}</p>
                  <p>{q.text}</p>
                  <p className="muted">{q.state === 'open' ? t('mydata.open') : `${t('mydata.answered')} · ${dateTime(q.answered_at)} · ${q.measure ? t(`mydata.measure.${q.measure}` as Key) : ''}`}</p>
                  {q.answer ? <p><strong>{t('mydata.answer')}：</strong>{q.answer}</p> : null}
                </li>
              ))}
            </ul>
          )}
        </View>
      </section>
    </>
  );
}

export default function MyData() {
  const { t } = useI18n();
  const { session } = useSession();
  return (
    <>
      <PageHead title={t('mydata.title')} back={{ to: '/portal', text: t('portal.home') }} />
      <section className="card"><p>{t('mydata.help')}</p></section>
      {session ? <Mine /> : <p className="card"><Link to="/sign-in?back=/portal/my-data">{t('mydata.sign_in')}</Link></p>}
    </>
  );
}
