// Numbers, drawn: single ones, bars over time, curves over time, shares.

import { useElementSize } from "@mantine/hooks";
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from "react";
import { count } from "../lib/text";
import { shortStamp } from "../lib/time";

export type MetricRow = {
  readonly label: string;
  readonly value: ReactNode;
  readonly hint?: ReactNode;
};

export function Metrics({ rows, label }: { readonly rows: readonly MetricRow[]; readonly label: string }) {
  return (
    <dl aria-label={label} className="metrics">
      {rows.map((row) => (
        <div className="metric" key={row.label}>
          <dt>{row.label}</dt>
          <dd>
            {row.value}
            {row.hint !== undefined && <span className="hint">{row.hint}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** What the bars of a chart of deliveries count, and what they leave out. */
export function Counts() {
  return (
    <p className="dim small counts">
      A delivery counts when it ends, an attempt to be made again when it was made. Tests, what is cancelled
      by hand, and what waited for a retry when its webhook was disabled or deleted do not count.
    </p>
  );
}

export type Series = {
  readonly label: string;
  readonly tone: "good" | "bad" | "warn" | "calm" | "accent";
  readonly values: readonly (number | null)[];
};

const HEIGHT = 168;
const LEFT = 44;
const BOTTOM = 22;
const TOP = 6;

/** The next round number above, for the top of an axis. */
export function roof(value: number): number {
  if (value <= 4) {
    return 4;
  }
  const size = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 4, 5, 8, 10].find((it) => it * size >= value) ?? 10;
  return step * size;
}

type ChartProps = {
  readonly label: string;
  readonly at: readonly string[];
  readonly series: readonly Series[];
  readonly format?: (value: number) => string;
  readonly kind: "bars" | "curves";
};

/** Bars on top of each other, or curves; read point by point with mouse or arrow keys, or as a table by ear. */
export function Chart({ label, at, series, format = count, kind }: ChartProps) {
  const { ref, width } = useElementSize();
  const [on, setOn] = useState<number | null>(null);
  const clip = useId();
  const box = useRef<SVGSVGElement>(null);
  const w = Math.max(width, 240);
  const plotW = w - LEFT - 4;
  const plotH = HEIGHT - TOP - BOTTOM;
  const points = at.length;
  const step = points === 0 ? plotW : plotW / points;
  const sums = at.map((_, index) => series.reduce((sum, it) => sum + (it.values[index] ?? 0), 0));
  const peak =
    kind === "bars"
      ? Math.max(0, ...sums)
      : Math.max(0, ...series.flatMap((it) => it.values.map((v) => v ?? 0)));
  const top = roof(peak);
  const y = (value: number) => TOP + plotH - (value / top) * plotH;
  const ticks = [0, 0.5, 1].map((it) => it * top);
  const marks = points === 0 ? [] : [0, Math.floor((points - 1) / 2), points - 1];

  const move = (event: KeyboardEvent) => {
    const delta = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (delta !== 0 && points > 0) {
      event.preventDefault();
      setOn((old) => Math.min(points - 1, Math.max(0, (old ?? (delta > 0 ? -1 : points)) + delta)));
    }
  };
  const reading =
    on === null || at[on] === undefined
      ? null
      : `${shortStamp(at[on])} · ${series
          .map((it) => `${it.label.toLowerCase()} ${it.values[on] == null ? "–" : format(it.values[on])}`)
          .join(", ")}`;

  return (
    <figure style={{ margin: 0 }}>
      <div className="line apart">
        <div className="legend">
          {series.map((it) => (
            <span key={it.label}>
              <i className={it.tone} /> {it.label}
            </span>
          ))}
        </div>
        <div aria-live="polite" className="reading">
          {reading}
        </div>
      </div>
      <div className="chart" ref={ref}>
        <svg
          aria-label={`${label}. Arrow keys read it point by point.`}
          height={HEIGHT}
          onBlur={() => setOn(null)}
          onKeyDown={move}
          onMouseLeave={() => setOn(null)}
          onMouseMove={(event) => {
            const left = box.current?.getBoundingClientRect().left ?? 0;
            const index = Math.floor((event.clientX - left - LEFT) / step);
            setOn(index >= 0 && index < points ? index : null);
          }}
          ref={box}
          role="img"
          tabIndex={0}
          viewBox={`0 0 ${w} ${HEIGHT}`}
        >
          <clipPath id={clip}>
            <rect height={plotH + 2} width={plotW} x={LEFT} y={TOP - 1} />
          </clipPath>
          {ticks.map((tick) => (
            <g key={tick}>
              <line className="grid" x1={LEFT} x2={w - 4} y1={y(tick)} y2={y(tick)} />
              <text textAnchor="end" x={LEFT - 8} y={y(tick) + 4}>
                {format(tick)}
              </text>
            </g>
          ))}
          {on !== null && (
            <rect className="pick on" height={plotH} width={step} x={LEFT + on * step} y={TOP} />
          )}
          <g clipPath={`url(#${clip})`}>
            {kind === "bars" ? (
              <Bars at={at} series={series} step={step} y={y} />
            ) : (
              series.map((it, index) => (
                <Curve first={index === 0} key={it.label} step={step} values={it.values} y={y} />
              ))
            )}
          </g>
          {marks.map((index, order) => (
            <text
              key={order}
              textAnchor={order === 0 ? "start" : order === 1 ? "middle" : "end"}
              x={order === 0 ? LEFT : order === 1 ? LEFT + plotW / 2 : w - 4}
              y={HEIGHT - 5}
            >
              {shortStamp(at[index] ?? "")}
            </text>
          ))}
        </svg>
      </div>
      <div className="spoken">
        <table>
          <caption>{label}</caption>
          <thead>
            <tr>
              <th scope="col">From</th>
              {series.map((it) => (
                <th key={it.label} scope="col">
                  {it.label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {at.map((time, index) =>
              sums[index] === 0 ? null : (
                <tr key={time}>
                  <th scope="row">{shortStamp(time)}</th>
                  {series.map((it) => (
                    <td key={it.label}>{it.values[index] == null ? "–" : format(it.values[index])}</td>
                  ))}
                </tr>
              ),
            )}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

function Bars({
  at,
  series,
  step,
  y,
}: {
  readonly at: readonly string[];
  readonly series: readonly Series[];
  readonly step: number;
  readonly y: (value: number) => number;
}) {
  const gap = Math.min(3, step * 0.25);
  return at.map((time, index) => {
    let floor = 0;
    return (
      <g key={time}>
        {series.map((it) => {
          const value = it.values[index] ?? 0;
          if (value === 0) {
            return null;
          }
          const from = y(floor);
          floor += value;
          // A single failure among thousands is still to be seen.
          const height = Math.max(from - y(floor), 2);
          return (
            <rect
              className={it.tone}
              height={height}
              key={it.label}
              rx={1}
              width={Math.max(step - gap, 1)}
              x={LEFT + index * step + gap / 2}
              y={from - height}
            />
          );
        })}
      </g>
    );
  });
}

function Curve({
  values,
  step,
  y,
  first,
}: {
  readonly values: readonly (number | null)[];
  readonly step: number;
  readonly y: (value: number) => number;
  readonly first: boolean;
}) {
  const place = (index: number, value: number) => `${LEFT + (index + 0.5) * step},${y(value)}`;
  const runs: string[][] = [];
  let run: string[] = [];
  values.forEach((value, index) => {
    if (value === null) {
      run = [];
    } else {
      if (run.length === 0) {
        runs.push(run);
      }
      run.push(place(index, value));
    }
  });
  const name = first ? "" : " second";
  return runs.map((points) =>
    points.length === 1 ? (
      <circle
        className={`dot${name}`}
        cx={points[0]?.split(",")[0]}
        cy={points[0]?.split(",")[1]}
        key={points[0]}
        r={2.6}
      />
    ) : (
      <polyline className={`curve${name}`} key={points[0]} points={points.join(" ")} />
    ),
  );
}

export type Share = { readonly label: string; readonly value: number; readonly tone: Series["tone"] };

/** Parts of a whole as one bar and a legend with numbers. */
export function Shares({ shares, label }: { readonly shares: readonly Share[]; readonly label: string }) {
  const sum = shares.reduce((all, it) => all + it.value, 0);
  const shown = shares.filter((it) => it.value > 0);
  let from = 0;
  return (
    <div className="stack tight">
      <div className="chart">
        <svg aria-hidden="true" height={12} preserveAspectRatio="none" viewBox="0 0 100 12">
          <rect fill="var(--calm-soft)" height={12} rx={1} width={100} />
          {shown.map((it) => {
            const width = (it.value / sum) * 100;
            const x = from;
            from += width;
            return <rect className={it.tone} height={12} key={it.label} width={Math.max(width, 0.6)} x={x} />;
          })}
        </svg>
      </div>
      <ul aria-label={label} className="legend" style={{ margin: 0, padding: 0, listStyle: "none" }}>
        {shown.length === 0 && <li>Nothing yet</li>}
        {shown.map((it) => (
          <li key={it.label}>
            <span>
              <i className={it.tone} /> {it.label} {count(it.value)}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
