// Bodies, headers and programs, as text and nothing else.

import { Button } from "@mantine/core";
import { memo, type ReactNode, useMemo, useState } from "react";
import { byteLength } from "../lib/envelope";
import { isJson, laidOut, tokens } from "../lib/json";
import { bytes, visible } from "../lib/text";
import { CopyIcon, Foreign } from "./basics";

/** Beyond this many characters only the beginning is drawn until somebody asks for the rest. */
const FIRST = 24_000;
/** Beyond this many characters nothing is coloured. */
const COLOURED = 120_000;

/** A body: JSON laid out and coloured, anything else as it came. */
export const Body = memo(function Body({
  text,
  label,
  note,
}: {
  readonly text: string;
  readonly label: string;
  readonly note?: ReactNode;
}) {
  const [whole, setWhole] = useState(false);
  const [raw, setRaw] = useState(false);
  const json = useMemo(() => text.length <= 4_000_000 && isJson(text), [text]);
  const full = useMemo(() => (json && !raw ? laidOut(text) : text), [json, raw, text]);
  const shown = whole ? full : full.slice(0, FIRST);
  const pieces = useMemo(() => (json && shown.length <= COLOURED ? tokens(shown) : null), [json, shown]);
  return (
    <div className="code">
      <div className="code-bar">
        <span>
          {label} · {bytes(byteLength(text))}
          {note !== undefined && <> · {note}</>}
        </span>
        <span className="line">
          {json && (
            <Button
              aria-pressed={raw}
              color="gray"
              onClick={() => setRaw(!raw)}
              size="compact-xs"
              variant="subtle"
            >
              {raw ? "Lay out" : "As sent"}
            </Button>
          )}
          <CopyIcon label={`Copy ${label.toLowerCase()}`} text={text} />
        </span>
      </div>
      <pre aria-label={label} dir="auto" role="region" tabIndex={0}>
        {text === "" ? (
          <span className="dim">Empty</span>
        ) : pieces === null ? (
          visible(shown)
        ) : (
          pieces.map((piece, index) =>
            piece.kind === "plain" ? (
              visible(piece.text)
            ) : (
              <span className={`tok-${piece.kind}`} key={index}>
                {visible(piece.text)}
              </span>
            ),
          )
        )}
      </pre>
      {full.length > shown.length && (
        <div className="list-foot">
          Only the beginning is shown.
          <Button onClick={() => setWhole(true)} size="compact-sm" variant="default">
            Show all
          </Button>
        </div>
      )}
    </div>
  );
});

/** A program or a command, to be copied. */
export function Code({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <div className="code lines">
      <div className="code-bar">
        <span>{label}</span>
        <CopyIcon label="To the clipboard" text={text} />
      </div>
      <pre aria-label={label} role="region" tabIndex={0}>
        {visible(text)}
      </pre>
    </div>
  );
}

export function Headers({ headers }: { readonly headers: Readonly<Record<string, string>> }) {
  const rows = Object.entries(headers);
  if (rows.length === 0) {
    return <span className="dim">None</span>;
  }
  return (
    <dl className="headers">
      {rows.map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}>
          <dt>
            <Foreign text={name} />
          </dt>
          <dd>
            <Foreign text={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
