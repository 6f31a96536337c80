// Shell: the list of keys, opened by `?`.
import { useEffect, useRef } from 'react';
import { useI18n, type Key } from '../i18n';

const KEYS: readonly [string, Key][] = [
  ['/', 'help.search'], ['j', 'help.down'], ['k', 'help.up'], ['Enter', 'help.open'],
  ['x', 'help.select'], ['?', 'help.help'], ['Esc', 'help.escape'],
];

export function HelpDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useI18n();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open && !dialog.current?.open) dialog.current?.showModal();
    if (!open) dialog.current?.close();
  }, [open]);
  return (
    <dialog ref={dialog} className="dialog" aria-label={t('help.title')} onClose={onClose}>
      <h2>{t('help.title')}</h2>
      <table>
        <caption className="hidden">{t('help.title')}</caption>
        <tbody>
          {KEYS.map(([key, what]) => (
            <tr key={key}><th scope="row"><kbd>{key}</kbd></th><td>{t(what)}</td></tr>
          ))}
        </tbody>
      </table>
      <p className="row"><button type="button" className="button" onClick={onClose}>{t('verb.close_dialog')}</button></p>
    </dialog>
  );
}
