// Changes an endpoint. Only what was changed is sent, so that nothing is overwritten by accident.

import { Modal } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { type Endpoint, type EndpointPatch, useUpdateEndpoint } from "../../api/endpoints";
import { usePlace } from "../../api/session";
import { useEventTypes } from "../../api/settings";
import { headersOf, policyOf } from "../../lib/draft";
import { formError } from "../../lib/problem";
import { Note } from "../../parts/basics";
import { BLANK, type Draft, EndpointFields, POINTERS } from "../../parts/endpoint-form";
import { FormFoot } from "../../parts/form-foot";
import { pairsOf } from "../../parts/pairs";
import { useSay } from "../../parts/toasts";

export function draftOf(endpoint: Endpoint): Draft {
  const { retry, rate_limit: rate, auto_disable: auto } = endpoint;
  const text = (value: number | null | undefined) => (value == null ? "" : String(value));
  return {
    ...BLANK,
    url: endpoint.url,
    name: endpoint.name ?? "",
    events: endpoint.events,
    scope: endpoint.scope ?? "",
    description: endpoint.description ?? "",
    profile: endpoint.profile,
    headers: pairsOf(endpoint.headers),
    keepHeaders: Object.keys(endpoint.headers ?? {}).length > 0,
    retry: retry == null ? "" : "preset" in retry ? retry.preset : "own",
    delays: retry != null && "delays_s" in retry ? retry.delays_s.join(", ") : BLANK.delays,
    jitter: retry != null && "jitter" in retry ? Math.round(retry.jitter * 100) : 0,
    timeoutS: text(endpoint.timeout_s),
    perS: text(rate?.per_s),
    burst: text(rate?.burst),
    maxInFlight: text(endpoint.max_in_flight),
    ordered: endpoint.ordered,
    previous: endpoint.include_previous_attributes,
    autoDisable:
      auto == null ? "" : typeof auto === "boolean" ? "never" : "after_events" in auto ? "events" : "seconds",
    autoDisableAfter:
      auto == null || typeof auto === "boolean"
        ? ""
        : String("after_events" in auto ? auto.after_events : auto.after_s),
    verify: endpoint.verify ?? "",
  };
}

function whole(draft: Draft): EndpointPatch {
  const text = (value: string) => (value.trim() === "" ? null : value.trim());
  return {
    url: draft.url.trim(),
    name: text(draft.name),
    events: [...draft.events],
    scope: text(draft.scope),
    description: text(draft.description),
    profile: draft.profile === "" ? null : draft.profile,
    headers: draft.keepHeaders ? null : headersOf(draft.headers),
    verify: draft.verify === "" ? null : draft.verify,
    ordered: draft.ordered,
    include_previous_attributes: draft.previous,
    ...policyOf(draft),
  };
}

/** What differs between two states of the form. */
export function patchOf(before: Draft, after: Draft): EndpointPatch {
  const from = whole(before) as Record<string, unknown>;
  const to = whole(after) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(to).filter(
      ([name, value]) =>
        JSON.stringify(value) !== JSON.stringify(from[name]) && !(name === "headers" && after.keepHeaders),
    ),
  );
}

export function EditDialog({
  endpoint,
  open,
  onClose,
}: {
  readonly endpoint: Endpoint;
  readonly open: boolean;
  readonly onClose: () => void;
}) {
  return (
    <Modal
      closeButtonProps={{ "aria-label": "Close" }}
      closeOnClickOutside={false}
      onClose={onClose}
      opened={open}
      size="lg"
      title="Edit webhook"
    >
      <Form endpoint={endpoint} onClose={onClose} />
    </Modal>
  );
}

function Form({ endpoint, onClose }: { readonly endpoint: Endpoint; readonly onClose: () => void }) {
  const place = usePlace();
  const types = useEventTypes();
  const update = useUpdateEndpoint(endpoint.id);
  const say = useSay();
  const [before] = useState(() => draftOf(endpoint));
  const [draft, setDraft] = useState(before);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const patch = patchOf(before, draft);
    if (Object.keys(patch).length === 0) {
      onClose();
      return;
    }
    update.mutate(patch, {
      onSuccess: () => {
        say.done("Saved. The next event obeys.");
        onClose();
      },
    });
  };
  const rest = formError(update.error, POINTERS);
  return (
    <form className="form" noValidate onSubmit={submit}>
      <EndpointFields
        draft={draft}
        error={update.error}
        fixedScope={place.scope}
        isNew={false}
        onChange={(change) => setDraft((old) => ({ ...old, ...change }))}
        profile={endpoint.profile}
        types={types.data ?? []}
      />
      {rest !== null && (
        <Note live tone="bad">
          {rest}
        </Note>
      )}
      <FormFoot action="Save" isBusy={update.isPending} onClose={onClose} />
    </form>
  );
}
