// The command palette: any page, endpoint, source, event type, tenant or id, by a few letters.

import { Modal, TextInput } from "@mantine/core";
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";
import { useEndpoints } from "../api/endpoints";
import type { Place } from "../api/session";
import { useEventTypes, useTenants } from "../api/settings";
import { useSources } from "../api/sources";
import { Foreign } from "../parts/basics";
import { Icon, type IconName } from "../parts/icons";
import type { Way } from "./nav";

type Item = {
  readonly label: string;
  readonly kind: string;
  readonly icon: IconName;
  readonly act: () => void;
};

const MOST = 60;

/** How well a text answers to letters: the lower the better, null not at all. */
export function rankOf(text: string, wanted: string): number | null {
  const low = text.toLowerCase();
  const at = low.indexOf(wanted);
  if (at >= 0) {
    return at === 0 ? 0 : /\W/.test(low.charAt(at - 1)) ? 1 : 2;
  }
  let from = 0;
  for (const letter of wanted) {
    const next = low.indexOf(letter, from);
    if (next < 0) {
      return null;
    }
    from = next + 1;
  }
  return 3;
}

/** Where an id leads. */
export function idHref(at: string, text: string): string | null {
  const match = /^(wh|evt|dlv|src)_[0-9A-Za-z]{10,}$/.exec(text.trim());
  if (match === null) {
    return null;
  }
  const home =
    { wh: "settings/webhooks", evt: "events", dlv: "deliveries", src: "sources" }[match[1] ?? ""] ?? "";
  return `${at}/${home}/${text.trim()}`;
}

type Props = {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly ways: readonly Way[];
  readonly isOperator: boolean;
  readonly actions: readonly { readonly label: string; readonly icon: IconName; readonly act: () => void }[];
};

export function Palette({ place, ...props }: Props & { readonly place: Place | null }) {
  const body = place === null ? <Search found={[]} {...props} /> : <TenantSearch {...props} place={place} />;
  return (
    <Modal
      centered={false}
      onClose={props.onClose}
      opened={props.open}
      padding={8}
      size={600}
      transitionProps={{ duration: 0 }}
      styles={{ header: { minHeight: 0, padding: 0 } }}
      title={<span className="spoken">Command palette</span>}
      withCloseButton={false}
      yOffset="12vh"
    >
      {body}
    </Modal>
  );
}

function TenantSearch({ place, ...props }: Props & { readonly place: Place }) {
  const at = `/t/${place.tenant}`;
  const [, go] = useLocation();
  const endpoints = useEndpoints();
  const sources = useSources();
  const types = useEventTypes();
  const found = useMemo<Item[]>(
    () => [
      ...(endpoints.data ?? []).map((it) => ({
        label: it.name ? `${it.name} · ${it.url}` : it.url,
        kind: "Webhook",
        icon: "webhook" as const,
        act: () => go(`${at}/settings/webhooks/${it.id}`),
      })),
      ...(sources.data ?? []).map((it) => ({
        label: it.name,
        kind: "Source",
        icon: "sources" as const,
        act: () => go(`${at}/sources/${it.id}`),
      })),
      ...(types.data ?? []).map((it) => ({
        label: it.name,
        kind: "Event type",
        icon: "types" as const,
        act: () => go(`${at}/event-types?type=${encodeURIComponent(it.name)}`),
      })),
    ],
    [endpoints.data, sources.data, types.data, at, go],
  );
  return <Search {...props} at={at} found={found} />;
}

function Search({
  open,
  onClose,
  ways,
  isOperator,
  actions,
  found,
  at,
}: Props & { readonly found: readonly Item[]; readonly at?: string }) {
  const [text, setText] = useState("");
  const [on, setOn] = useState(0);
  const [, go] = useLocation();
  const tenants = useTenants(isOperator && open);
  const list = useRef<HTMLUListElement>(null);
  const id = useId();

  const items = useMemo<readonly Item[]>(() => {
    const wanted = text.trim().toLowerCase();
    const direct = at === undefined ? null : idHref(at, text);
    if (direct !== null) {
      return [{ label: text.trim(), kind: "Open by id", icon: "right", act: () => go(direct) }];
    }
    const all: Item[] = [
      ...ways.map((way) => ({ label: way.label, kind: "Page", icon: way.icon, act: () => go(way.href) })),
      ...actions.map((it) => ({ ...it, kind: "Action" })),
      ...found,
      ...(tenants.data ?? []).map((it) => ({
        label: it.name ? `${it.name} (${it.id})` : it.id,
        kind: "Tenant",
        icon: "tenants" as const,
        act: () => go(`/t/${it.id}/overview`),
      })),
    ];
    if (wanted === "") {
      return all.slice(0, MOST);
    }
    return all
      .map((item) => ({ item, rank: rankOf(item.label, wanted) }))
      .filter((it): it is { item: Item; rank: number } => it.rank !== null)
      .sort((a, b) => a.rank - b.rank)
      .slice(0, MOST)
      .map((it) => it.item);
  }, [text, ways, actions, found, tenants.data, at, go]);

  const chosen = Math.min(on, Math.max(0, items.length - 1));
  useEffect(() => {
    list.current?.children[chosen]?.scrollIntoView({ block: "nearest" });
  }, [chosen]);

  const run = (item: Item | undefined) => {
    if (item !== undefined) {
      onClose();
      item.act();
    }
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setOn((chosen + step + items.length) % Math.max(items.length, 1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(items[chosen]);
    }
  };

  return (
    <div>
      <TextInput
        aria-activedescendant={items.length > 0 ? `${id}-${chosen}` : undefined}
        aria-controls={id}
        aria-expanded
        aria-label="Search pages, webhooks and ids"
        autoComplete="off"
        data-autofocus
        leftSection={<Icon name="search" />}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setOn(0);
        }}
        onKeyDown={press}
        placeholder="Go to a page, a webhook, an id …"
        role="combobox"
        size="md"
        spellCheck={false}
        value={text}
      />
      <ul aria-label="Results" className="palette-list" id={id} ref={list} role="listbox">
        {items.map((item, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the input's, which holds the focus
          <li
            aria-selected={index === chosen}
            id={`${id}-${index}`}
            key={`${item.kind}-${item.label}-${index}`}
            onClick={() => run(item)}
            onMouseMove={() => setOn(index)}
            role="option"
            tabIndex={-1}
          >
            <Icon name={item.icon} />
            <Foreign clip text={item.label} />
            <span className="kind">{item.kind}</span>
          </li>
        ))}
      </ul>
      {items.length === 0 && <div className="state">Nothing is called so.</div>}
    </div>
  );
}
