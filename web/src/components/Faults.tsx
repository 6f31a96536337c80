// Component: what the server refused, every fault named.
import type { ApiError } from '../api/client';
import { useI18n } from '../i18n';

export function Faults({ error }: { error: ApiError | null }) {
  const { lang } = useI18n();
  if (!error) return null;
  return (
    <div className="error-box" role="alert">
      <p>{error.say(lang)}</p>
      {error.problems.length ? <ul>{error.problems.map((p, i) => <li key={i}><code>{p.at}</code> {p.words[lang]}</li>)}</ul> : null}
    </div>
  );
}
