//! The client against receivers that behave badly, over real sockets.

use std::net::{IpAddr, Ipv4Addr};

use hookyard_rules::egress::EgressPolicy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::*;
use crate::connect::Host;

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(300);

fn transport(allow: &str) -> Transport {
    let allow = allow.split_whitespace().map(|it| it.parse().unwrap()).collect();
    Transport::new(Connector::new(Arc::new(EgressPolicy { allow, allow_http: true })))
}

fn loopback() -> Transport {
    transport("127.0.0.0/8")
}

fn request(body: &'static str) -> http::Request<Full<Bytes>> {
    http::Request::post("/in")
        .header("host", "receiver")
        .body(Full::new(Bytes::from(body)))
        .unwrap()
}

/// A receiver that treats its connections, counted from 0, as told.
struct Receiver {
    origin: Origin,
    _tasks: JoinSet<()>,
}

impl Receiver {
    async fn new<F>(treat: impl Fn(usize, TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(treat(number, stream));
            }
        });
        let host = Host::Address(IpAddr::V4(Ipv4Addr::LOCALHOST));
        Self { origin: Origin { tls: false, host, port }, _tasks: tasks }
    }
}

/// Reads one request (all of ours end with `}`); false when the connection ended instead.
async fn read_request(stream: &mut TcpStream) -> bool {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while !seen.ends_with(b"}") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return false,
            Ok(n) => seen.extend_from_slice(&buffer[..n]),
        }
    }
    true
}

async fn answer(mut stream: TcpStream, text: impl AsRef<[u8]>) {
    while read_request(&mut stream).await {
        if stream.write_all(text.as_ref()).await.is_err() {
            return;
        }
    }
}

async fn send_to(receiver: &Receiver, within: Duration) -> Result<Answered, Failure> {
    let transport = loopback();
    let pool = transport.pool(&receiver.origin);
    transport.send(&pool, request("{}"), within).await
}

#[tokio::test]
async fn an_answer_is_read_whole_and_its_connection_used_again() {
    let receiver = Receiver::new(|number, stream| async move {
        let text =
            format!("HTTP/1.1 200 OK\r\nx-connection: {number}\r\ncontent-length: 2\r\n\r\nok");
        answer(stream, text).await;
    })
    .await;
    let transport = loopback();
    let pool = transport.pool(&receiver.origin);
    for _ in 0..3 {
        let answered = transport.send(&pool, request("{}"), LONG).await.unwrap();
        assert_eq!((answered.status, &answered.body[..]), (200, &b"ok"[..]));
        assert_eq!(answered.headers["x-connection"], "0");
    }
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile_costs_no_attempt() {
    let receiver = Receiver::new(|number, mut stream| async move {
        read_request(&mut stream).await;
        let text =
            format!("HTTP/1.1 200 OK\r\nx-connection: {number}\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(text.as_bytes()).await.unwrap();
    })
    .await;
    let transport = loopback();
    let pool = transport.pool(&receiver.origin);
    for number in ["0", "1", "2"] {
        let answered = transport.send(&pool, request("{}"), LONG).await.unwrap();
        assert_eq!(answered.headers["x-connection"], number);
    }
}

#[tokio::test]
async fn a_receiver_that_never_answers_times_out() {
    let receiver = Receiver::new(|_, stream| async move {
        let _kept_open = stream;
        std::future::pending().await
    })
    .await;
    let failure = send_to(&receiver, SHORT).await.unwrap_err();
    assert_eq!(failure.kind, OutcomeKind::Timeout);
}

#[tokio::test]
async fn a_body_that_drips_or_never_ends_times_out_with_one_deadline_for_all() {
    let receiver = Receiver::new(|_, mut stream| async move {
        read_request(&mut stream).await;
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head).await.unwrap();
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        while stream.write_all(b"1\r\nx\r\n").await.is_ok() {
            tick.tick().await;
        }
    })
    .await;
    let failure = send_to(&receiver, SHORT).await.unwrap_err();
    assert_eq!(failure.kind, OutcomeKind::Timeout);
}

#[tokio::test]
async fn a_body_without_end_is_read_up_to_the_bound_and_judged_by_its_status() {
    let receiver = Receiver::new(|_, mut stream| async move {
        read_request(&mut stream).await;
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n";
        stream.write_all(head).await.unwrap();
        while stream.write_all(&[b'x'; 8192]).await.is_ok() {}
    })
    .await;
    let answered = send_to(&receiver, LONG).await.unwrap();
    assert_eq!((answered.status, answered.body.len()), (200, limit::RESPONSE_KEPT_BYTES_MAX));
}

#[tokio::test]
async fn a_head_that_is_too_large_is_not_read() {
    let receiver = Receiver::new(|_, mut stream| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream
            .write_all(format!("x-filler: {}\r\n", "y".repeat(900)).as_bytes())
            .await
            .is_ok()
        {}
    })
    .await;
    let failure = send_to(&receiver, LONG).await.unwrap_err();
    assert_eq!(failure.kind, OutcomeKind::TooLarge, "{failure:?}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let receiver = Receiver::new(|_, stream| {
        answer(
            stream,
            "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n",
        )
    })
    .await;
    let answered = send_to(&receiver, LONG).await.unwrap();
    assert_eq!(answered.status, 302);
}

#[tokio::test]
async fn what_is_not_http_or_breaks_off_is_a_failed_connection() {
    for text in
        ["SSH-2.0-OpenSSH_9.9\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", ""]
    {
        let receiver = Receiver::new(move |_, mut stream| async move {
            read_request(&mut stream).await;
            let _ = stream.write_all(text.as_bytes()).await;
        })
        .await;
        let failure = send_to(&receiver, LONG).await.unwrap_err();
        assert_eq!(failure.kind, OutcomeKind::Connect, "{text}");
    }
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let host = Host::Address(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let transport = loopback();
    let pool = transport.pool(&Origin { tls: false, host, port });
    let failure = transport.send(&pool, request("{}"), LONG).await.unwrap_err();
    assert_eq!(failure, Failure::new(OutcomeKind::Connect, "connection refused"));
}

#[tokio::test]
async fn a_literal_private_address_is_blocked_at_the_socket() {
    let receiver = Receiver::new(|_, stream| async move { drop(stream) }).await;
    let transport = transport("10.0.0.0/8");
    let pool = transport.pool(&receiver.origin);
    let failure = transport.send(&pool, request("{}"), LONG).await.unwrap_err();
    assert_eq!(failure.kind, OutcomeKind::Blocked);
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_blocked_and_an_unknown_one_is_not_resolved() {
    let transport = transport("10.0.0.0/8");
    let origin = |name: &str| Origin { tls: false, host: Host::Name(name.to_owned()), port: 9 };
    let pool = transport.pool(&origin("localhost"));
    let failure = transport.send(&pool, request("{}"), LONG).await.unwrap_err();
    assert_eq!(failure.kind, OutcomeKind::Blocked, "{failure:?}");
    let pool = transport.pool(&origin("no-such-host.invalid"));
    let failure = transport.send(&pool, request("{}"), LONG).await.unwrap_err();
    assert_eq!(failure.kind, OutcomeKind::Dns, "{failure:?}");
}

#[tokio::test]
async fn plain_text_where_tls_is_spoken_is_a_tls_failure() {
    let receiver = Receiver::new(|_, mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = stream.read(&mut [0; 1024]).await;
    })
    .await;
    let transport = loopback();
    let pool = transport.pool(&Origin { tls: true, ..receiver.origin.clone() });
    let failure = transport.send(&pool, request("{}"), LONG).await.unwrap_err();
    assert_eq!(failure.kind, OutcomeKind::Tls, "{failure:?}");
}
