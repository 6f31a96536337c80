// Component: variables of a case as a list one can read: names, values, lists and records within.
import type { Data, Json } from '../api/cases';
import { useI18n } from '../i18n';
import { plainValue } from '../lib/cases';

const DEEPEST = 4;
const LONGEST = 50;

function Value({ value, depth }: { value: Json; depth: number }) {
  const { t } = useI18n();
  if (Array.isArray(value) && value.length && depth < DEEPEST) {
    return <ol className="facts-list">{value.slice(0, LONGEST).map((one, i) => <li key={i}><Value value={one} depth={depth + 1} /></li>)}{value.length > LONGEST ? <li>… {value.length}</li> : null}</ol>;
  }
  if (value && typeof value === 'object' && !Array.isArray(value) && depth < DEEPEST && Object.keys(value).length && !Object.keys(value)[0]?.startsWith('@')) {
    return <Facts data={value} depth={depth + 1} />;
  }
  return <>{plainValue(value, t('word.yes'), t('word.no'))}</>;
}

function Facts({ data, depth }: { data: Data; depth: number }) {
  return (
    <dl className="facts">
      {Object.entries(data).map(([name, value]) => <div key={name} className="fact"><dt>{name}</dt><dd><Value value={value} depth={depth} /></dd></div>)}
    </dl>
  );
}

export function DataFacts({ data, empty }: { data: Data; empty: string }) {
  return Object.keys(data).length ? <Facts data={data} depth={0} /> : <p className="muted">{empty}</p>;
}
