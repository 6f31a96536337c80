// Portal: the board of a hall, for a screen on the wall: what is called now, and how long the queues
// are. Public, names nobody; outside the shell, so that nothing but it is on the screen.
import { useParams } from 'react-router';
import { useApi } from '../../../api/hooks';
import { hallPath, type Board as Answer } from '../../../api/visiting';
import { useTitle } from '../../../components/PageHead';
import { View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useNow } from '../../../lib/now';
import { clock, date, dateTime, weekday } from '../../../lib/time';
import './visits.css';

const AGAIN_MS = 4_000;

export default function Board() {
  const { t, w, lang } = useI18n();
  const { hall = '' } = useParams();
  const query = useApi<Answer>(`${hallPath(hall)}/board`, undefined, { every: AGAIN_MS });
  const now = useNow(1_000);
  const title = w(query.data?.title);
  useTitle(title || t('board.title'));
  const newest = query.data?.called.find((c) => !c.serving);
  return (
    <main className="board" id="main">
      <header><h1>{title || t('board.title')}</h1><p className="board-clock"><span>{date(now)} {weekday(now, lang)}</span> <strong>{clock(now)}</strong></p></header>
      <View query={query}>
        {(b) => (
          <>
            {query.error ? <p className="stale">{t('board.stale', { time: dateTime(query.dataUpdatedAt) })}</p> : null}
            <p className="hidden" role="status">{newest ? `${newest.number} ${t('board.calling')} ${newest.window}` : ''}</p>
            {b.called.length === 0 ? <p className="board-none">{t(b.open ? 'board.none' : 'visit.closed')}</p> : (
              <table>
                <thead><tr><th scope="col">{t('board.number')}</th><th scope="col">{t('board.window')}</th><th scope="col">{t('board.state')}</th></tr></thead>
                <tbody>{b.called.slice(0, 8).map((c) => <tr key={`${c.number}-${c.window}`} className={c.serving ? undefined : 'calling'}><th scope="row">{c.number}</th><td>{c.window}</td><td>{t(c.serving ? 'board.serving' : 'board.calling')}</td></tr>)}</tbody>
              </table>
            )}
            <ul>{b.queues.map((q) => <li key={q.letter}>{t('board.queue', { letter: q.letter, n: q.waiting, wait: q.wait_min })}</li>)}</ul>
          </>
        )}
      </View>
    </main>
  );
}
