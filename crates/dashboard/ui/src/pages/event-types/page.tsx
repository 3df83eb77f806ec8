// The catalogue: which events there are, what they look like, and loading a whole list of them.

import { Button, Checkbox, Drawer, Menu, Modal, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { Link } from "wouter";
import { useHref, usePlace } from "../../api/session";
import { type EventType, useDeleteType, useEventTypes, useImportTypes, usePutType } from "../../api/settings";
import { fieldError, formError, Problem, reason } from "../../lib/problem";
import { plural } from "../../lib/text";
import { Ago, Facts, Foreign, Note, Page, Panel, Pill } from "../../parts/basics";
import { Body } from "../../parts/code";
import { Confirm } from "../../parts/confirm";
import { useFilters } from "../../parts/filters";
import { Icon } from "../../parts/icons";
import { type Column, Empty, Table } from "../../parts/table";
import { useSay } from "../../parts/toasts";

const CATALOGUES = [
  { value: "aly", label: "Aly" },
  { value: "alvys", label: "Alvys" },
  { value: "aryeo", label: "Aryeo" },
];

export function EventTypesPage() {
  const place = usePlace();
  const types = useEventTypes();
  const say = useSay();
  const load = useImportTypes();
  const [filter, setFilter] = useFilters(["q", "type", "edit", "import"]);
  const wanted = filter.q.trim().toLowerCase();
  const rows = (types.data ?? []).filter(
    (it) =>
      wanted === "" || `${it.name} ${it.description ?? ""} ${it.group ?? ""}`.toLowerCase().includes(wanted),
  );
  const shown = types.data?.find((it) => it.name === filter.type) ?? null;
  const importOne = (catalogue: string) =>
    load.mutate(
      { catalogue },
      {
        onSuccess: ({ imported }) => say.done(`${plural(imported, "type", "types")} imported.`),
        onError: (error) => say.failed(error),
      },
    );
  const columns: Column<EventType>[] = [
    {
      key: "name",
      head: "Type",
      track: "minmax(300px, 1.7fr)",
      phone: "title",
      cell: (row) => (
        <button className="stretch plain mono" onClick={() => setFilter({ type: row.name })} type="button">
          <Foreign text={row.name} />
        </button>
      ),
    },
    {
      key: "description",
      head: "When",
      track: "minmax(0, 2.4fr)",
      phone: "full",
      cell: (row) =>
        row.description ? <Foreign text={row.description} /> : <span className="dim wide-only">–</span>,
    },
    {
      key: "group",
      head: "Group",
      track: "minmax(0, 0.8fr)",
      cell: (row) => <span className="dim">{row.group && <Foreign clip text={row.group} />}</span>,
    },
    {
      key: "has",
      head: "Has",
      track: "130px",
      phone: "hide",
      cell: (row) => (
        <span className="dim">
          {[row.schema == null ? "" : "schema", row.sample == null ? "" : "sample"]
            .filter((it) => it !== "")
            .join(", ") || "–"}
        </span>
      ),
    },
    {
      key: "state",
      head: "State",
      track: "100px",
      phone: "side",
      cell: (row) =>
        row.deprecated ? <Pill state="deprecated" /> : <span className="dim wide-only">In use</span>,
    },
  ];
  const makers = place.can.configure && (
    <>
      <Menu>
        <Menu.Target>
          <Button leftSection={<Icon name="upload" size={16} />} loading={load.isPending} variant="default">
            Import
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>Built-in catalogues</Menu.Label>
          {CATALOGUES.map((it) => (
            <Menu.Item key={it.value} onClick={() => importOne(it.value)}>
              {it.label}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item onClick={() => setFilter({ import: "1" })}>OpenAPI or JSON Schema …</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Button
        leftSection={<Icon name="plus" size={16} />}
        onClick={() => setFilter({ edit: "new", type: null })}
      >
        New event type
      </Button>
    </>
  );
  return (
    <Page
      actions={makers}
      lead="The catalogue webhooks pick from. Types that are not in it can be published all the same."
      title="Event types"
    >
      <div className="filters">
        <TextInput
          aria-label="Search event types"
          leftSection={<Icon name="search" size={16} />}
          onChange={(event) => setFilter({ q: event.currentTarget.value })}
          placeholder="Search"
          value={filter.q}
        />
      </div>
      <Panel bare>
        <Table
          columns={columns}
          empty={
            wanted === "" ? (
              <Empty
                action={
                  place.can.configure && (
                    <Button onClick={() => setFilter({ edit: "new" })} variant="default">
                      Describe the first one
                    </Button>
                  )
                }
                icon="types"
                title="The catalogue is empty"
              >
                Import one, or describe the first type: when it happens, and what it looks like.
              </Empty>
            ) : (
              <Empty icon="filter" title="No type fits">
                Clear the search to see all of them.
              </Empty>
            )
          }
          error={types.data === undefined ? types.error : null}
          goes
          isLoading={types.isPending}
          label="Event types"
          onRetry={() => void types.refetch()}
          rowKey={(row) => row.name}
          rows={rows}
        />
      </Panel>
      <Drawer
        closeButtonProps={{ "aria-label": "Close" }}
        onClose={() => setFilter({ type: null })}
        opened={shown !== null && filter.edit === ""}
        position="right"
        size="lg"
        title={shown === null ? "" : <Foreign text={shown.name} />}
      >
        {shown !== null && (
          <Detail
            onDeleted={() => setFilter({ type: null })}
            onEdit={() => setFilter({ edit: shown.name })}
            type={shown}
          />
        )}
      </Drawer>
      <Modal
        closeButtonProps={{ "aria-label": "Close" }}
        closeOnClickOutside={false}
        onClose={() => setFilter({ edit: null })}
        opened={filter.edit !== "" && place.can.configure}
        size="lg"
        title={filter.edit === "new" ? "New event type" : "Edit event type"}
      >
        <Edit
          key={filter.edit}
          onClose={() => setFilter({ edit: null })}
          onSaved={(name) => setFilter({ edit: null, type: name })}
          type={types.data?.find((it) => it.name === filter.edit) ?? null}
        />
      </Modal>
      <Modal
        closeButtonProps={{ "aria-label": "Close" }}
        onClose={() => setFilter({ import: null })}
        opened={filter.import !== "" && place.can.configure}
        size="lg"
        title="Import a document"
      >
        <ImportDocument onClose={() => setFilter({ import: null })} />
      </Modal>
    </Page>
  );
}

function Detail({
  type,
  onEdit,
  onDeleted,
}: {
  readonly type: EventType;
  readonly onEdit: () => void;
  readonly onDeleted: () => void;
}) {
  const place = usePlace();
  const href = useHref();
  const remove = useDeleteType();
  const [asking, setAsking] = useState(false);
  return (
    <div className="stack">
      {type.description && (
        <p style={{ margin: 0 }}>
          <Foreign text={type.description} />
        </p>
      )}
      <Facts
        rows={[
          ["Group", type.group ? <Foreign key="group" text={type.group} /> : "None"],
          ["State", type.deprecated ? "Deprecated" : "In use"],
          ["Last change", <Ago at={type.updated_at} key="changed" />],
          [
            "Events",
            <Link
              className="text-link"
              href={`${href("events")}?type=${encodeURIComponent(type.name)}`}
              key="events"
            >
              See those of this type
            </Link>,
          ],
        ]}
      />
      {type.sample != null ? (
        <Body label="Sample" text={JSON.stringify(type.sample)} />
      ) : (
        <Note>There is no sample. One makes tests more telling.</Note>
      )}
      {type.schema != null && <Body label="Schema" text={JSON.stringify(type.schema)} />}
      {place.can.configure && (
        <div className="actions">
          <Button onClick={onEdit} variant="default">
            Edit
          </Button>
          <Button color="red" onClick={() => setAsking(true)} variant="light">
            Delete
          </Button>
        </div>
      )}
      <Confirm
        action="Delete"
        error={remove.error}
        isBusy={remove.isPending}
        onClose={() => setAsking(false)}
        onConfirm={() => remove.mutate(type.name, { onSuccess: onDeleted })}
        open={asking}
        title="Delete this event type?"
      >
        The description, schema and sample of <Foreign text={type.name} /> are lost. Webhooks that ask for it
        keep asking, and events of it stay.
      </Confirm>
    </div>
  );
}

function Edit({
  type,
  onClose,
  onSaved,
}: {
  readonly type: EventType | null;
  readonly onClose: () => void;
  readonly onSaved: (name: string) => void;
}) {
  const put = usePutType();
  const pretty = (value: unknown) => (value == null ? "" : JSON.stringify(value, null, 2));
  const [name, setName] = useState(type?.name ?? "");
  const [description, setDescription] = useState(type?.description ?? "");
  const [group, setGroup] = useState(type?.group ?? "");
  const [sample, setSample] = useState(pretty(type?.sample));
  const [schema, setSchema] = useState(pretty(type?.schema));
  const [deprecated, setDeprecated] = useState(type?.deprecated ?? false);
  const [wrong, setWrong] = useState<{ sample?: string; schema?: string }>({});
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const read = (text: string): { value: unknown } | { error: string } => {
      try {
        return { value: text.trim() === "" ? null : JSON.parse(text) };
      } catch (error) {
        return { error: `This is no JSON: ${error instanceof Error ? error.message : ""}` };
      }
    };
    const [a, b] = [read(sample), read(schema)];
    setWrong({ ...("error" in a ? { sample: a.error } : {}), ...("error" in b ? { schema: b.error } : {}) });
    if ("error" in a || "error" in b) {
      return;
    }
    put.mutate(
      {
        name: name.trim(),
        body: {
          deprecated,
          ...(description.trim() === "" ? {} : { description: description.trim() }),
          ...(group.trim() === "" ? {} : { group: group.trim() }),
          sample: a.value,
          schema: b.value,
        },
      },
      { onSuccess: (saved) => onSaved(saved.name) },
    );
  };
  const mono = { input: { fontFamily: "var(--mono)", fontSize: 13 } };
  const pointers = ["/name", "/description", "/group", "/sample", "/schema"];
  return (
    <form className="form" noValidate onSubmit={submit}>
      <TextInput
        data-autofocus
        disabled={type !== null}
        error={fieldError(put.error, "/name")}
        label="Name"
        onChange={(event) => setName(event.currentTarget.value)}
        placeholder="order.created"
        required
        spellCheck={false}
        value={name}
      />
      <Textarea
        autosize
        error={fieldError(put.error, "/description")}
        label="When it happens"
        minRows={2}
        onChange={(event) => setDescription(event.currentTarget.value)}
        value={description}
      />
      <TextInput
        error={fieldError(put.error, "/group")}
        label="Group"
        onChange={(event) => setGroup(event.currentTarget.value)}
        value={group}
      />
      <Textarea
        autosize
        error={wrong.sample ?? fieldError(put.error, "/sample")}
        label="Sample"
        maxRows={12}
        minRows={4}
        onChange={(event) => setSample(event.currentTarget.value)}
        spellCheck={false}
        styles={mono}
        value={sample}
      />
      <Textarea
        autosize
        error={wrong.schema ?? fieldError(put.error, "/schema")}
        label="JSON Schema"
        maxRows={12}
        minRows={4}
        onChange={(event) => setSchema(event.currentTarget.value)}
        spellCheck={false}
        styles={mono}
        value={schema}
      />
      <Checkbox
        checked={deprecated}
        description="Not offered to new webhooks any more"
        label="Deprecated"
        onChange={(event) => setDeprecated(event.currentTarget.checked)}
      />
      {formError(put.error, pointers) !== null && (
        <Note live tone="bad">
          {formError(put.error, pointers)}
        </Note>
      )}
      <div className="form-foot">
        <Button onClick={onClose} variant="default">
          Cancel
        </Button>
        <Button disabled={name.trim() === ""} loading={put.isPending} type="submit">
          Save
        </Button>
      </div>
    </form>
  );
}

function ImportDocument({ onClose }: { readonly onClose: () => void }) {
  const load = useImportTypes();
  const say = useSay();
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setWrong(null);
    let document: Record<string, never>;
    try {
      document = JSON.parse(text) as Record<string, never>;
    } catch (error) {
      setWrong(`This is no JSON: ${error instanceof Error ? error.message : ""}`);
      return;
    }
    load.mutate(document, {
      onSuccess: ({ imported }) => {
        say.done(`${plural(imported, "type", "types")} imported.`);
        onClose();
      },
    });
  };
  const refused =
    load.error === null ? null : load.error instanceof Problem ? load.error.message : reason(load.error);
  return (
    <form className="form" noValidate onSubmit={submit}>
      <Textarea
        autosize
        data-autofocus
        description="An OpenAPI document with webhooks, or a JSON Schema, as JSON. Types of the same name are replaced."
        error={wrong ?? refused}
        label="Document"
        maxRows={18}
        minRows={10}
        onChange={(event) => setText(event.currentTarget.value)}
        spellCheck={false}
        styles={{ input: { fontFamily: "var(--mono)", fontSize: 13 } }}
        value={text}
      />
      <div className="form-foot">
        <Button onClick={onClose} variant="default">
          Cancel
        </Button>
        <Button disabled={text.trim() === ""} loading={load.isPending} type="submit">
          Import
        </Button>
      </div>
    </form>
  );
}
