// The form that makes an endpoint.

import { Modal } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { type Endpoint, type NewEndpoint, useCreateEndpoint } from "../../api/endpoints";
import { usePlace } from "../../api/session";
import { useEventTypes } from "../../api/settings";
import { given, headersOf, policyOf } from "../../lib/draft";
import { formError } from "../../lib/problem";
import { Note } from "../../parts/basics";
import { BLANK, type Draft, EndpointFields, POINTERS } from "../../parts/endpoint-form";
import { FormFoot } from "../../parts/form-foot";

/** What a filled form asks for. */
export function newEndpoint(draft: Draft, fixedScope: string | null): NewEndpoint {
  const scope = fixedScope ?? draft.scope.trim();
  const headers = headersOf(draft.headers);
  return {
    url: draft.url.trim(),
    events: [...draft.events],
    ...(draft.name.trim() === "" ? {} : { name: draft.name.trim() }),
    ...(draft.description.trim() === "" ? {} : { description: draft.description.trim() }),
    ...(scope === "" ? {} : { scope }),
    ...(draft.profile === "" ? {} : { profile: draft.profile }),
    ...(draft.secret.trim() === "" ? {} : { secret: draft.secret.trim() }),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(draft.verify === "" ? {} : { verify: draft.verify }),
    ...(draft.ordered ? { ordered: true } : {}),
    ...(draft.previous ? { include_previous_attributes: true } : {}),
    ...given(policyOf(draft)),
  };
}

export function NewEndpointDialog({
  open,
  label,
  onClose,
  onMade,
}: {
  readonly open: boolean;
  readonly label: string;
  readonly onClose: () => void;
  readonly onMade: (endpoint: Endpoint, secret: string | null) => void;
}) {
  return (
    <Modal
      closeButtonProps={{ "aria-label": "Close" }}
      closeOnClickOutside={false}
      onClose={onClose}
      opened={open}
      size="lg"
      title={label}
    >
      <Form onClose={onClose} onMade={onMade} />
    </Modal>
  );
}

function Form({
  onClose,
  onMade,
}: {
  readonly onClose: () => void;
  readonly onMade: (endpoint: Endpoint, secret: string | null) => void;
}) {
  const place = usePlace();
  const types = useEventTypes();
  const create = useCreateEndpoint();
  const [draft, setDraft] = useState<Draft>(BLANK);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(newEndpoint(draft, place.scope), {
      onSuccess: (endpoint) => onMade(endpoint, endpoint.secret ?? null),
    });
  };
  const rest = formError(create.error, POINTERS);
  return (
    <form className="form" noValidate onSubmit={submit}>
      <EndpointFields
        draft={draft}
        error={create.error}
        fixedScope={place.scope}
        isNew
        onChange={(change) => setDraft((old) => ({ ...old, ...change }))}
        profile={place.profile}
        types={types.data ?? []}
      />
      {rest !== null && (
        <Note live tone="bad">
          {rest}
        </Note>
      )}
      <FormFoot action="Save" isBusy={create.isPending} onClose={onClose} />
    </form>
  );
}
