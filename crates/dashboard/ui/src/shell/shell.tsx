// The frame: navigation, tenant, live state, theme, palette.

import {
  ActionIcon,
  Drawer,
  Menu,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { type Live, useLive } from "../api/live";
import { type Place, type Session, signOut } from "../api/session";
import { useTenants } from "../api/settings";
import { Foreign } from "../parts/basics";
import { Boundary } from "../parts/boundary";
import { Icon } from "../parts/icons";
import { type Way, ways } from "./nav";
import { Palette } from "./palette";

const LIVE: Readonly<Record<Live, readonly [label: string, look: string, says: string]>> = {
  live: ["Live", "on", "What happens is shown at once."],
  connecting: ["Connecting", "", "Waiting for the stream."],
  polling: [
    "Every 3 s",
    "polling",
    "There is no stream at the moment; the lists are read every three seconds.",
  ],
  hidden: ["Asleep", "", "Nothing is read while the page is hidden."],
};

export function Shell({
  session,
  place,
  children,
}: {
  readonly session: Session;
  readonly place: Place | null;
  readonly children: ReactNode;
}) {
  const [menu, setMenu] = useState(false);
  const [palette, setPalette] = useState(false);
  const [location] = useLocation();
  const client = useQueryClient();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  const main = useRef<HTMLElement>(null);
  const isOperator = session.kind === "operator";
  const list = ways(place, isOperator);

  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setPalette(true);
      }
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);

  // A new page begins at its top; who listens to it begins there as well.
  const before = useRef(location);
  useEffect(() => {
    if (before.current !== location) {
      before.current = location;
      setMenu(false);
      window.scrollTo(0, 0);
      main.current?.focus({ preventScroll: true });
    }
  }, [location]);

  const toggleTheme = () => setColorScheme(scheme === "dark" ? "light" : "dark");
  const leave = () => void signOut(client);
  const side = (
    <>
      {place !== null && <TenantBox isOperator={isOperator} place={place} />}
      <button className="search-button" onClick={() => setPalette(true)} type="button">
        <Icon name="search" size={16} /> Search <kbd>Ctrl K</kbd>
      </button>
      <NavList list={list} location={location} />
      <div className="sidebar-foot">
        <div className="line">
          {place === null ? <span /> : <LiveMark />}
          <span className="line" style={{ gap: 2, padding: 0 }}>
            <Tooltip label={scheme === "dark" ? "Light" : "Dark"}>
              <ActionIcon
                aria-label={scheme === "dark" ? "Use light colours" : "Use dark colours"}
                color="gray"
                onClick={toggleTheme}
                size="lg"
                variant="subtle"
              >
                <Icon name={scheme === "dark" ? "sun" : "moon"} />
              </ActionIcon>
            </Tooltip>
            {session.kind !== "portal" && (
              <Tooltip label="Sign out">
                <ActionIcon aria-label="Sign out" color="gray" onClick={leave} size="lg" variant="subtle">
                  <Icon name="out" />
                </ActionIcon>
              </Tooltip>
            )}
          </span>
        </div>
      </div>
    </>
  );
  const home = isOperator ? "/tenants" : (list[0]?.href ?? "/");
  const brand = (
    <Link className="brand" href={home}>
      <span className="logo">
        <Icon name="webhook" size={18} />
      </span>
      Hookyard
    </Link>
  );

  return (
    <div className="shell">
      <button className="skip" onClick={() => main.current?.focus()} type="button">
        Skip to the page
      </button>
      <aside className="sidebar">
        <div className="sidebar-inner">
          {brand}
          {side}
        </div>
      </aside>
      <header className="top">
        <ActionIcon aria-label="Menu" color="gray" onClick={() => setMenu(true)} size="lg" variant="subtle">
          <Icon name="menu" size={20} />
        </ActionIcon>
        {brand}
        <ActionIcon
          aria-label="Search"
          color="gray"
          onClick={() => setPalette(true)}
          size="lg"
          variant="subtle"
        >
          <Icon name="search" size={20} />
        </ActionIcon>
      </header>
      <Drawer
        closeButtonProps={{ "aria-label": "Close" }}
        onClose={() => setMenu(false)}
        opened={menu}
        padding="md"
        size={290}
        title="Menu"
      >
        <div className="sidebar-inner drawer">{side}</div>
      </Drawer>
      <main className="main" id="main" ref={main} tabIndex={-1}>
        <Boundary key={location}>{children}</Boundary>
      </main>
      <Palette
        actions={[
          {
            label: scheme === "dark" ? "Use light colours" : "Use dark colours",
            icon: scheme === "dark" ? "sun" : "moon",
            act: toggleTheme,
          },
          ...(session.kind === "portal" ? [] : [{ label: "Sign out", icon: "out" as const, act: leave }]),
        ]}
        isOperator={isOperator}
        onClose={() => setPalette(false)}
        open={palette}
        place={place}
        ways={list}
      />
    </div>
  );
}

function NavList({ list, location }: { readonly list: readonly Way[]; readonly location: string }) {
  const groups = [undefined, "Settings", "Gateway"] as const;
  return (
    <nav aria-label="Main">
      {groups.map((group) => {
        const those = list.filter((way) => way.under === group);
        if (those.length === 0) {
          return null;
        }
        return (
          <div key={group ?? "tenant"}>
            {group !== undefined && <h2 className="nav-head">{group}</h2>}
            <ul className="nav-list">
              {those.map((way) => {
                const here = location === way.href || location.startsWith(`${way.href}/`);
                return (
                  <li key={way.href}>
                    <Link
                      aria-current={here ? "page" : undefined}
                      className={here ? "nav-link here" : "nav-link"}
                      href={way.href}
                    >
                      <Icon name={way.icon} />
                      {way.label}
                    </Link>
                  </li>
                );
              })}
            </ul>
          </div>
        );
      })}
    </nav>
  );
}

function LiveMark() {
  const [label, look, says] = LIVE[useLive()];
  return (
    <Tooltip label={says} multiline w={220}>
      <span className={`live ${look}`}>
        <i /> {label}
      </span>
    </Tooltip>
  );
}

function TenantBox({ place, isOperator }: { readonly place: Place; readonly isOperator: boolean }) {
  const [open, setOpen] = useState(false);
  const tenants = useTenants(isOperator && open);
  const inside = (
    <>
      <Foreign clip text={place.tenantName ?? place.tenant} />
      <small>
        <Foreign clip text={place.scope === null ? place.tenant : `${place.tenant} · ${place.scope}`} />
      </small>
    </>
  );
  if (!isOperator) {
    return <div className="tenant-box">{inside}</div>;
  }
  return (
    <Menu onChange={setOpen} opened={open} position="bottom-start" width={210}>
      <Menu.Target>
        <button className="tenant-box" type="button">
          {inside}
          <span className="spoken">Change tenant</span>
        </button>
      </Menu.Target>
      <Menu.Dropdown mah={360} style={{ overflowY: "auto" }}>
        {(tenants.data ?? []).slice(0, 50).map((it) => (
          <Menu.Item component={Link} href={`/t/${it.id}/overview`} key={it.id}>
            <Foreign clip text={it.name ?? it.id} />
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item component={Link} href="/tenants">
          All tenants
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
