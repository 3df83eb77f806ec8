// One delivery: each attempt, what was said on both sides, and what comes next.

import { Button } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import {
  type Attempt,
  type Delivery,
  useAttempts,
  useCancelDelivery,
  useDelivery,
  useRetryDelivery,
} from "../../api/deliveries";
import { useEndpoint } from "../../api/endpoints";
import { useEvent } from "../../api/events";
import { useHref, usePlace } from "../../api/session";
import { envelope } from "../../lib/envelope";
import { curl } from "../../lib/shell";
import { plural, words } from "../../lib/text";
import { millis, span } from "../../lib/time";
import {
  Ago,
  At,
  CopyButton,
  Facts,
  Foreign,
  Mono,
  Note,
  Page,
  Panel,
  Pill,
  useNow,
  Value,
} from "../../parts/basics";
import { Confirm } from "../../parts/confirm";
import { useFilters } from "../../parts/filters";
import { Icon } from "../../parts/icons";
import { Failed, Loading } from "../../parts/states";
import { useSay } from "../../parts/toasts";
import { AttemptDetail } from "./attempt";

export function DeliveryPage({ id }: { readonly id: string }) {
  const href = useHref();
  const found = useDelivery(id);
  return (
    <Page
      actions={found.data !== undefined && <Actions delivery={found.data} />}
      beside={found.data !== undefined && <Pill state={found.data.status} />}
      crumbs={[{ label: "Deliveries", href: href("deliveries") }]}
      title={found.data?.event_type ?? "Delivery"}
    >
      {found.isPending ? (
        <Panel bare>
          <Loading label="Loading the delivery" />
        </Panel>
      ) : found.data === undefined ? (
        <Panel bare>
          <Failed
            back={{ label: "Deliveries", href: href("deliveries") }}
            error={found.error}
            onRetry={() => void found.refetch()}
            what="The delivery"
          />
        </Panel>
      ) : (
        <Found delivery={found.data} />
      )}
    </Page>
  );
}

function Actions({ delivery }: { readonly delivery: Delivery }) {
  const place = usePlace();
  const say = useSay();
  const retry = useRetryDelivery();
  const cancel = useCancelDelivery();
  const [asking, setAsking] = useState(false);
  const open = delivery.status === "pending" || delivery.status === "sending";
  const { attempt, sent } = useShownAttempt(delivery);
  return (
    <>
      {attempt !== null && sent !== null && (
        <CopyButton
          label="Copy as curl"
          text={curl({ url: sent.url, headers: attempt.request_headers, body: sent.body })}
        />
      )}
      {place.can.replay && open && (
        <Button
          leftSection={<Icon name="close" size={16} />}
          onClick={() => setAsking(true)}
          variant="default"
        >
          Cancel delivery
        </Button>
      )}
      {place.can.replay && (
        <Button
          leftSection={<Icon name="retry" size={16} />}
          loading={retry.isPending}
          onClick={() =>
            retry.mutate(delivery.id, {
              onSuccess: () => say.done("It is sent again now."),
              onError: (error) => say.failed(error),
            })
          }
          variant={delivery.status === "succeeded" ? "default" : "filled"}
        >
          Retry
        </Button>
      )}
      <Confirm
        action="Cancel delivery"
        error={cancel.error}
        isBusy={cancel.isPending}
        onClose={() => setAsking(false)}
        onConfirm={() => cancel.mutate(delivery.id, { onSuccess: () => setAsking(false) })}
        open={asking}
        title="Cancel this delivery?"
      >
        No further attempt is made for <Foreign text={delivery.event_type} />. It can still be retried by
        hand.
      </Confirm>
    </>
  );
}

/** The attempt that is looked at, and what was sent with it as far as it can be built again. */
function useShownAttempt(delivery: Delivery) {
  const attempts = useAttempts(delivery.id, delivery.status === "pending" || delivery.status === "sending");
  const endpoint = useEndpoint(delivery.endpoint_id);
  const event = useEvent(delivery.event_id);
  const [filter, setFilter] = useFilters(["attempt"]);
  const rows = attempts.data ?? [];
  const attempt = rows.find((it) => String(it.number) === filter.attempt) ?? rows[0] ?? null;
  const sent =
    endpoint.data === undefined || event.data === undefined
      ? null
      : { url: endpoint.data.url, body: envelope(endpoint.data.profile, event.data.event, event.data.data) };
  const show = (number: number) => setFilter({ attempt: String(number) });
  return { attempts, endpoint, event, attempt, sent, show };
}

function Found({ delivery }: { readonly delivery: Delivery }) {
  const href = useHref();
  const { attempts, endpoint, attempt, sent, show } = useShownAttempt(delivery);
  return (
    <>
      <Outlook attempt={attempts.data?.[0] ?? null} delivery={delivery} />
      <Panel title="Delivery">
        <div className="columns">
          <Facts
            rows={[
              ["Id", <Value key="id" label="delivery id" text={delivery.id} />],
              [
                "Event",
                <Link className="text-link" href={href(`events/${delivery.event_id}`)} key="event">
                  <Mono text={delivery.event_id} />
                </Link>,
              ],
              [
                "Webhook",
                <Link
                  className="text-link"
                  href={href(`settings/webhooks/${delivery.endpoint_id}`)}
                  key="endpoint"
                >
                  <Foreign text={endpoint.data?.name ?? endpoint.data?.url ?? delivery.endpoint_id} />
                </Link>,
              ],
            ]}
          />
          <Facts
            rows={[
              ["Accepted", <At at={delivery.created_at} key="at" />],
              ["Last change", <At at={delivery.updated_at} key="updated" />],
              ["Attempts made", String(delivery.attempts)],
            ]}
          />
        </div>
      </Panel>
      <div className="columns attempts">
        <Panel title="Attempts">
          {attempts.isPending ? (
            <Loading label="Loading attempts" rows={3} />
          ) : attempts.data === undefined ? (
            <Failed error={attempts.error} onRetry={() => void attempts.refetch()} what="The attempts" />
          ) : (
            <Timeline
              attempts={attempts.data}
              delivery={delivery}
              onShow={show}
              shown={attempt?.number ?? null}
            />
          )}
        </Panel>
        {attempt !== null ? (
          <AttemptDetail
            attempt={attempt}
            body={sent?.body ?? null}
            profile={endpoint.data?.profile ?? null}
            url={sent?.url ?? null}
          />
        ) : (
          <Panel title="Request and answer">
            <p className="dim" style={{ margin: 0 }}>
              There was no attempt yet.
            </p>
          </Panel>
        )}
      </div>
    </>
  );
}

/** What became of it, or what comes next. */
function Outlook({ delivery, attempt }: { readonly delivery: Delivery; readonly attempt: Attempt | null }) {
  const now = useNow();
  switch (delivery.status) {
    case "pending": {
      const at = delivery.next_attempt_at;
      const left = at ? (new Date(at).getTime() - now) / 1_000 : 0;
      return (
        <Note icon="clock" tone="warn" title={attempt === null ? "It waits for its turn." : failure(attempt)}>
          {at && (
            <>
              Next attempt{" "}
              {left > 1 ? (
                <>
                  in {span(left)}, at <At at={at} />
                </>
              ) : (
                "now"
              )}
              .
            </>
          )}
        </Note>
      );
    }
    case "failed":
      return (
        <Note tone="bad" title={attempt === null ? "It failed." : failure(attempt)}>
          {delivery.reason === "terminal"
            ? "That answer is final: it is not tried again by itself."
            : `All attempts are used up (${delivery.attempts}).`}{" "}
          Once the receiver is mended, retry it here or recover all of its webhook’s failures at once.
        </Note>
      );
    case "discarded":
      return (
        <Note tone="calm" title="It was discarded.">
          {delivery.reason ? `${words(delivery.reason)}.` : "Its endpoint was off."} Retry sends it after all.
        </Note>
      );
    case "cancelled":
      return <Note tone="calm" title="It was cancelled." />;
    case "sending":
    case "succeeded":
      return null;
  }
}

/** Why an attempt failed, in one sentence. */
export function failure(attempt: Attempt): string {
  if (attempt.outcome === "succeeded") {
    return "The receiver took it.";
  }
  const after = `after ${millis(attempt.duration_ms)}`;
  if (attempt.outcome === "http_error") {
    return `The receiver answered ${attempt.status_code ?? "something else"} ${after}.`;
  }
  const error = attempt.error?.replace(/\.$/, "");
  return `${error ? error.charAt(0).toUpperCase() + error.slice(1) : words(attempt.outcome)}, ${after}.`;
}

function Timeline({
  delivery,
  attempts,
  shown,
  onShow,
}: {
  readonly delivery: Delivery;
  readonly attempts: readonly Attempt[];
  readonly shown: number | null;
  readonly onShow: (number: number) => void;
}) {
  return (
    <ol aria-label="Attempts, newest first" className="timeline">
      {delivery.next_attempt_at && delivery.status === "pending" && (
        <li>
          <div className="attempt-next">
            Next attempt <Ago at={delivery.next_attempt_at} />
          </div>
        </li>
      )}
      {attempts.length === 0 && !delivery.next_attempt_at && (
        <li>
          <div className="attempt-next dim">No attempt yet</div>
        </li>
      )}
      {attempts.map((it) => (
        <li className={it.outcome === "succeeded" ? "good" : "bad"} key={it.id}>
          <button
            aria-current={it.number === shown}
            className="attempt"
            onClick={() => onShow(it.number)}
            type="button"
          >
            <span className="line apart">
              <strong>
                {it.status_code ?? words(it.outcome)}{" "}
                <span className="dim" style={{ fontWeight: 400 }}>
                  attempt {it.number}
                </span>
              </strong>
              <span className="dim small">{millis(it.duration_ms)}</span>
            </span>
            <span className="dim small">
              <At at={it.started_at} />
              {it.trigger !== "automatic" && ` · ${it.trigger}`}
            </span>
          </button>
        </li>
      ))}
      {attempts.length > 0 && delivery.attempts > attempts.length && (
        <li>
          <div className="attempt-next dim">
            {plural(delivery.attempts - attempts.length, "older one", "older ones")}
          </div>
        </li>
      )}
    </ol>
  );
}
