// All tenants, for the operator.

import { ActionIcon, Button, Menu, Modal, NumberInput, Select, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { Link, useLocation } from "wouter";
import {
  type Profile,
  type Tenant,
  useCreateTenant,
  useDeleteTenant,
  useTenants,
  useUpdateTenant,
} from "../../api/settings";
import { fieldError, formError } from "../../lib/problem";
import { PROFILES, profileLabel } from "../../lib/profiles";
import { plural } from "../../lib/text";
import { Ago, Foreign, Mono, Note, Page, Panel } from "../../parts/basics";
import { Confirm } from "../../parts/confirm";
import { useFilters } from "../../parts/filters";
import { FormFoot } from "../../parts/form-foot";
import { Icon } from "../../parts/icons";
import { type Column, Empty, Table } from "../../parts/table";
import { useSay } from "../../parts/toasts";

export function TenantsPage() {
  const tenants = useTenants();
  const remove = useDeleteTenant();
  const say = useSay();
  const [, go] = useLocation();
  const [filter, setFilter] = useFilters(["q"]);
  const [editing, setEditing] = useState<Tenant | "new" | null>(null);
  const [asking, setAsking] = useState<Tenant | null>(null);
  const wanted = filter.q.toLowerCase();
  const rows = (tenants.data ?? []).filter(
    (it) => wanted === "" || `${it.id} ${it.name ?? ""}`.toLowerCase().includes(wanted),
  );
  const columns: Column<Tenant>[] = [
    {
      key: "name",
      head: "Tenant",
      track: "minmax(0, 2fr)",
      phone: "title",
      cell: (row) => (
        <span className="two">
          <Link className="stretch clip" href={`/t/${row.id}/overview`}>
            <Foreign text={row.name ?? row.id} />
          </Link>
          {row.name && (
            <span className="dim small">
              <Mono clip text={row.id} />
            </span>
          )}
        </span>
      ),
    },
    { key: "profile", head: "Profile", track: "minmax(0, 1fr)", cell: (row) => profileLabel(row.profile) },
    {
      key: "retention",
      head: "Keeps",
      track: "120px",
      cell: (row) => (
        <span className="dim">
          <span className="phone-only">keeps </span>
          {plural(row.retention_days, "day", "days")}
        </span>
      ),
    },
    {
      key: "made",
      head: "Made",
      track: "110px",
      phone: "hide",
      cell: (row) => (
        <span className="dim">
          <Ago at={row.created_at} />
        </span>
      ),
    },
    {
      key: "act",
      head: "",
      track: "44px",
      phone: "side",
      end: true,
      cell: (row) => (
        <Menu>
          <Menu.Target>
            <ActionIcon aria-label={`Actions for ${row.id}`} color="gray" variant="subtle">
              <Icon name="more" />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => setEditing(row)}>Edit</Menu.Item>
            <Menu.Item color="red" onClick={() => setAsking(row)}>
              Delete
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      ),
    },
  ];
  const make = (
    <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setEditing("new")}>
      New tenant
    </Button>
  );
  return (
    <Page
      actions={make}
      lead="Each is a world of its own: endpoints, sources, events and keys."
      title="Tenants"
    >
      {(tenants.data?.length ?? 0) > 8 && (
        <div className="filters">
          <TextInput
            aria-label="Search tenants"
            leftSection={<Icon name="search" size={16} />}
            onChange={(event) => setFilter({ q: event.currentTarget.value })}
            placeholder="Search"
            value={filter.q}
          />
        </div>
      )}
      <Panel bare>
        <Table
          columns={columns}
          empty={
            <Empty icon="tenants" title={wanted === "" ? "No tenants yet" : "No tenant fits"}>
              A tenant is a customer, a team or an environment. Its keys see nothing of the others.
            </Empty>
          }
          error={tenants.data === undefined ? tenants.error : null}
          goes
          isLoading={tenants.isPending}
          label="Tenants"
          onRetry={() => void tenants.refetch()}
          rowKey={(row) => row.id}
          rows={rows}
        />
      </Panel>
      <Modal
        closeButtonProps={{ "aria-label": "Close" }}
        closeOnClickOutside={false}
        onClose={() => setEditing(null)}
        opened={editing !== null}
        title={editing === "new" ? "New tenant" : "Edit tenant"}
      >
        {editing === "new" ? (
          <NewForm onClose={() => setEditing(null)} onMade={(id) => go(`/t/${id}/overview`)} />
        ) : (
          editing !== null && <EditForm onClose={() => setEditing(null)} tenant={editing} />
        )}
      </Modal>
      <Confirm
        action="Delete"
        error={remove.error}
        isBusy={remove.isPending}
        onClose={() => setAsking(null)}
        onConfirm={() => {
          if (asking !== null) {
            remove.mutate(asking.id, {
              onSuccess: () => {
                say.done("Deleted.");
                setAsking(null);
              },
            });
          }
        }}
        open={asking !== null}
        title="Delete this tenant?"
      >
        All webhooks, sources, events, deliveries, secrets and keys of{" "}
        <Foreign text={asking?.name ?? asking?.id ?? ""} /> are lost for good. What it has not delivered yet
        never is.
      </Confirm>
    </Page>
  );
}

const POINTERS = ["/id", "/name", "/profile", "/retention_days"];

function NewForm({
  onClose,
  onMade,
}: {
  readonly onClose: () => void;
  readonly onMade: (id: string) => void;
}) {
  const create = useCreateTenant();
  const [id, setId] = useState("");
  const [name, setName] = useState("");
  const [profile, setProfile] = useState<Profile>("standard");
  const [days, setDays] = useState<string | number>(30);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(
      {
        id: id.trim(),
        profile,
        retention_days: Number(days),
        ...(name.trim() === "" ? {} : { name: name.trim() }),
      },
      { onSuccess: (made) => onMade(made.id) },
    );
  };
  return (
    <form className="form" noValidate onSubmit={submit}>
      <TextInput
        data-autofocus
        description="In paths and commands; small letters, digits, - and _"
        error={fieldError(create.error, "/id")}
        label="Id"
        onChange={(event) => setId(event.currentTarget.value)}
        placeholder="acme"
        required
        spellCheck={false}
        value={id}
      />
      <Common
        days={days}
        error={create.error}
        name={name}
        onDays={setDays}
        onName={setName}
        onProfile={setProfile}
        profile={profile}
      />
      <Foot busy={create.isPending} error={create.error} onClose={onClose} />
    </form>
  );
}

function EditForm({ tenant, onClose }: { readonly tenant: Tenant; readonly onClose: () => void }) {
  const update = useUpdateTenant(tenant.id);
  const [name, setName] = useState(tenant.name ?? "");
  const [profile, setProfile] = useState<Profile>(tenant.profile);
  const [days, setDays] = useState<string | number>(tenant.retention_days);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    update.mutate(
      { name: name.trim() === "" ? null : name.trim(), profile, retention_days: Number(days) },
      { onSuccess: onClose },
    );
  };
  return (
    <form className="form" noValidate onSubmit={submit}>
      <Common
        days={days}
        error={update.error}
        name={name}
        onDays={setDays}
        onName={setName}
        onProfile={setProfile}
        profile={profile}
      />
      <Foot busy={update.isPending} error={update.error} onClose={onClose} />
    </form>
  );
}

function Common({
  name,
  profile,
  days,
  error,
  onName,
  onProfile,
  onDays,
}: {
  readonly name: string;
  readonly profile: Profile;
  readonly days: string | number;
  readonly error: unknown;
  readonly onName: (value: string) => void;
  readonly onProfile: (value: Profile) => void;
  readonly onDays: (value: string | number) => void;
}) {
  return (
    <>
      <TextInput
        error={fieldError(error, "/name")}
        label="Name"
        onChange={(event) => onName(event.currentTarget.value)}
        value={name}
      />
      <Select
        allowDeselect={false}
        data={PROFILES}
        description="What webhooks follow that name none"
        error={fieldError(error, "/profile")}
        label="Profile"
        onChange={(value) => onProfile((value ?? "standard") as Profile)}
        value={profile}
      />
      <NumberInput
        error={fieldError(error, "/retention_days")}
        label="Days to keep events"
        min={1}
        onChange={onDays}
        value={days}
      />
    </>
  );
}

function Foot({
  busy,
  error,
  onClose,
}: {
  readonly busy: boolean;
  readonly error: unknown;
  readonly onClose: () => void;
}) {
  const text = formError(error, POINTERS);
  return (
    <>
      {text !== null && (
        <Note live tone="bad">
          {text}
        </Note>
      )}
      <FormFoot action="Save" isBusy={busy} onClose={onClose} />
    </>
  );
}
