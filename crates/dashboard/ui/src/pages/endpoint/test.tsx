// Sends a test and shows at once what the receiver answered.

import { Button, Modal, Select } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import { type Endpoint, useTestEndpoint } from "../../api/endpoints";
import { useHref } from "../../api/session";
import { useEventTypes } from "../../api/settings";
import { matchesAny } from "../../lib/patterns";
import { reason } from "../../lib/problem";
import { words } from "../../lib/text";
import { millis } from "../../lib/time";
import { Foreign, Note } from "../../parts/basics";
import { Body } from "../../parts/code";

export function TestDialog({
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
      onClose={onClose}
      opened={open}
      size="lg"
      title="Send test"
    >
      <Form endpoint={endpoint} onClose={onClose} />
    </Modal>
  );
}

function Form({ endpoint, onClose }: { readonly endpoint: Endpoint; readonly onClose: () => void }) {
  const href = useHref();
  const types = useEventTypes();
  const test = useTestEndpoint(endpoint.id);
  const [type, setType] = useState<string | null>(null);
  const { mutate } = test;
  // One press sends one: the dialog shows what came of it, and sends others.
  const sent = useRef(false);
  useEffect(() => {
    if (!sent.current) {
      sent.current = true;
      mutate({ type: null, data: {} });
    }
  }, [mutate]);
  const offered = (types.data ?? []).filter((it) => matchesAny(endpoint.events, it.name));
  const sample = offered.find((it) => it.name === type)?.sample;
  const attempt = test.data?.attempt;
  return (
    <div className="stack">
      <p style={{ margin: 0 }}>
        One signed POST to <Foreign text={endpoint.url} />, like a real one but never retried. It does not
        count as a failure.
      </p>
      {offered.length > 0 && (
        <Select
          clearable
          data={offered.map((it) => it.name)}
          label="Event type"
          onChange={setType}
          placeholder="A test event"
          searchable
          value={type}
        />
      )}
      {test.error !== null && (
        <Note live tone="bad">
          {reason(test.error)}
        </Note>
      )}
      {attempt !== undefined && test.data !== undefined && (
        <div className="stack tight">
          <Note
            live
            title={
              attempt.status_code
                ? `The receiver answered ${attempt.status_code} after ${millis(attempt.duration_ms)}.`
                : `${words(attempt.outcome)} after ${millis(attempt.duration_ms)}.`
            }
            tone={test.data.succeeded ? "good" : "bad"}
          >
            {attempt.error && attempt.outcome !== "http_error" && <Foreign text={attempt.error} />}
          </Note>
          {attempt.status_code != null && <Body label="Answer" text={attempt.response_body} />}
          <Link className="text-link" href={href(`deliveries/${test.data.delivery_id}`)} onClick={onClose}>
            See the whole request and answer
          </Link>
        </div>
      )}
      <div className="form-foot">
        <Button onClick={onClose} variant="default">
          Close
        </Button>
        <Button
          data-autofocus
          loading={test.isPending}
          onClick={() => test.mutate({ type, data: sample ?? {} })}
        >
          Send another
        </Button>
      </div>
    </div>
  );
}
