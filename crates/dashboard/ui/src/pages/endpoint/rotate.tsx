// A new secret in place of the old one, with a time in which both sign.

import { Button, Modal, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { type Endpoint, useRotateSecret } from "../../api/endpoints";
import { fieldError, formError } from "../../lib/problem";
import { overlapS } from "../../lib/profiles";
import { span, stamp } from "../../lib/time";
import { Note } from "../../parts/basics";

const OVERLAPS = [0, 3_600, 86_400, 604_800];

export function RotateDialog({
  endpoint,
  open,
  onClose,
  onRotated,
}: {
  readonly endpoint: Endpoint;
  readonly open: boolean;
  readonly onClose: () => void;
  readonly onRotated: (secret: string, note: string) => void;
}) {
  return (
    <Modal closeButtonProps={{ "aria-label": "Close" }} onClose={onClose} opened={open} title="Rotate secret">
      <Form endpoint={endpoint} onClose={onClose} onRotated={onRotated} />
    </Modal>
  );
}

function Form({
  endpoint,
  onClose,
  onRotated,
}: {
  readonly endpoint: Endpoint;
  readonly onClose: () => void;
  readonly onRotated: (secret: string, note: string) => void;
}) {
  const rotate = useRotateSecret(endpoint.id);
  const standard = overlapS(endpoint.profile);
  const [overlap, setOverlap] = useState(String(standard));
  const [own, setOwn] = useState("");
  // Profiles with one signature in their header have no place for a second one.
  const single = standard === 0;
  const seconds = Number(overlap);
  const submit = () =>
    rotate.mutate(
      { ...(single ? {} : { overlap_s: seconds }), ...(own.trim() === "" ? {} : { secret: own.trim() }) },
      {
        onSuccess: (made) => {
          const until = made.previous_secret_expires_at;
          onRotated(
            made.secret ?? "",
            until == null
              ? "The old secret does not sign any more."
              : `Both secrets sign until ${stamp(until)}. Deploy the new one before.`,
          );
        },
      },
    );
  return (
    <div className="form">
      {single ? (
        <Note tone="warn" title="The old secret stops at once.">
          This profile’s header holds one signature. Let your receiver accept both secrets while you switch.
        </Note>
      ) : (
        <Select
          allowDeselect={false}
          data={OVERLAPS.map((it) => ({
            value: String(it),
            label: it === 0 ? "None: the old one stops at once" : span(it),
          }))}
          description="How long the old secret goes on signing beside the new one"
          error={fieldError(rotate.error, "/overlap_s")}
          label="Overlap"
          onChange={(value) => setOverlap(value ?? String(standard))}
          value={overlap}
        />
      )}
      <TextInput
        description="Left empty, a fresh one is made."
        error={fieldError(rotate.error, "/secret")}
        label="Secret of your own"
        onChange={(event) => setOwn(event.currentTarget.value)}
        spellCheck={false}
        value={own}
      />
      {formError(rotate.error, ["/overlap_s", "/secret"]) !== null && (
        <Note live tone="bad">
          {formError(rotate.error, ["/overlap_s", "/secret"])}
        </Note>
      )}
      <div className="form-foot">
        <Button onClick={onClose} variant="default">
          Cancel
        </Button>
        <Button loading={rotate.isPending} onClick={submit}>
          Rotate
        </Button>
      </div>
    </div>
  );
}
