// One of each, as the gateway shows them.

export const AT = "2026-05-19T08:35:14.000Z";

export const ENDPOINT = {
  id: "wh_01jv0g6xwre3zb0g8v4q5n6m7k",
  url: "https://example.com/hooks",
  name: "Warehouse",
  description: null,
  events: ["order.*"],
  scope: null,
  profile: "standard",
  status: "active",
  disabled_reason: null,
  consecutive_failures: 0,
  delivery_count: 3,
  created_at: AT,
  updated_at: AT,
  last_delivery_at: AT,
  headers: {},
  include_previous_attributes: false,
  ordered: false,
  policy: {
    retry: { delays_s: [10, 100], jitter: 0 },
    timeout_s: 15,
    max_in_flight: 64,
    auto_disable: { after_s: 432_000 },
    verify: "none",
  },
} as const;

export const DELIVERY = {
  id: "dlv_01jv0g6xwre3zb0g8v4q5n6m7k",
  event_id: "evt_01jv0g6xwre3zb0g8v4q5n6m7k",
  event_type: "order.created",
  endpoint_id: ENDPOINT.id,
  status: "failed",
  attempts: 3,
  last_status_code: 503,
  next_attempt_at: null,
  reason: "exhausted",
  trigger: "automatic",
  created_at: AT,
  updated_at: AT,
} as const;

export const ATTEMPT = {
  id: "att_01jv0g6xwre3zb0g8v4q5n6m7k",
  delivery_id: DELIVERY.id,
  number: 3,
  started_at: AT,
  duration_ms: 42,
  outcome: "http_error",
  status_code: 503,
  request_headers: {
    "webhook-id": "evt_1",
    "webhook-timestamp": "1764000000",
    "webhook-signature": "v1,AAAA v1,BBBB",
  },
  response_headers: { server: "nginx" },
  response_body: "<script>alert(1)</script>",
  error: "the receiver answered 503",
  trigger: "automatic",
} as const;

export const EVENT = {
  id: DELIVERY.event_id,
  type: "order.created",
  occurred_at: AT,
  created_at: AT,
  scope: null,
  source: null,
  publisher_id: null,
  headers: {},
  data: { total: 1 },
  deliveries: 1,
} as const;

export const SOURCE = {
  id: "src_01jv0g6xwre3zb0g8v4q5n6m7k",
  name: "Shop on GitHub",
  provider: "github",
  status: "active",
  receive_url: "https://hooks.example.com/in/src_01jv0g6xwre3zb0g8v4q5n6m7k",
  has_secret: true,
  has_verify_token: false,
  events: [],
  event_count: 7,
  last_event_at: AT,
  created_at: AT,
  updated_at: AT,
} as const;

export const EVENT_TYPE = {
  name: "order.created",
  description: "An order was made",
  group: "Orders",
  deprecated: false,
  schema: null,
  sample: { total: 1 },
  created_at: AT,
  updated_at: AT,
} as const;

export const API_KEY = {
  id: "key_01jv0g6xwre3zb0g8v4q5n6m7k",
  name: "Shop backend",
  hint: "hk_abcd",
  scopes: ["read", "publish"],
  created_at: AT,
  expires_at: null,
} as const;

export const AUDIT = {
  id: "aud_01jv0g6xwre3zb0g8v4q5n6m7k",
  at: AT,
  actor: "operator",
  action: "endpoint.created",
  subject: ENDPOINT.id,
  origin: "203.0.113.7",
  before: null,
  after: { url: ENDPOINT.url },
} as const;

export const TENANT = {
  id: "acme",
  name: "Acme",
  profile: "standard",
  limits: {},
  retention_days: 30,
  created_at: AT,
  updated_at: AT,
} as const;

export const NODE = {
  id: "node_1",
  name: "node-a",
  status: "serving",
  answering: true,
  started_at: AT,
  heartbeat_at: AT,
  silent_ms: 40,
} as const;
