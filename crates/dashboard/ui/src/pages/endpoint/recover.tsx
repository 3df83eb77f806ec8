// Sends again what an endpoint missed: which, how fast, how far it is, and how to stop it.

import { Button, Checkbox, Modal, NumberInput, Progress, Select } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import type { Endpoint } from "../../api/endpoints";
import { type Job, useCancelJob, useJob, useRecover } from "../../api/jobs";
import { usePlace } from "../../api/session";
import { fieldError, formError, reason } from "../../lib/problem";
import { count, plural } from "../../lib/text";
import { Foreign, Note, Pill } from "../../parts/basics";
import { sinceOf, TIMES } from "../../parts/filters";
import { FormFoot } from "../../parts/form-foot";

export function RecoverDialog({
  endpoint,
  open,
  onClose,
}: {
  readonly endpoint: Endpoint;
  readonly open: boolean;
  readonly onClose: () => void;
}) {
  // Stays when the dialog is closed: the job goes on by itself, and opening it again shows how far it is.
  const [job, setJob] = useState<string | null>(null);
  return (
    <Modal closeButtonProps={{ "aria-label": "Close" }} onClose={onClose} opened={open} title="Recover">
      {job === null ? (
        <Form endpoint={endpoint} onClose={onClose} onStarted={setJob} />
      ) : (
        <Running id={job} onAgain={() => setJob(null)} onClose={onClose} />
      )}
    </Modal>
  );
}

function Form({
  endpoint,
  onClose,
  onStarted,
}: {
  readonly endpoint: Endpoint;
  readonly onClose: () => void;
  readonly onStarted: (job: string) => void;
}) {
  const recover = useRecover(endpoint.id);
  const [since, setSince] = useState("24h");
  const [discarded, setDiscarded] = useState(false);
  const [rate, setRate] = useState("");
  const [first, setFirst] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    recover.mutate(
      {
        since: sinceOf(since) ?? new Date(0).toISOString(),
        status: discarded ? ["failed", "discarded"] : ["failed"],
        ...(rate === "" ? {} : { rate_per_s: Number(rate) }),
        ...(first === "" ? {} : { limit: Number(first) }),
      },
      { onSuccess: (job) => onStarted(job.id) },
    );
  };
  const shown = ["/since", "/rate_per_s", "/limit"];
  return (
    <form className="form" noValidate onSubmit={submit}>
      <p style={{ margin: 0 }}>
        What failed for <Foreign text={endpoint.name ?? endpoint.url} /> is sent once more, oldest first,
        signed afresh. Receivers that look at the event’s id take nothing twice.
      </p>
      {endpoint.status === "disabled" && (
        <Note tone="warn">It is disabled. Enable it first, or nothing can be sent.</Note>
      )}
      <Select
        allowDeselect={false}
        data={TIMES}
        error={fieldError(recover.error, "/since")}
        label="Accepted within"
        onChange={(value) => setSince(value ?? "24h")}
        value={since}
      />
      <Checkbox
        checked={discarded}
        description="What was discarded while the webhook was off, and so was never attempted"
        label="Also what was discarded"
        onChange={(event) => setDiscarded(event.currentTarget.checked)}
      />
      <div className="pair">
        <NumberInput
          description="Deliveries a second"
          error={fieldError(recover.error, "/rate_per_s")}
          label="Rate"
          max={10_000}
          min={1}
          onChange={(value) => setRate(String(value))}
          placeholder="1000"
          value={rate}
        />
        <NumberInput
          description="Only so many, the oldest first"
          error={fieldError(recover.error, "/limit")}
          label="First"
          min={1}
          onChange={(value) => setFirst(String(value))}
          placeholder="All"
          value={first}
        />
      </div>
      {formError(recover.error, shown) !== null && (
        <Note live tone="bad">
          {formError(recover.error, shown)}
        </Note>
      )}
      <FormFoot action="Start recovering" isBusy={recover.isPending} onClose={onClose} />
    </form>
  );
}

function Running({
  id,
  onAgain,
  onClose,
}: {
  readonly id: string;
  readonly onAgain: () => void;
  readonly onClose: () => void;
}) {
  const { tenant } = usePlace();
  const client = useQueryClient();
  const asked = useJob(id);
  const cancel = useCancelJob();
  const job = asked.data;
  const ended = job !== undefined && job.status !== "running";
  useEffect(() => {
    if (ended) {
      void client.invalidateQueries({ queryKey: ["deliveries", tenant] });
      void client.invalidateQueries({ queryKey: ["endpoint", tenant] });
    }
  }, [ended, client, tenant]);
  if (job === undefined) {
    return asked.error === null ? (
      <p style={{ margin: 0 }}>Starting …</p>
    ) : (
      <Note live tone="bad">
        {reason(asked.error)}
      </Note>
    );
  }
  const share = job.total ? Math.min(100, (job.done / job.total) * 100) : ended ? 100 : 0;
  return (
    <div className="stack">
      <div className="line apart">
        <Pill state={job.status} />
        <span className="dim" aria-live="polite">
          {count(job.done)} of {count(job.total ?? job.done)}
        </span>
      </div>
      <Progress animated={!ended} aria-label="Deliveries put back in the queue" size="lg" value={share} />
      <p style={{ margin: 0 }}>{says(job)}</p>
      {cancel.error !== null && (
        <Note live tone="bad">
          {reason(cancel.error)}
        </Note>
      )}
      <div className="form-foot">
        {ended ? (
          <Button onClick={onAgain} variant="default">
            Recover more
          </Button>
        ) : (
          <Button loading={cancel.isPending} onClick={() => cancel.mutate(id)} variant="default">
            Cancel recovery
          </Button>
        )}
        <Button onClick={onClose}>{ended ? "Done" : "Close, it goes on"}</Button>
      </div>
    </div>
  );
}

function says(job: Job): string {
  switch (job.status) {
    case "running":
      return "It goes on by itself, also when this page is closed.";
    case "done":
      return job.done === 0
        ? "There was nothing to recover in that time."
        : `${plural(job.done, "delivery was", "deliveries were")} put back in the queue. The list shows what becomes of them.`;
    case "cancelled":
      return `Cancelled. ${plural(job.done, "delivery was", "deliveries were")} put back in the queue before.`;
    case "failed":
      return `It stopped${job.error ? `: ${job.error}` : ""}. ${plural(job.done, "delivery was", "deliveries were")} put back in the queue before.`;
  }
}
