// Component: the table of the desk: pages from the server, columns to choose, rows to tick, keys
// j k x Enter. What is filtered and how it is ordered belongs to the page, in the address.
import { useEffect, useMemo, useRef, useState, type ReactNode, type TableHTMLAttributes } from 'react';
import { Button, Checkbox, Popover, Table, type TableProps } from 'antd';
import { useI18n } from '../i18n';
import { remember, remembered } from '../lib/memory';
import { number } from '../lib/format';

export interface Column<T> {
  key: string;
  title: string;
  render: (row: T) => ReactNode;
  /** Sort name on the server; absent when it cannot sort by this. */
  order?: string;
  align?: 'right';
  width?: number;
  /** Not shown until chosen. */
  spare?: boolean;
}

interface Props<T> {
  name: string;
  caption: string;
  rows: readonly T[];
  rowKey: (row: T) => string;
  columns: Column<T>[];
  loading?: boolean;
  total?: number;
  page?: number;
  hasNext?: boolean;
  onPage?: (step: 1 | -1) => void;
  order?: string;
  onOrder?: (order: string) => void;
  onOpen?: (row: T) => void;
  selected?: string[];
  onSelect?: (keys: string[]) => void;
  tools?: ReactNode;
}

function useChosenColumns(name: string, all: string[], spare: string[]) {
  const [hidden, setHidden] = useState<string[]>(() => {
    const kept = remembered(`columns.${name}`);
    return kept === null ? spare : kept.split(',').filter((k) => all.includes(k));
  });
  const toggle = (key: string, on: boolean) => {
    const next = on ? hidden.filter((k) => k !== key) : [...hidden, key];
    remember(`columns.${name}`, next.join(','));
    setHidden(next);
  };
  return { hidden, toggle };
}

export function DataTable<T extends object>(p: Props<T>) {
  const { t } = useI18n();
  const { hidden, toggle } = useChosenColumns(p.name, p.columns.map((c) => c.key), p.columns.filter((c) => c.spare).map((c) => c.key));
  const [now, setNow] = useState(-1);
  const box = useRef<HTMLDivElement>(null);
  const { rows, selected, onSelect, onOpen, rowKey } = p;

  useEffect(() => {
    const press = (e: KeyboardEvent) => {
      const busy = e.target instanceof HTMLElement && e.target.closest('input,textarea,select,[contenteditable],dialog,[role="dialog"],[role="listbox"],[role="menu"]');
      if (busy || e.ctrlKey || e.metaKey || e.altKey) return;
      if (e.key === 'j' || e.key === 'k') {
        setNow((at) => Math.min(rows.length - 1, Math.max(0, at + (e.key === 'j' ? 1 : -1))));
      }
      const row = rows[now];
      if (!row) return;
      const onButton = e.target instanceof HTMLElement && e.target.closest('a,button');
      if (e.key === 'Enter' && !onButton) onOpen?.(row);
      if (e.key === 'x' && onSelect && selected) {
        const key = rowKey(row);
        onSelect(selected.includes(key) ? selected.filter((k) => k !== key) : [...selected, key]);
      }
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [rows, now, onOpen, onSelect, selected, rowKey]);

  useEffect(() => {
    box.current?.querySelector('tr.row-now')?.scrollIntoView({ block: 'nearest' });
  }, [now]);

  const columns = useMemo<TableProps<T>['columns']>(() => {
    const order = p.order ?? '';
    return p.columns.filter((c) => !hidden.includes(c.key)).map((c) => ({
      key: c.key,
      title: c.title,
      align: c.align,
      minWidth: c.width,
      className: [c.align === 'right' ? 'num' : '', c.width ? 'wrap' : ''].join(' ').trim() || undefined,
      render: (_: unknown, row: T) => c.render(row),
      ...(c.order && p.onOrder
        ? { sorter: true, sortOrder: order === c.order ? 'ascend' as const : order === `-${c.order}` ? 'descend' as const : null }
        : {}),
    }));
  }, [p.columns, hidden, p.order, p.onOrder]);

  const change: TableProps<T>['onChange'] = (_page, _filters, sorter) => {
    const one = Array.isArray(sorter) ? sorter[0] : sorter;
    const column = p.columns.find((c) => c.key === one?.columnKey);
    if (!column?.order || !p.onOrder) return;
    p.onOrder(one?.order === 'descend' ? `-${column.order}` : one?.order === 'ascend' ? column.order : '');
  };

  // One component for the life of the caption: a new one at every render would remount the table.
  const caption = p.caption;
  const parts = useMemo(() => ({
    table: ({ children, ...rest }: TableHTMLAttributes<HTMLTableElement>) => (
      <table {...rest}><caption className="hidden">{caption}</caption>{children}</table>
    ),
  }), [caption]);

  const chooser = (
    <div className="stack">
      {p.columns.map((c) => (
        <Checkbox key={c.key} checked={!hidden.includes(c.key)} onChange={(e) => toggle(c.key, e.target.checked)}>{c.title}</Checkbox>
      ))}
    </div>
  );

  return (
    <div ref={box}>
      <div className="row no-print" style={{ justifyContent: 'space-between', marginBottom: 8 }}>
        <span className="row">
          {p.total === undefined ? null : <span>{t('table.total', { n: number(p.total, 0) })}</span>}
          {selected?.length ? <span>{t('table.selected', { n: selected.length })}</span> : null}
        </span>
        <span className="row">
          {p.tools}
          <Popover content={chooser} trigger="click" placement="bottomRight"><Button>{t('verb.columns')}</Button></Popover>
        </span>
      </div>
      <div className="scroll" tabIndex={0} role="region" aria-label={p.caption}>
      <Table<T>
        size="small"
        rowKey={rowKey}
        columns={columns}
        dataSource={rows as T[]}
        pagination={false}
        loading={p.loading}
        onChange={change}
        showSorterTooltip={false}
        rowClassName={(_, i) => (i === now ? 'row-now' : '')}
        rowSelection={selected && onSelect ? {
          selectedRowKeys: selected,
          onChange: (keys) => onSelect(keys.map(String)),
          getTitleCheckboxProps: () => ({ 'aria-label': t('table.select_all') }),
          getCheckboxProps: () => ({ 'aria-label': t('table.select_row') }),
        } : undefined}
        components={parts}
      />
      </div>
      {p.onPage ? (
        <div className="table-foot">
          <span className="muted">{t('table.page', { n: number((p.page ?? 0) + 1, 0) })}</span>
          <span className="row">
            <Button disabled={!p.page} onClick={() => p.onPage?.(-1)}>{t('verb.previous')}</Button>
            <Button disabled={!p.hasNext} onClick={() => p.onPage?.(1)}>{t('verb.next')}</Button>
          </span>
        </div>
      ) : null}
    </div>
  );
}
