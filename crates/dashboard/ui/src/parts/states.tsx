// What a list shows while it loads, when there is nothing, and when it could not be had.

import { Button, Skeleton } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Problem, reason } from "../lib/problem";
import { Icon, type IconName } from "./icons";

export function Loading({
  rows = 6,
  label = "Loading",
}: {
  readonly rows?: number;
  readonly label?: string;
}) {
  return (
    <div aria-busy="true" aria-label={label} role="status">
      {Array.from({ length: rows }, (_, index) => (
        <div className="row" key={index} style={{ display: "flex" }}>
          <Skeleton height={12} radius="sm" width={`${34 - ((index * 7) % 14)}%`} />
          <Skeleton height={12} ml="auto" radius="sm" width={`${18 - ((index * 5) % 9)}%`} />
        </div>
      ))}
    </div>
  );
}

export function Empty({
  icon,
  title,
  children,
  action,
}: {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}) {
  return (
    <div className="state">
      <span className="mark">
        <Icon name={icon} size={22} />
      </span>
      <h3>{title}</h3>
      {children !== undefined && <p>{children}</p>}
      {action !== undefined && action !== false && <div className="actions">{action}</div>}
    </div>
  );
}

export function Failed({
  error,
  onRetry,
  what,
  back,
}: {
  readonly error: unknown;
  readonly onRetry?: () => void;
  readonly what: string;
  /** Where to go when there is no such thing. */
  readonly back?: { readonly label: string; readonly href: string };
}) {
  // Asking again for what is not there is no next step.
  if (back !== undefined && error instanceof Problem && error.status === 404) {
    return (
      <Empty
        action={
          <Button component={Link} href={back.href} variant="default">
            To all {back.label.toLowerCase()}
          </Button>
        }
        icon="search"
        title={`${what} is not here`}
      >
        It may have been deleted, or kept for its time and dropped. Or the address is mistyped.
      </Empty>
    );
  }
  return (
    <div className="state failed" role="alert">
      <span className="mark">
        <Icon name="warning" size={22} />
      </span>
      <h3>{what} could not be loaded</h3>
      <p>{reason(error)}</p>
      {onRetry !== undefined && (
        <div className="actions">
          <Button leftSection={<Icon name="retry" size={16} />} onClick={onRetry} variant="default">
            Try again
          </Button>
        </div>
      )}
    </div>
  );
}
