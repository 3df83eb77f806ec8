// Changes what a source is set to. Only what was changed is sent, so that nothing is overwritten by accident.

import { Modal, PasswordInput, Select, TagsInput, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { usePlace } from "../../api/session";
import { type Source, type SourcePatch, useProviders, useUpdateSource } from "../../api/sources";
import { fieldError, formError } from "../../lib/problem";
import { scopeLabel } from "../../lib/profiles";
import { Note } from "../../parts/basics";
import { FormFoot } from "../../parts/form-foot";
import { useSay } from "../../parts/toasts";

export type SourceDraft = {
  readonly name: string;
  readonly provider: string;
  readonly scope: string;
  readonly publicUrl: string;
  readonly events: readonly string[];
  readonly token: string;
  readonly description: string;
};

export function draftOf(source: Source): SourceDraft {
  return {
    name: source.name,
    provider: source.provider,
    scope: source.scope ?? "",
    publicUrl: source.public_url ?? "",
    events: source.events,
    // It is never shown; what is typed replaces it.
    token: "",
    description: source.description ?? "",
  };
}

/** What differs between two states of the form. */
export function patchOf(before: SourceDraft, after: SourceDraft): SourcePatch {
  const text = (value: string) => (value.trim() === "" ? null : value.trim());
  const has = (name: keyof SourceDraft) => JSON.stringify(before[name]) !== JSON.stringify(after[name]);
  return {
    ...(has("name") ? { name: after.name.trim() } : {}),
    ...(has("provider") ? { provider: after.provider } : {}),
    ...(has("scope") ? { scope: text(after.scope) } : {}),
    ...(has("publicUrl") ? { public_url: text(after.publicUrl) } : {}),
    ...(has("events") ? { events: [...after.events] } : {}),
    ...(has("token") ? { verify_token: text(after.token) } : {}),
    ...(has("description") ? { description: text(after.description) } : {}),
  };
}

const POINTERS = [
  "/name",
  "/provider",
  "/scope",
  "/public_url",
  "/events",
  "/verify_token",
  "/description",
] as const;

export function EditSource({
  source,
  open,
  onClose,
}: {
  readonly source: Source;
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
      title="Edit source"
    >
      <Form onClose={onClose} source={source} />
    </Modal>
  );
}

function Form({ source, onClose }: { readonly source: Source; readonly onClose: () => void }) {
  const update = useUpdateSource(source.id);
  const say = useSay();
  const [before] = useState(() => draftOf(source));
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
        say.done("Saved. The next request obeys.");
        onClose();
      },
    });
  };
  const rest = formError(update.error, POINTERS);
  return (
    <form className="form" noValidate onSubmit={submit}>
      <Fields
        draft={draft}
        error={update.error}
        onChange={(change) => setDraft((old) => ({ ...old, ...change }))}
        source={source}
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

function Fields({
  draft,
  error,
  source,
  onChange,
}: {
  readonly draft: SourceDraft;
  readonly error: unknown;
  readonly source: Source;
  readonly onChange: (change: Partial<SourceDraft>) => void;
}) {
  const place = usePlace();
  const providers = useProviders();
  const preset = providers.data?.find((it) => it.name === draft.provider);
  return (
    <>
      <TextInput
        data-autofocus
        error={fieldError(error, "/name")}
        label="Name"
        onChange={(event) => onChange({ name: event.currentTarget.value })}
        required
        value={draft.name}
      />
      <Select
        allowDeselect={false}
        data={(providers.data ?? []).map((it) => ({ value: it.name, label: it.title }))}
        description="Who sends: this decides how the signature is checked. The secret has to suit it."
        error={fieldError(error, "/provider")}
        label="Provider"
        onChange={(value) => onChange({ provider: value ?? source.provider })}
        searchable
        value={draft.provider}
      />
      {(preset?.handshake === true || source.has_verify_token) && (
        <PasswordInput
          autoComplete="off"
          description={
            source.has_verify_token
              ? "There is one. What you type replaces it."
              : "Where the provider’s handshake asks for a token you chose"
          }
          error={fieldError(error, "/verify_token")}
          label="Verify token"
          onChange={(event) => onChange({ token: event.currentTarget.value })}
          value={draft.token}
          visibilityToggleButtonProps={{ "aria-label": "Show the token" }}
        />
      )}
      <TagsInput
        description="Types such as push or pull_request.*; left empty, everything"
        error={fieldError(error, "/events")}
        label="Passed on"
        onChange={(events) => onChange({ events })}
        splitChars={[",", " "]}
        value={[...draft.events]}
      />
      <TextInput
        description="The URL the provider was told, where that is not the receive URL"
        error={fieldError(error, "/public_url")}
        inputMode="url"
        label="Public URL"
        onChange={(event) => onChange({ publicUrl: event.currentTarget.value })}
        placeholder={source.receive_url}
        spellCheck={false}
        value={draft.publicUrl}
      />
      <TextInput
        description="Its events get it."
        error={fieldError(error, "/scope")}
        label={scopeLabel(place.profile)}
        onChange={(event) => onChange({ scope: event.currentTarget.value })}
        placeholder="None"
        spellCheck={false}
        value={draft.scope}
      />
      <Textarea
        autosize
        error={fieldError(error, "/description")}
        label="Description"
        maxRows={8}
        minRows={2}
        onChange={(event) => onChange({ description: event.currentTarget.value })}
        value={draft.description}
      />
    </>
  );
}
