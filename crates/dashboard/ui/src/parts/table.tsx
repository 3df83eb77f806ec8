// A list in rows: a table where there is room, cards on a phone, and only the rows in sight are drawn when there are
// many.

import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { Empty, Failed, Loading } from "./states";

export type Column<T> = {
  readonly key: string;
  readonly head: string;
  /** A track of the grid: `120px`, `minmax(0, 2fr)`. */
  readonly track: string;
  readonly cell: (row: T) => ReactNode;
  /** Where it goes on a phone. */
  readonly phone?: "title" | "side" | "meta" | "full" | "hide";
  readonly end?: boolean;
  /** It follows numbers that end where it begins: some more room between. */
  readonly apart?: boolean;
};

function cellClass<T>(column: Column<T>, more: string): string {
  return `cell${more}${column.end ? " end" : ""}${column.apart ? " apart" : ""}`;
}

export type TableProps<T> = {
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  readonly isLoading?: boolean;
  readonly error?: unknown;
  readonly onRetry?: () => void;
  readonly empty: ReactNode;
  readonly goes?: boolean;
  readonly hasMore?: boolean;
  readonly isLoadingMore?: boolean;
  readonly onMore?: () => void;
  readonly foot?: ReactNode;
};

/** From how many rows on only those in sight are drawn. */
const MANY = 80;

export function Table<T>(props: TableProps<T>) {
  const { label, columns, rows, rowKey, isLoading = false, error, onRetry, empty, goes = false } = props;
  if (isLoading) {
    return <Loading label={`Loading ${label.toLowerCase()}`} />;
  }
  if (error !== undefined && error !== null) {
    return <Failed error={error} what={label} {...(onRetry === undefined ? {} : { onRetry })} />;
  }
  if (rows.length === 0 && !props.hasMore) {
    return empty;
  }
  const tracks = { "--tracks": columns.map((it) => it.track).join(" ") } as CSSProperties;
  const rowClass = goes ? "row goes" : "row";
  const cells = (row: T) =>
    columns.map((column) => (
      <div className={cellClass(column, ` ${column.phone ?? "meta"}`)} key={column.key} role="cell">
        {column.cell(row)}
      </div>
    ));
  return (
    <div
      aria-label={label}
      aria-rowcount={props.hasMore ? -1 : rows.length + 1}
      className="table"
      role="table"
      style={tracks}
    >
      <div className="row head" role="row">
        {columns.map((column) => (
          <div className={cellClass(column, "")} key={column.key} role="columnheader">
            {column.head === "" ? <span className="spoken">Actions</span> : column.head}
          </div>
        ))}
      </div>
      {rows.length > MANY ? (
        <VirtualRows cells={cells} rowClass={rowClass} rowKey={rowKey} rows={rows} />
      ) : (
        <div className="rows" role="rowgroup">
          {rows.map((row, index) => (
            <div aria-rowindex={index + 2} className={rowClass} key={rowKey(row)} role="row">
              {cells(row)}
            </div>
          ))}
        </div>
      )}
      <More {...props} />
      {props.foot}
    </div>
  );
}

function VirtualRows<T>({
  rows,
  rowKey,
  rowClass,
  cells,
}: {
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  readonly rowClass: string;
  readonly cells: (row: T) => ReactNode;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [above, setAbove] = useState(0);
  useLayoutEffect(() => {
    const measure = () => {
      if (box.current !== null) {
        setAbove(box.current.getBoundingClientRect().top + window.scrollY);
      }
    };
    measure();
    window.addEventListener("resize", measure);
    return () => window.removeEventListener("resize", measure);
  }, []);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => 45,
    overscan: 12,
    scrollMargin: above,
    getItemKey: (index) => {
      const row = rows[index];
      return row === undefined ? index : rowKey(row);
    },
  });
  return (
    <div className="rows virtual" ref={box} role="rowgroup" style={{ height: virtual.getTotalSize() }}>
      {virtual.getVirtualItems().map((item) => {
        const row = rows[item.index];
        return row === undefined ? null : (
          <div
            aria-rowindex={item.index + 2}
            className={item.index === 0 ? `${rowClass} first` : rowClass}
            data-index={item.index}
            key={item.key}
            ref={virtual.measureElement}
            role="row"
            style={{ transform: `translateY(${item.start - above}px)` }}
          >
            {cells(row)}
          </div>
        );
      })}
    </div>
  );
}

function More<T>({ hasMore = false, isLoadingMore = false, onMore, label }: TableProps<T>) {
  const mark = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = mark.current;
    if (element === null || !hasMore || isLoadingMore || onMore === undefined) {
      return;
    }
    const watcher = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) {
          onMore();
        }
      },
      { rootMargin: "1200px 0px" },
    );
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [hasMore, isLoadingMore, onMore]);
  if (!hasMore) {
    return null;
  }
  return (
    <div className="list-foot" ref={mark}>
      {isLoadingMore ? `Loading more ${label.toLowerCase()} …` : `More ${label.toLowerCase()} below`}
    </div>
  );
}

export { Empty };
