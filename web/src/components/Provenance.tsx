// Component: the foot of every page of figures: as of, source, the API call, download.
import { useState } from 'react';
import { address, type Params } from '../api/client';
import { useI18n } from '../i18n';
import { dateTimeSeconds } from '../lib/time';

interface Props {
  asOf: string | number | null | undefined;
  source: string;
  path: string;
  params?: Params;
  downloads?: { text: string; href?: string; save?: () => void }[];
}

export function Provenance({ asOf, source, path, params, downloads }: Props) {
  const { t } = useI18n();
  const [copied, setCopied] = useState(false);
  const call = address(path, params);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(`curl '${location.origin}${call}'`);
      setCopied(true);
    } catch {
      setCopied(false);
    }
  };
  return (
    <footer className="provenance">
      <dl>
        <div><dt>{t('source.as_of')}</dt><dd>{dateTimeSeconds(asOf)}</dd></div>
        <div><dt>{t('source.source')}</dt><dd>{source}</dd></div>
        <div>
          <dt>{t('source.api')}</dt>
          <dd><a href={call}><code>GET {call}</code></a>{' '}<button type="button" className="link" onClick={() => { void copy(); }}>{copied ? t('verb.copied') : t('verb.copy')}</button></dd>
        </div>
        {downloads?.length ? (
          <div>
            <dt>{t('source.download')}</dt>
            <dd className="row">{downloads.map((d) => d.href
              ? <a key={d.text} href={d.href} download>{d.text}</a>
              : <button key={d.text} type="button" className="link" onClick={d.save}>{d.text}</button>)}</dd>
          </div>
        ) : null}
      </dl>
    </footer>
  );
}
