//! How the client speaks: under TLS, once where once is meant, and to nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::Shell;
use crate::scene::text;

const TLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifiers/tls");

/// Reads one request whose body, if it has one, comes with its head or right after it.
async fn request(stream: &mut TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|it| it.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |it| it.parse().unwrap()) {
                return read;
            }
        }
        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "it ended early");
    }
}

/// Stands before a server; the answer to the first request that starts so is thrown away, and its connection broken.
async fn forgetful(
    to: std::net::SocketAddr,
    start: &'static str,
) -> (String, Arc<AtomicUsize>, JoinSet<()>) {
    let mut tasks = JoinSet::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let passed = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&passed);
    tasks.spawn(async move {
        loop {
            let (mut from, _) = listener.accept().await.unwrap();
            let mut server = TcpStream::connect(to).await.unwrap();
            let request = request(&mut from).await;
            server.write_all(&request).await.unwrap();
            let meant = request.starts_with(start.as_bytes());
            if meant && seen.fetch_add(1, Ordering::SeqCst) == 0 {
                // The server has done it; the client does not hear of it.
                assert_ne!(server.read(&mut [0_u8; 64]).await.unwrap(), 0);
                continue;
            }
            let _ = copy_bidirectional(&mut from, &mut server).await;
        }
    });
    (url, passed, tasks)
}

#[tokio::test]
async fn a_post_whose_answer_was_lost_is_sent_again_and_done_once() {
    let shell = Shell::new().await;
    let (url, passed, _tasks) = forgetful(shell.scene.server.address, "POST").await;
    let create =
        ["webhooks", "create", "--url", "https://a.example/", "--event", "*", "--server", &url];
    let made = shell.json(&create).await;
    assert_eq!(passed.load(Ordering::SeqCst), 2);
    let all = shell.lines(&["webhooks", "list"]).await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0]["id"], made["id"]);
    assert!(text(&made["secret"]).starts_with("whsec_"), "{made}");
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_not_sent_again() {
    let shell = Shell::new().await;
    let made =
        shell.json(&["webhooks", "create", "--url", "https://a.example/", "--event", "*"]).await;
    let (url, passed, _tasks) = forgetful(shell.scene.server.address, "DELETE").await;
    let ran = shell.run(&["webhooks", "delete", text(&made["id"]), "--server", &url]).await;
    ran.refused(8, &["connection broke"]);
    assert_eq!(passed.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_server_that_breaks_every_connection_leaves_a_key_to_repeat_with() {
    let shell = Shell::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut tasks = JoinSet::<()>::new();
    tasks.spawn(async move {
        loop {
            let (mut from, _) = listener.accept().await.unwrap();
            request(&mut from).await;
        }
    });
    let publish = ["events", "publish", "a", "--data", "1"];
    let error = shell.fails(&[&publish[..], &["--server", &url]].concat(), 8).await;
    let key = text(&error["idempotency_key"]);
    assert!(text(&error["message"]).contains(&format!("--idempotency-key {key}")), "{error}");
    let again = [&publish[..], &["--idempotency-key", key]].concat();
    let (first, second) = (shell.json(&again).await, shell.json(&again).await);
    assert_eq!(first["id"], second["id"]);
}

#[tokio::test]
async fn an_export_that_breaks_off_is_said_and_leaves_no_half_file() {
    let shell = Shell::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = async {
        let (mut from, _) = listener.accept().await.unwrap();
        request(&mut from).await;
        let half = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nid,ev\r\n";
        from.write_all(half.as_bytes()).await.unwrap();
    };
    let export = ["webhooks", "deliveries", "export", "--output", "out.csv", "--server", &url];
    let (ran, ()) = tokio::join!(shell.run(&export), serving);
    ran.refused(8, &["connection broke"]);
    assert!(!shell.scene.world.path("out.csv").exists());
}

/// Speaks TLS before a server, with the certificate of that name; answers the port.
async fn under_tls(to: std::net::SocketAddr, name: &str) -> (u16, JoinSet<()>) {
    let mut tasks = JoinSet::new();
    let chain = CertificateDer::from_pem_file(format!("{TLS}/{name}.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(format!("{TLS}/{name}.key.pem")).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![chain], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tasks.spawn(async move {
        loop {
            let (from, _) = listener.accept().await.unwrap();
            // A client that does not like the certificate goes.
            let Ok(mut from) = acceptor.accept(from).await else { continue };
            let mut server = TcpStream::connect(to).await.unwrap();
            let _ = copy_bidirectional(&mut from, &mut server).await;
        }
    });
    (port, tasks)
}

#[tokio::test]
async fn a_server_under_tls_is_spoken_to_if_its_certificate_is_good() {
    let shell = Shell::new().await.set("SSL_CERT_FILE", &format!("{TLS}/authority.pem"));
    let (good, _tasks) = under_tls(shell.scene.server.address, "receiver").await;
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("https://{host}:{good}");
        let made =
            ["webhooks", "create", "--url", "https://a.example/", "--event", "*", "--server", &url];
        shell.json(&made).await;
    }
    assert_eq!(shell.lines(&["webhooks", "list"]).await.len(), 2);
    let (stranger, _more) = under_tls(shell.scene.server.address, "stranger").await;
    let url = format!("https://localhost:{stranger}");
    let error = shell.fails(&["webhooks", "list", "--server", &url], 8).await;
    assert!(text(&error["message"]).contains("TLS"), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_no_proxy_is_asked() {
    let shell = Shell::new()
        .await
        .set("HTTP_PROXY", "http://127.0.0.1:1")
        .set("http_proxy", "http://127.0.0.1:1");
    shell.table(&["webhooks", "list"]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/prefix", listener.local_addr().unwrap());
    let serving = async {
        let (mut from, _) = listener.accept().await.unwrap();
        let asked = String::from_utf8(request(&mut from).await).unwrap();
        let answer = "HTTP/1.1 308 Permanent Redirect\r\nlocation: https://b.example/\r\ncontent-length: 0\r\n\r\n";
        from.write_all(answer.as_bytes()).await.unwrap();
        asked
    };
    let list = ["webhooks", "list", "--server", &url];
    let (ran, asked) = tokio::join!(shell.run(&list), serving);
    ran.refused(1, &["308", "https://b.example/", "--server"]);
    assert!(asked.starts_with("GET /prefix/v1/tenants/acme/endpoints?limit="), "{asked}");
}
