// Desk, applications: the notice of what must be supplied: fields and materials ticked, words for
// each, how the applicant will read it. It is said once, so everything is said now.
import { useMemo, useState } from 'react';
import { Button, Checkbox, Drawer, Input } from 'antd';
import { actClerk, type ApplicationFile, type Missing } from '../../../api/applications';
import type { Item } from '../../../api/items';
import { asked, readForm } from '../../../components/form';
import { Faults } from '../../../components/Faults';
import { useI18n } from '../../../i18n';
import { useAttempt } from '../../../lib/attempt';
import { addOther, faultsOf, fieldAt, isTicked, LONGEST, materialAt, noticeLines, remove, say, tick, toSend, type Askable } from '../../../lib/correction';
import { saidOnce } from '../../../lib/matter';
import { Conflict } from './Conflict';

export function Correction({ file, item, onClose, onDone }: { file: ApplicationFile; item: Item | undefined; onClose: () => void; onDone: () => void }) {
  const { t, w } = useI18n();
  const { error, busy, attempt } = useAttempt();
  const [points, setPoints] = useState<Missing[]>([]);
  const [tried, setTried] = useState(false);
  const order = useMemo<Askable[]>(() => [
    ...(item ? asked(readForm(item.content.form), file.answers).map((f): Askable => ({ at: fieldAt(f.name), title: w(f.title), kind: 'field' })) : []),
    ...file.materials.map((m): Askable => ({ at: materialAt(m.name), title: w(m.title), kind: 'material' })),
  ], [item, file.answers, file.materials, w]);
  const faults = tried ? faultsOf(points) : [];
  const titleOf = (at: string) => order.find((one) => one.at === at)?.title ?? t('correction.other');
  const finish = async () => {
    setTried(true);
    if (faultsOf(points).length) return;
    if (await attempt(() => actClerk(file.application, { verb: 'correction', missing: toSend(points) }))) onDone();
  };
  const empty = file.materials.filter((m) => m.required && m.files.length === 0 && !m.answered_by && !m.following);
  const tickEmpty = () => setPoints(empty.reduce<Missing[]>((all, m) => (isTicked(all, materialAt(m.name)) ? all : tick(all, materialAt(m.name), true, order, t('correction.not_supplied'))), points));
  return (
    <Drawer open size={860} title={`${t('matter.correction')} · ${file.application.number}`} onClose={onClose} destroyOnHidden closable={{ 'aria-label': t('verb.close_dialog') }}
      footer={<div className="row"><Button type="primary" loading={busy} onClick={() => { void finish(); }}>{t('correction.send')}</Button><Button onClick={onClose}>{t('verb.cancel')}</Button></div>}>
      <div className="stack">
        <p className="correction-once" role="note"><strong>{t(saidOnce(file) ? 'correction.again' : 'correction.once')}</strong></p>
        {(['field', 'material'] as const).map((kind) => {
          const list = order.filter((one) => one.kind === kind);
          return list.length === 0 ? null : (
            <fieldset key={kind} className="plain-fieldset">
              <legend>{t(`correction.${kind}s`)}</legend>
              <div className="correction-ticks">
                {list.map((one) => <Checkbox key={one.at} checked={isTicked(points, one.at)} onChange={(e) => setPoints(tick(points, one.at, e.target.checked, order))}>{one.title}</Checkbox>)}
              </div>
              {kind === 'material' && empty.length ? <p><Button size="small" onClick={tickEmpty}>{t('correction.tick_empty', { n: empty.length })}</Button></p> : null}
            </fieldset>
          );
        })}
        <div><Button onClick={() => setPoints(addOther(points))}>{t('correction.add_other')}</Button></div>
        {points.map((point, i) => {
          const fault = faults.find((f) => f.index === i);
          return (
            <div key={`${point.at}#${i}`} className="stack correction-point">
              <label htmlFor={`point-${i}`}><strong>{i + 1}. {titleOf(point.at)}</strong></label>
              <Input.TextArea id={`point-${i}`} rows={2} maxLength={LONGEST} showCount value={point.what} placeholder={t('correction.words_help')} status={fault ? 'error' : undefined} aria-invalid={fault ? true : undefined} aria-describedby={fault ? `point-${i}-fault` : undefined} onChange={(e) => setPoints(say(points, i, e.target.value))} />
              {fault ? <p id={`point-${i}-fault`} className="error-text small">{t(fault.what, fault.fill)}</p> : null}
              <div><Button size="small" aria-label={t('correction.remove_of', { title: titleOf(point.at) })} onClick={() => setPoints(remove(points, i))}>{t('correction.remove')}</Button></div>
            </div>
          );
        })}
        {faults.some((f) => f.index === -1) ? <p className="error-text" role="alert">{t('correction.none')}</p> : null}
        <section className="notice-preview" aria-label={t('correction.preview')}>
          <h3>{t('correction.preview')}</h3>
          <p className="center"><strong>{t('correction.letter_title')}</strong></p>
          <p>{t('correction.letter_to', { name: file.application.applicant.name })}</p>
          <p>{t('correction.letter_intro', { title: w(file.application.title), number: file.application.number })}</p>
          {points.length ? <ol>{noticeLines(points, order, t('correction.other')).map((line, i) => <li key={i}><strong>{line.title}</strong>{t('correction.colon')}{line.what || <span className="muted">…</span>}</li>)}</ol> : <p className="muted">{t('correction.empty_preview')}</p>}
          <p>{t('correction.letter_end')}</p>
        </section>
        <Conflict error={error} />
        <Faults error={error} />
      </div>
    </Drawer>
  );
}
