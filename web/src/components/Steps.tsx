// Component: the history of an account or party, in words; a step this edition has no word for is
// shown by its code.
import { useI18n, type Key } from '../i18n';
import { dateTime } from '../lib/time';

const WORDS: Record<string, Key> = Object.fromEntries(
  (['registered', 'phone_proven', 'phone_removed', 'proven', 'proof_withdrawn', 'recovered', 'closed', 'consent_withdrawn', 'party_proven', 'erased', 'legal_entered'] as const).map((what) => [what, `party.what_${what}` as const]),
);

export function Steps({ steps, self }: { steps: readonly { at: string; what: string; by: string }[]; self?: string }) {
  const { t } = useI18n();
  if (steps.length === 0) return <p className="muted">—</p>;
  return (
    <ul className="timeline">
      {steps.map((s, i) => {
        const word = WORDS[s.what];
        return <li key={i}>{dateTime(s.at)} {word ? t(word) : <code>{s.what}</code>}{s.by === self ? '' : ` · ${s.by}`}</li>;
      })}
    </ul>
  );
}
