// One endpoint: how it does, what it is set to, and everything that can be done with it.

import { Button, Menu, Tabs } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useLocation } from "wouter";
import {
  type Endpoint,
  type Move,
  useDeleteEndpoint,
  useEndpoint,
  useMoveEndpoint,
  useRevealSecret,
  useVerifyEndpoint,
} from "../../api/endpoints";
import { useHref, usePlace } from "../../api/session";
import { schemeOf } from "../../lib/profiles";
import { count, plural } from "../../lib/text";
import { span } from "../../lib/time";
import { Foreign, Mono, Note, Page, Panel, Pill, useNow } from "../../parts/basics";
import { Confirm } from "../../parts/confirm";
import { useFilters } from "../../parts/filters";
import { Icon } from "../../parts/icons";
import { SecretDialog, type ShownSecret } from "../../parts/secret";
import { Failed, Loading } from "../../parts/states";
import { useSay } from "../../parts/toasts";
import { EndpointDeliveries } from "./deliveries";
import { EditDialog } from "./edit";
import { RecoverDialog } from "./recover";
import { RotateDialog } from "./rotate";
import { Settings } from "./settings";
import { Stats } from "./stats";
import { TestDialog } from "./test";

type Ask = "disable" | "delete" | null;

export function EndpointPage({ id }: { readonly id: string }) {
  const href = useHref();
  const found = useEndpoint(id);
  const endpoint = found.data;
  return (
    <Page
      actions={endpoint !== undefined && <Actions endpoint={endpoint} />}
      manyActions
      beside={endpoint !== undefined && <Pill state={endpoint.status} />}
      crumbs={[{ label: "Webhooks", href: href("settings/webhooks") }]}
      lead={endpoint?.name ? <Mono text={endpoint.url} /> : undefined}
      title={endpoint === undefined ? "Webhook" : (endpoint.name ?? endpoint.url)}
    >
      {found.isPending ? (
        <Panel bare>
          <Loading label="Loading the webhook" />
        </Panel>
      ) : endpoint === undefined ? (
        <Panel bare>
          <Failed
            back={{ label: "Webhooks", href: href("settings/webhooks") }}
            error={found.error}
            onRetry={() => void found.refetch()}
            what="The webhook"
          />
        </Panel>
      ) : (
        <Found endpoint={endpoint} />
      )}
    </Page>
  );
}

function Actions({ endpoint }: { readonly endpoint: Endpoint }) {
  const place = usePlace();
  const href = useHref();
  const [, go] = useLocation();
  const say = useSay();
  const move = useMoveEndpoint(endpoint.id);
  const remove = useDeleteEndpoint(endpoint.id);
  const reveal = useRevealSecret(endpoint.id);
  const [asking, setAsking] = useState<Ask>(null);
  const [open, setOpen] = useState<"test" | "rotate" | "recover" | "edit" | null>(null);
  const [shown, setShown] = useState<ShownSecret | null>(null);
  const verify = { scheme: schemeOf(endpoint.profile), url: endpoint.url };
  const name = endpoint.name ?? endpoint.url;
  const run = (to: Move, said: string) =>
    move.mutate(to, {
      onSuccess: () => {
        say.done(said);
        setAsking(null);
      },
      onError: (error) => say.failed(error),
    });
  const { manage, replay } = place.can;
  return (
    <>
      {manage && (
        <Button leftSection={<Icon name="send" size={16} />} onClick={() => setOpen("test")}>
          Send test
        </Button>
      )}
      {replay && (
        <Button
          leftSection={<Icon name="retry" size={16} />}
          onClick={() => setOpen("recover")}
          variant="default"
        >
          Recover
        </Button>
      )}
      {manage && (
        <>
          <Button
            leftSection={<Icon name="key" size={16} />}
            onClick={() => setOpen("rotate")}
            variant="default"
          >
            Rotate secret
          </Button>
          {endpoint.status === "active" && (
            <Button
              leftSection={<Icon name="pause" size={16} />}
              loading={move.isPending && move.variables === "pause"}
              onClick={() => run("pause", "Paused. What is accepted now is held.")}
              variant="default"
            >
              Pause
            </Button>
          )}
          {endpoint.status === "paused" && (
            <Button
              leftSection={<Icon name="play" size={16} />}
              loading={move.isPending && move.variables === "resume"}
              onClick={() => run("resume", "Resumed. What was held is sent in order.")}
              variant="default"
            >
              Resume
            </Button>
          )}
          {endpoint.status === "disabled" ? (
            <Button
              leftSection={<Icon name="power" size={16} />}
              loading={move.isPending && move.variables === "enable"}
              onClick={() => run("enable", "Enabled.")}
              variant="default"
            >
              Enable
            </Button>
          ) : (
            <Button
              leftSection={<Icon name="power" size={16} />}
              onClick={() => setAsking("disable")}
              variant="default"
            >
              Disable
            </Button>
          )}
          <Button
            color="red"
            leftSection={<Icon name="trash" size={16} />}
            onClick={() => setAsking("delete")}
            variant="light"
          >
            Delete
          </Button>
          <Menu>
            <Menu.Target>
              <Button aria-label="More actions" px={9} variant="default">
                <Icon name="more" />
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<Icon name="settings" size={16} />} onClick={() => setOpen("edit")}>
                Edit
              </Menu.Item>
              <Menu.Item
                leftSection={<Icon name="eye" size={16} />}
                onClick={() =>
                  reveal.mutate(undefined, {
                    onSuccess: ({ secret }) => setShown({ secret, verify, revealed: true }),
                    onError: (error) => say.failed(error),
                  })
                }
              >
                Reveal secret
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </>
      )}
      <Confirm
        action="Disable"
        error={move.error}
        isBusy={move.isPending}
        onClose={() => setAsking(null)}
        onConfirm={() => run("disable", "Disabled. Its events are discarded from now on.")}
        open={asking === "disable"}
        title="Disable this webhook?"
      >
        <Foreign text={name} /> gets nothing any more. Events for it are discarded, not kept; each stays
        listed with the reason. Use Pause to hold them instead.
      </Confirm>
      <Confirm
        action="Delete"
        error={remove.error}
        isBusy={remove.isPending}
        onClose={() => setAsking(null)}
        onConfirm={() =>
          remove.mutate(undefined, {
            onSuccess: () => {
              say.done("Deleted.");
              go(href("settings/webhooks"));
            },
          })
        }
        open={asking === "delete"}
        title="Delete this webhook?"
      >
        <Foreign text={name} />, its secret and its settings are lost for good. What it has not received yet
        is discarded. Its {plural(endpoint.delivery_count, "past delivery stays", "past deliveries stay")}{" "}
        listed.
      </Confirm>
      <TestDialog endpoint={endpoint} onClose={() => setOpen(null)} open={open === "test"} />
      <RecoverDialog endpoint={endpoint} onClose={() => setOpen(null)} open={open === "recover"} />
      <RotateDialog
        endpoint={endpoint}
        onClose={() => setOpen(null)}
        onRotated={(secret, note) => {
          setOpen(null);
          setShown({ secret, verify, note });
        }}
        open={open === "rotate"}
      />
      <EditDialog endpoint={endpoint} onClose={() => setOpen(null)} open={open === "edit"} />
      <SecretDialog onClose={() => setShown(null)} shown={shown} />
    </>
  );
}

function Found({ endpoint }: { readonly endpoint: Endpoint }) {
  const [filter, setFilter] = useFilters(["tab"]);
  const tab = ["deliveries", "numbers", "settings"].includes(filter.tab) ? filter.tab : "deliveries";
  return (
    <>
      <State endpoint={endpoint} />
      <Overlap until={endpoint.previous_secret_expires_at ?? null} />
      <Tabs
        keepMounted={false}
        onChange={(value) => setFilter({ tab: value === "deliveries" ? null : value })}
        value={tab}
      >
        <Tabs.List>
          <Tabs.Tab value="deliveries">Deliveries</Tabs.Tab>
          <Tabs.Tab value="numbers">Numbers</Tabs.Tab>
          <Tabs.Tab value="settings">Settings</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel pt={16} value="deliveries">
          <EndpointDeliveries id={endpoint.id} />
        </Tabs.Panel>
        <Tabs.Panel pt={16} value="numbers">
          <Stats id={endpoint.id} />
        </Tabs.Panel>
        <Tabs.Panel pt={16} value="settings">
          <Settings endpoint={endpoint} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

/** How long the secret before the last rotation still signs. */
function Overlap({ until }: { readonly until: string | null }) {
  const now = useNow();
  const leftS = until === null ? 0 : (new Date(until).getTime() - now) / 1_000;
  return leftS <= 0 ? null : (
    <Note icon="key" tone="info" title="Two secrets sign.">
      The old one for another {span(leftS)}. Deploy the new one before.
    </Note>
  );
}

/** What is to be known first about the state it is in. */
function State({ endpoint }: { readonly endpoint: Endpoint }) {
  switch (endpoint.status) {
    case "pending":
      return <Pending endpoint={endpoint} />;
    case "paused":
      return (
        <Note icon="pause" tone="warn" title="Paused.">
          What is accepted is held, and sent in order once it is resumed.
        </Note>
      );
    case "disabled":
      return (
        <Note tone="bad" title={off(endpoint)}>
          Events for it are discarded until it is enabled.
        </Note>
      );
    case "active":
      return endpoint.consecutive_failures > 0 ? (
        <Note
          tone="bad"
          title={`${plural(endpoint.consecutive_failures, "event", "events")} in a row failed.`}
        >
          The newest failure below says why. Recover sends them again once the receiver is mended.
        </Note>
      ) : null;
  }
}

function off(endpoint: Endpoint): string {
  switch (endpoint.disabled_reason ?? "manual") {
    case "manual":
      return "Disabled by hand.";
    case "gone":
      return "Disabled: the receiver answered that it is gone (410).";
    case "failures":
      return `Disabled by itself: nothing but failures, ${count(endpoint.consecutive_failures)} in a row.`;
    case "verification_failed":
      return "Disabled: the receiver did not prove itself.";
  }
}

function Pending({ endpoint }: { readonly endpoint: Endpoint }) {
  const place = usePlace();
  const verify = useVerifyEndpoint(endpoint.id);
  const say = useSay();
  const answer: ReactNode =
    verify.data === undefined || verify.data.verified ? null : (
      <p style={{ marginTop: 6 }}>
        <strong>The last try:</strong>{" "}
        {verify.data.status_code ? `answered ${verify.data.status_code}. ` : ""}
        {verify.data.reason && <Foreign text={verify.data.reason} />}
      </p>
    );
  return (
    <Note icon="clock" tone="warn" title="Waiting for the receiver to prove itself.">
      It gets nothing before it has answered the challenge.
      {answer}
      {place.can.manage && (
        <div style={{ marginTop: 8 }}>
          <Button
            loading={verify.isPending}
            onClick={() =>
              verify.mutate(undefined, {
                onSuccess: (result) => {
                  if (result.verified) {
                    say.done("Verified. It is Active now.");
                  }
                },
                onError: (error) => say.failed(error),
              })
            }
            size="compact-sm"
            variant="default"
          >
            Verify now
          </Button>
        </div>
      )}
    </Note>
  );
}
