// A retry policy drawn as a line of moments.

import { moments } from "../lib/retry";
import { span } from "../lib/time";

/** Beyond this many attempts the middle is told in one word. */
const SHOWN = 9;

export function RetryLine({
  delaysS,
  jitter,
}: {
  readonly delaysS: readonly number[];
  readonly jitter: number;
}) {
  const all = moments(delaysS);
  const head = all.length > SHOWN ? all.slice(0, SHOWN - 2) : all;
  const last = all.at(-1);
  const left = all.length - head.length - 1;
  return (
    <div className="stack tight">
      <ol aria-label="Attempts" className="retry-line">
        {head.map((it) => (
          <li key={it.attempt}>
            <strong>{it.attempt}</strong>
            <br />
            <span className="dim">{it.attempt === 1 ? "at once" : `+ ${span(it.delayS)}`}</span>
          </li>
        ))}
        {left > 0 && (
          <li>
            <strong>…</strong>
            <br />
            <span className="dim">{left} more</span>
          </li>
        )}
        {all.length > head.length && last !== undefined && (
          <li>
            <strong>{last.attempt}</strong>
            <br />
            <span className="dim">+ {span(last.delayS)}</span>
          </li>
        )}
      </ol>
      <div className="dim small">
        {all.length === 1
          ? "One attempt only."
          : `${all.length} attempts; the last ${span(last?.afterS ?? 0)} after the first.`}
        {jitter > 0 && ` Each delay varies by ${Math.round(jitter * 100)} % either way.`}
      </div>
    </div>
  );
}
