// The small pieces every page is made of.

import { ActionIcon, Button, Tooltip } from "@mantine/core";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import { copyText } from "../lib/copy";
import { visible } from "../lib/text";
import { ago, span, stamp } from "../lib/time";
import { Icon, type IconName } from "./icons";

export type Crumb = { readonly label: string; readonly href: string };

/** A page: where it is, what it is called, what can be done. */
export function Page({
  title,
  crumbs = [],
  lead,
  beside,
  actions,
  manyActions = false,
  children,
}: {
  readonly title: string;
  readonly crumbs?: readonly Crumb[];
  readonly lead?: ReactNode;
  readonly beside?: ReactNode;
  readonly actions?: ReactNode;
  /** They get a line of their own, however long the title is. */
  readonly manyActions?: boolean;
  readonly children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${visible(title)} · Hookyard`;
  }, [title]);
  return (
    <div className="page">
      <header className="page-head">
        <div className="page-titles">
          {crumbs.length > 0 && (
            <nav aria-label="Breadcrumb">
              <ol className="crumbs">
                {crumbs.map((crumb) => (
                  <li key={crumb.href}>
                    <Link href={crumb.href}>
                      <Icon name="back" size={14} />
                      {crumb.label}
                    </Link>
                  </li>
                ))}
              </ol>
            </nav>
          )}
          <h1 className="page-title">
            <Foreign text={title} />
            {beside}
          </h1>
          {lead !== undefined && <div className="page-lead">{lead}</div>}
        </div>
        {actions !== undefined && <div className={manyActions ? "actions below" : "actions"}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A framed part of a page. */
export function Panel({
  title,
  actions,
  bare = false,
  children,
}: {
  readonly title?: string;
  readonly actions?: ReactNode;
  /** Its content reaches the frame, as tables do. */
  readonly bare?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <section aria-label={title} className="panel">
      {(title !== undefined || actions !== undefined) && (
        <div className="panel-head">
          {title !== undefined && <h2 className="panel-title">{title}</h2>}
          {actions !== undefined && <div className="actions">{actions}</div>}
        </div>
      )}
      {bare ? children : <div className="panel-body">{children}</div>}
    </section>
  );
}

/** Text that came from outside: shown as what it is. */
export function Foreign({ text, clip = false }: { readonly text: string; readonly clip?: boolean }) {
  const shown = visible(text);
  return (
    <bdi className={clip ? "foreign clip" : "foreign"} title={clip ? shown : undefined}>
      {shown}
    </bdi>
  );
}

/** An id, a URL or a type, in letters of one width. */
export function Mono({ text, clip = false }: { readonly text: string; readonly clip?: boolean }) {
  return (
    <span className={clip ? "mono clip" : "mono"} title={clip ? visible(text) : undefined}>
      <Foreign text={text} />
    </span>
  );
}

/** Re-renders on a beat, for words that depend on the time. */
export function useNow(everyMs = 1_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** How long ago, with the exact time behind it. */
export function Ago({ at }: { readonly at: string }) {
  const now = useNow(Math.abs(Date.now() - new Date(at).getTime()) < 120_000 ? 1_000 : 20_000);
  return (
    <time className="above" dateTime={at} title={`${stamp(at)} (${at})`}>
      {ago(at, now)}
    </time>
  );
}

/** For how long something has lasted, with the time it began behind it. */
export function Since({ at }: { readonly at: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={`since ${stamp(at)} (${at})`}>
      {span(Math.max(0, Math.floor((now - new Date(at).getTime()) / 1_000)))}
    </time>
  );
}

/** The date and time of day. */
export function At({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={at}>
      {stamp(at)}
    </time>
  );
}

export type Tone = "good" | "bad" | "warn" | "info" | "calm";

const TONES: Readonly<Record<string, Tone>> = {
  active: "good",
  succeeded: "good",
  running: "info",
  done: "good",
  serving: "good",
  failed: "bad",
  disabled: "bad",
  lost: "bad",
  pending: "warn",
  paused: "warn",
  sending: "info",
  cancelled: "calm",
  discarded: "calm",
  left: "calm",
  gone: "calm",
  deprecated: "calm",
};

/** A state as a word; its colour only repeats it. */
export function Pill({
  state,
  label,
  tone,
}: {
  readonly state: string;
  readonly label?: string;
  readonly tone?: Tone;
}) {
  const word = label ?? state.charAt(0).toUpperCase() + state.slice(1);
  return <span className={`pill ${tone ?? TONES[state] ?? "calm"}`}>{word}</span>;
}

export function Tags({ values, most = 4 }: { readonly values: readonly string[]; readonly most?: number }) {
  const shown = values.slice(0, most);
  return (
    <span className="tags">
      {shown.map((value) => (
        <span className="tag" key={value}>
          <Foreign text={value === "*" ? "All events" : value} />
        </span>
      ))}
      {values.length > most && (
        <span className="tag" title={values.slice(most).join(", ")}>
          +{values.length - most}
        </span>
      )}
    </span>
  );
}

/** Says something that matters on the page it is about. */
export function Note({
  tone = "calm",
  title,
  icon,
  children,
  live = false,
}: {
  readonly tone?: Tone;
  readonly title?: string;
  readonly icon?: IconName;
  readonly children?: ReactNode;
  readonly live?: boolean;
}) {
  const name =
    icon ?? ({ good: "check", bad: "warning", warn: "warning", info: "info", calm: "info" } as const)[tone];
  return (
    <div className={`note ${tone}`} role={live ? (tone === "bad" ? "alert" : "status") : undefined}>
      <Icon name={name} />
      <div>
        {title !== undefined && <strong>{title}</strong>}
        {children !== undefined && <div>{children}</div>}
      </div>
    </div>
  );
}

export function Facts({
  rows,
}: {
  readonly rows: readonly (readonly [label: string, value: ReactNode] | null)[];
}) {
  return (
    <dl className="facts">
      {rows
        .filter((row) => row !== null)
        .map(([label, value]) => (
          <div key={label} style={{ display: "contents" }}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

function useCopied(): readonly [boolean, (text: string) => void] {
  const [copied, setCopied] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = (text: string) => {
    void copyText(text).then((done) => {
      setCopied(done);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => setCopied(false), 1_600);
    });
  };
  return [copied, copy];
}

/** A small button that copies. Its name says what. */
export function CopyIcon({ text, label }: { readonly text: string; readonly label: string }) {
  const [copied, copy] = useCopied();
  return (
    <>
      <Tooltip label={copied ? "Copied" : label}>
        <ActionIcon aria-label={label} color="gray" onClick={() => copy(text)} variant="subtle">
          <Icon name={copied ? "check" : "copy"} size={16} />
        </ActionIcon>
      </Tooltip>
      <span aria-live="polite" className="spoken">
        {copied ? "Copied" : ""}
      </span>
    </>
  );
}

/** A button with a word that copies. */
export function CopyButton({
  text,
  label = "Copy",
  variant = "default",
  compact = false,
}: {
  readonly text: string;
  readonly label?: string;
  readonly variant?: "default" | "filled";
  readonly compact?: boolean;
}) {
  const [copied, copy] = useCopied();
  return (
    <>
      <Button
        leftSection={<Icon name={copied ? "check" : "copy"} size={16} />}
        onClick={() => copy(text)}
        size={compact ? "compact-sm" : "sm"}
        variant={variant}
      >
        {label}
      </Button>
      <span aria-live="polite" className="spoken">
        {copied ? "Copied" : ""}
      </span>
    </>
  );
}

/** A value that is meant to be taken elsewhere. */
export function Value({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <div className="value">
      <code>
        <Foreign text={text} />
      </code>
      <CopyIcon label={`Copy ${label}`} text={text} />
    </div>
  );
}
