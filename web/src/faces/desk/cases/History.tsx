// Desk, cases: what happened in a case, oldest first: who, when, where, why.
import { useState } from 'react';
import { useApi } from '../../../api/hooks';
import type { Entry, Json, Noted } from '../../../api/cases';
import type { List } from '../../../api/types';
import { View } from '../../../components/View';
import { useI18n, type Key } from '../../../i18n';
import { cases as texts } from '../../../i18n/texts/cases';
import { plainValue } from '../../../lib/cases';
import { dateTimeSeconds } from '../../../lib/time';

/** The word of what happened; null for one this edition does not know. */
export function wordOf(entry: Pick<Entry, 'what' | 'by'>): Key | null {
  if (entry.what === 'returned' && entry.by === 'system') return 'history.call_returned';
  const key = `history.${entry.what}`;
  return Object.hasOwn(texts, key) ? (key as Key) : null;
}

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : Array.isArray(value) ? value.filter((v) => typeof v === 'string').join(', ') : '');

export function History({ id, nameOf }: { id: string; nameOf: (node: string) => string }) {
  const { t } = useI18n();
  const [pages, setPages] = useState<number[]>([0]);
  return (
    <div className="case-history">
      {pages.map((after, i) => <Part key={after} id={id} after={after} last={i === pages.length - 1} nameOf={nameOf} more={(next) => setPages([...pages, next])} label={t('history.more')} />)}
    </div>
  );
}

const AT_ONCE = 200;

function Part({ id, after, last, nameOf, more, label }: { id: string; after: number; last: boolean; nameOf: (node: string) => string; more: (next: number) => void; label: string }) {
  const { t } = useI18n();
  const query = useApi<List<Entry>>(`/cases/${encodeURIComponent(id)}/history`, { after, limit: AT_ONCE }, { keep: true, every: last ? 30_000 : undefined });
  return (
    <View query={query} empty={(d) => d.items.length === 0 && after === 0} emptyText={t('history.empty')}>
      {(d) => (
        <>
          <ol className="timeline">{d.items.map((entry) => <One key={entry.number} entry={entry} nameOf={nameOf} />)}</ol>
          {last && d.items.length === AT_ONCE ? <p><button type="button" className="link" onClick={() => more(d.items[d.items.length - 1]?.number ?? after)}>{label}</button></p> : null}
        </>
      )}
    </View>
  );
}

function One({ entry, nameOf }: { entry: Entry; nameOf: (node: string) => string }) {
  const { t, w } = useI18n();
  const word = wordOf(entry);
  const details = entry.details ?? {};
  const to = text(details['to']);
  const error = details['error'];
  // Older entries say it in English only.
  const why = typeof error === 'object' && error !== null && 'words' in error ? w((error as unknown as Noted).words) : text(error);
  const said = [...['reason', 'basis', 'note', 'words'].map((name) => text(details[name])), why].filter(Boolean);
  const kind = text(details['kind']);
  const pause = Object.hasOwn(texts, `pause.${kind}`) ? t(`pause.${kind}` as Key) : '';
  // `red` of a task, `promised-red` of a limit of the case.
  const light = text(details['light']).split('-').filter((part) => Object.hasOwn(texts, `clock.${part}`)).map((part) => t(`clock.${part}` as Key)).join(' · ');
  const superiors = text(details['superiors']);
  const state = Object.hasOwn(texts, `case.state.${text(details['state'])}`) ? t(`case.state.${text(details['state'])}` as Key) : '';
  const entered = Array.isArray(details['entered']) ? details['entered'].filter((n) => typeof n === 'string').map(nameOf).join(', ') : '';
  const caller = text(details['caller']);
  const stuck = details['stuck'];
  const opinion = details['opinion'];
  return (
    <li>
      <strong>{word ? t(word) : <code>{entry.what}</code>}</strong>{entry.node ? ` · ${nameOf(entry.node)}` : ''}{to ? ` ${t('history.to', { to: nameOf(to) })}` : ''}{[pause, light, state].filter(Boolean).map((s) => ` · ${s}`).join('')}
      {' '}<span className="muted small">{dateTimeSeconds(entry.at)} · {entry.by === 'system' ? t('history.system') : entry.by}</span>
      {said.map((s, i) => <div key={i}>{s}</div>)}
      {opinion && typeof opinion === 'object' && !Array.isArray(opinion) && Object.keys(opinion).length ? <div>{Object.entries(opinion).map(([name, value]) => `${name}: ${plainValue(value, t('word.yes'), t('word.no'))}`).join('; ')}</div> : null}
      {superiors ? <div>{t('history.superiors', { who: superiors })}</div> : null}
      {caller ? <div>{t('history.to_caller', { number: caller, step: text(details['caller_step']) })}</div> : null}
      {text(details['called']) ? <div>{t('history.from_called', { number: text(details['called']) })}</div> : null}
      {entered ? <div className="muted small">{t('history.to', { to: entered })}</div> : null}
      {stuck && typeof stuck === 'object' && !Array.isArray(stuck) ? <div className="over">{w({ zh: text(stuck['zh']), en: text(stuck['en']) })}</div> : null}
    </li>
  );
}
