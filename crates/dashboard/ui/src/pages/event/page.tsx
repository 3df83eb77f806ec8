// One event: exactly what was accepted, whom it went to, and sending it again.

import { Button, Checkbox, Modal } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import { useEndpoints } from "../../api/endpoints";
import { useEvent, useEventDeliveries, useReplay } from "../../api/events";
import { useHref, usePlace } from "../../api/session";
import { matchesAny } from "../../lib/patterns";
import { formError } from "../../lib/problem";
import { scopeLabel } from "../../lib/profiles";
import { plural } from "../../lib/text";
import { At, Facts, Foreign, Note, Page, Panel, Value } from "../../parts/basics";
import { Body, Headers } from "../../parts/code";
import { DeliveriesTable } from "../../parts/deliveries";
import { Icon } from "../../parts/icons";
import { Failed, Loading } from "../../parts/states";
import { useSay } from "../../parts/toasts";

export function EventPage({ id }: { readonly id: string }) {
  const place = usePlace();
  const href = useHref();
  const found = useEvent(id);
  const deliveries = useEventDeliveries(id);
  const endpoints = useEndpoints();
  const [replaying, setReplaying] = useState(false);
  const name = (endpoint: string) => {
    const it = endpoints.data?.find((row) => row.id === endpoint);
    return it?.name ?? it?.url ?? endpoint;
  };
  const event = found.data?.event;
  return (
    <Page
      actions={
        place.can.replay &&
        event !== undefined && (
          <Button
            leftSection={<Icon name="retry" size={16} />}
            onClick={() => setReplaying(true)}
            variant="default"
          >
            Replay
          </Button>
        )
      }
      crumbs={[{ label: "Events", href: href("events") }]}
      title={event?.type ?? "Event"}
    >
      {found.isPending ? (
        <Panel bare>
          <Loading label="Loading the event" />
        </Panel>
      ) : found.data === undefined || event === undefined ? (
        <Panel bare>
          <Failed
            back={{ label: "Events", href: href("events") }}
            error={found.error}
            onRetry={() => void found.refetch()}
            what="The event"
          />
        </Panel>
      ) : (
        <>
          <div className="columns wide-left">
            <Panel title="Payload">
              <div className="stack">
                <Body label="Data" text={found.data.data} />
                {found.data.previous !== null && found.data.previous !== "null" && (
                  <Body label="Before the change" text={found.data.previous} />
                )}
              </div>
            </Panel>
            <Panel title="Event">
              <Facts
                rows={[
                  ["Id", <Value key="id" label="event id" text={event.id} />],
                  ["Type", <Foreign key="type" text={event.type} />],
                  ["Accepted", <At at={event.created_at} key="at" />],
                  ["Occurred", <At at={event.occurred_at} key="occurred" />],
                  event.publisher_id
                    ? ["Publisher’s id", <Foreign key="own" text={event.publisher_id} />]
                    : null,
                  event.scope
                    ? [scopeLabel(place.profile), <Foreign key="scope" text={event.scope} />]
                    : null,
                  event.source
                    ? [
                        "Source",
                        <Link className="text-link" href={href(`sources/${event.source}`)} key="source">
                          {event.source}
                        </Link>,
                      ]
                    : null,
                  ["Deliveries", String(event.deliveries)],
                ]}
              />
              {Object.keys(event.headers).length > 0 && (
                <div className="stack tight" style={{ marginTop: 16 }}>
                  <h3 className="sub">Headers</h3>
                  <Headers headers={event.headers} />
                </div>
              )}
            </Panel>
          </div>
          <Panel bare title="Deliveries">
            <DeliveriesTable
              empty={
                <div className="state">
                  <p>No endpoint had asked for this event when it was accepted.</p>
                </div>
              }
              endpointName={name}
              error={deliveries.error}
              hasMore={deliveries.hasMore}
              href={href}
              isLoading={deliveries.isLoading}
              isLoadingMore={deliveries.isLoadingMore}
              onMore={deliveries.loadMore}
              onRetry={deliveries.retry}
              rows={deliveries.rows}
            />
          </Panel>
          <ReplayDialog id={id} onClose={() => setReplaying(false)} open={replaying} type={event.type} />
        </>
      )}
    </Page>
  );
}

function ReplayDialog({
  id,
  type,
  open,
  onClose,
}: {
  readonly id: string;
  readonly type: string;
  readonly open: boolean;
  readonly onClose: () => void;
}) {
  const endpoints = useEndpoints();
  const replay = useReplay(id);
  const say = useSay();
  const [chosen, setChosen] = useState<readonly string[] | null>(null);
  const on = (endpoints.data ?? []).filter((it) => it.status === "active" || it.status === "paused");
  const wanted = on.filter((it) => matchesAny(it.events, type)).map((it) => it.id);
  const ticked = chosen ?? wanted;
  const close = () => {
    setChosen(null);
    replay.reset();
    onClose();
  };
  return (
    <Modal closeButtonProps={{ "aria-label": "Close" }} onClose={close} opened={open} title="Replay">
      <div className="stack">
        <p style={{ margin: 0 }}>
          Each ticked endpoint gets this event once more, as a new delivery signed afresh. Those that ask for
          the type are ticked.
        </p>
        {on.length === 0 && <Note>No endpoint is on.</Note>}
        <div className="stack tight">
          {on.map((it) => (
            <Checkbox
              checked={ticked.includes(it.id)}
              key={it.id}
              label={<Foreign text={it.name ?? it.url} />}
              onChange={(event) =>
                setChosen(
                  event.currentTarget.checked
                    ? [...ticked, it.id]
                    : ticked.filter((endpoint) => endpoint !== it.id),
                )
              }
            />
          ))}
        </div>
        {replay.error !== null && (
          <Note live tone="bad">
            {formError(replay.error, [])}
          </Note>
        )}
        <div className="form-foot">
          <Button onClick={close} variant="default">
            Cancel
          </Button>
          <Button
            disabled={ticked.length === 0}
            loading={replay.isPending}
            onClick={() =>
              replay.mutate(ticked, {
                onSuccess: (answer) => {
                  say.done(
                    `${plural(answer.deliveries.length, "delivery is", "deliveries are")} on the way.`,
                  );
                  close();
                },
              })
            }
          >
            Replay
          </Button>
        </div>
      </div>
    </Modal>
  );
}
