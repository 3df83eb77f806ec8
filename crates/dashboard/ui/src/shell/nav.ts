// Where one can go: the navigation, and the same list for the palette.

import type { Place } from "../api/session";
import type { IconName } from "../parts/icons";

export type Way = {
  readonly label: string;
  readonly href: string;
  readonly icon: IconName;
  /** The heading it stands under. */
  readonly under?: "Settings" | "Gateway";
};

export function ways(place: Place | null, isOperator: boolean): Way[] {
  const list: Way[] = [];
  if (place !== null) {
    const at = `/t/${place.tenant}`;
    list.push(
      { label: "Overview", href: `${at}/overview`, icon: "overview" },
      { label: "Events", href: `${at}/events`, icon: "events" },
      { label: "Deliveries", href: `${at}/deliveries`, icon: "deliveries" },
      { label: "Sources", href: `${at}/sources`, icon: "sources" },
      { label: "Event types", href: `${at}/event-types`, icon: "types" },
      { label: "Signature checker", href: `${at}/signature-checker`, icon: "signature" },
      { label: "Webhooks", href: `${at}/settings/webhooks`, icon: "webhook", under: "Settings" },
    );
    if (!place.isPortal) {
      list.push(
        { label: "API keys", href: `${at}/settings/api-keys`, icon: "key", under: "Settings" },
        { label: "Audit log", href: `${at}/settings/audit-log`, icon: "audit", under: "Settings" },
      );
    }
  }
  if (isOperator) {
    list.push(
      { label: "Tenants", href: "/tenants", icon: "tenants", under: "Gateway" },
      { label: "Nodes", href: "/nodes", icon: "nodes", under: "Gateway" },
    );
  }
  return list;
}
