// Portal, applying: what changed because the item has a new version, and what is not asked any more.
import { useState } from 'react';
import type { Draft } from '../../../api/applications';
import { fieldAt, sayAnswer, type ReadForm } from '../../../components/form';
import { useI18n } from '../../../i18n';
import { gone } from '../../../lib/apply';

export function Notices({ draft, form }: { draft: Draft; form: ReadForm }) {
  const { t, w, lang } = useI18n();
  // Whoever saves has seen it, says the server; the page keeps it until the reader says so.
  const [kept, setKept] = useState({ changes: draft.changes, version: draft.item_version, understood: false });
  if (draft.changes.length > 0 && draft.item_version !== kept.version) setKept({ changes: draft.changes, version: draft.item_version, understood: false });
  const left = gone(draft, form);
  const names = Object.keys(left);
  const words = { yes: t('word.yes'), no: t('word.no'), none: '—' };
  return (
    <>
      {kept.changes.length && !kept.understood ? (
        <section className="card stale stack" aria-labelledby="changed" data-changes>
          <h2 id="changed">{t('apply.changed')}</h2>
          <p>{t('apply.changed_help')}</p>
          <ul>{kept.changes.map((c, i) => { const field = form.fields.find((f) => f.name === fieldAt(c.at)); return <li key={i}>{field ? <strong>{w(field.title)}: </strong> : null}{w(c.words)}</li>; })}</ul>
          <p><button type="button" className="button" onClick={() => setKept({ ...kept, understood: true })}>{t('apply.understood')}</button></p>
        </section>
      ) : null}
      {names.length ? (
        <details className="card">
          <summary>{t('apply.left_over', { n: names.length })}</summary>
          <dl className="facts">{names.map((name) => [<dt key={`${name}-t`}><code>{name}</code></dt>, <dd key={name}>{sayAnswer(undefined, left[name], lang, words)}</dd>])}</dl>
        </details>
      ) : null}
    </>
  );
}
