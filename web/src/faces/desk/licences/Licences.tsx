// Desk: licences of an organisation that issues them: types, a list of one type without anything
// personal, the ways to issue.
import { useState, type FormEvent } from 'react';
import { Link, useNavigate } from 'react-router';
import { useBelow, useLicenceTypes, type LicenceState, type LicenceType, type Listed } from '../../../api/licences';
import { LicenceStateTag, useGrade, useValidity } from '../../../components/Licence';
import { PageHead } from '../../../components/PageHead';
import { Provenance } from '../../../components/Provenance';
import { saveRows, SimpleTable, type SimpleColumn } from '../../../components/SimpleTable';
import { Empty, View } from '../../../components/View';
import { useI18n } from '../../../i18n';
import { useFilters } from '../../../lib/at';
import { lastDay } from '../../../lib/licences';
import { dateTime } from '../../../lib/time';
import { useSession } from '../../../shell/session';

const STATES: readonly LicenceState[] = ['in_force', 'suspended', 'withdrawn', 'cancelled', 'penalty', 'replaced'];

/** The type the address names, else the first that one's own organisation issues. */
export function typeNow(types: readonly LicenceType[], named: string, organisation: string | null | undefined): LicenceType | undefined {
  return types.find((type) => type.name === named) ?? (named ? undefined : types.find((type) => type.issuer === organisation));
}

function List({ type, state }: { type: LicenceType; state: string }) {
  const { t } = useI18n();
  const validity = useValidity();
  const query = useBelow<Listed>('/licences', { type: type.name });
  const columns: SimpleColumn<Listed>[] = [
    { title: t('lic.identifier'), cell: (l) => <Link className="licence-code" to={`/desk/licences/${encodeURIComponent(l.identifier)}`}>{l.identifier}</Link>, file: (l) => l.identifier },
    { title: t('lic.state_label'), cell: (l) => <LicenceStateTag state={l.state} />, file: (l) => t(`lic.state_${l.state}`) },
    { title: t('lic.validity'), cell: (l) => validity(l.valid_from, l.valid_to), file: (l) => `${lastDay(l.valid_to) ?? ''}` },
    { title: t('lic.issued_at'), cell: (l) => dateTime(l.issued_at), file: (l) => l.issued_at },
    { title: t('lic.reason'), cell: (l) => l.reason ?? '' },
    { title: t('lic.version'), cell: (l) => l.version, right: true },
  ];
  return (
    <View query={query} empty={(d) => d.pages.every((p) => p.items.length === 0)} emptyText={t('lic.desk_none')}>
      {(d) => {
        const all = d.pages.flatMap((p) => p.items);
        const rows = state ? all.filter((l) => l.state === state) : all;
        return (
          <>
            {rows.length ? <SimpleTable caption={t('lic.desk_count', { n: all.length })} columns={columns} rows={rows} rowKey={(l) => l.id} /> : <Empty text={t('lic.desk_none_state')} />}
            <p className="row">
              {query.hasNextPage ? <button type="button" className="button" disabled={query.isFetchingNextPage} onClick={() => { void query.fetchNextPage(); }}>{t('lic.more')}</button> : null}
              {rows.length ? <button type="button" className="button" onClick={() => saveRows(`${type.name}.csv`, columns, rows)}>{t('verb.export_csv')}</button> : null}
            </p>
            <Provenance asOf={new Date(query.dataUpdatedAt).toISOString()} source="GB/T 36903-2018 · GB/T 36904-2018" path="/licences" params={{ type: type.name }} />
          </>
        );
      }}
    </View>
  );
}

function Find() {
  const { t } = useI18n();
  const navigate = useNavigate();
  const [identifier, setIdentifier] = useState('');
  const open = (event: FormEvent) => {
    event.preventDefault();
    if (identifier.trim()) void navigate(`/desk/licences/${encodeURIComponent(identifier.trim())}`);
  };
  return (
    <form className="filters licence-find" role="search" onSubmit={open}>
      <label>{t('lic.desk_find')}<input data-search name="identifier" value={identifier} autoComplete="off" spellCheck={false} size={42} maxLength={200} onChange={(e) => setIdentifier(e.target.value)} /></label>
      <button type="submit" className="button">{t('verb.open')}</button>
    </form>
  );
}

export default function Licences() {
  const { t, w } = useI18n();
  const grade = useGrade();
  const { session, may } = useSession();
  const { get, set } = useFilters();
  const { types, query } = useLicenceTypes();
  const all = [...types.values()];
  const type = typeNow(all, get('type'), session?.organisation);
  const own = (x: LicenceType) => x.issuer === session?.organisation;
  const write = may('write', 'licences');
  return (
    <>
      <PageHead title={t('lic.desk')} sub={t('lic.desk_help')}>
        {type && write ? <><Link className="button strong" to={`/desk/licences/new?type=${encodeURIComponent(type.name)}`}>{t('lic.desk_issue')}</Link><Link className="button" to={`/desk/licences/batch?type=${encodeURIComponent(type.name)}`}>{t('lic.desk_batch')}</Link></> : null}
      </PageHead>
      {session && !write ? <p className="muted">{t('lic.desk_no_write')}</p> : null}
      <View query={query} empty={(d) => d.items.length === 0} emptyText={t('lic.desk_no_types')}>
        {() => (
          <>
            <Find />
            <div className="filters licence-find">
              <label>{t('lic.desk_type')}
                <select name="type" value={type?.name ?? ''} onChange={(e) => set({ type: e.target.value, state: null })}>
                  {type ? null : <option value="">{t('lic.desk_choose')}</option>}
                  {[...all].sort((a, b) => Number(own(b)) - Number(own(a))).map((x) => <option key={x.name} value={x.name}>{t('lic.desk_type_of', { title: w(x.title), issuer: w(x.authority) || x.issuer })}</option>)}
                </select>
              </label>
              <label>{t('lic.desk_state')}
                <select name="state" value={get('state')} onChange={(e) => set({ state: e.target.value || null })}>
                  <option value="">{t('lic.desk_all')}</option>
                  {STATES.map((s) => <option key={s} value={s}>{t(`lic.state_${s}`)}</option>)}
                </select>
              </label>
            </div>
            {type ? <><p className="muted small">{t('lic.desk_about', { code: type.code, basis: type.basis, grade: grade(type.grade) })}</p><List key={type.name} type={type} state={get('state')} /></> : <p>{t('lic.desk_choose')}</p>}
          </>
        )}
      </View>
    </>
  );
}
