//! A database that proves itself by an authority of one's own, and one of several hosts.

use super::postgres::{Postgres, certificate};
use crate::cluster::{Cluster, run};
use crate::receiver::Receiver;
use crate::scene::Acme;

/// Connections of nodes, by whether they speak TLS.
const SEEN: &str =
    "SELECT DISTINCT s.ssl::text FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)
    WHERE a.application_name = 'hookyard'";

#[tokio::test]
async fn a_database_is_served_from_over_tls_when_it_proves_itself_and_refused_when_not() {
    let postgres = Postgres::start_with_tls().await;
    let required = format!("{}?sslmode=require", postgres.url());
    let cluster = Cluster::on(&postgres.url()).await.through(&required);
    let authority = certificate("authority.pem");
    let stranger = certificate("stranger.pem");
    for refused in [&["--database-ca", &*stranger][..], &[]] {
        for command in ["migrate", "serve"] {
            let ran = cluster.run(&[&[command], refused].concat()).await;
            ran.refused(8, &["`--database-url`", "certificate"]);
        }
        let told = cluster.run(&[&["doctor"], refused].concat()).await;
        assert_eq!(told.code, Some(1), "{told:#?}");
        assert!(told.stdout.contains("certificate"), "{told:#?}");
    }
    cluster.run(&["serve", "--database-ca", "not-there.pem"]).await.refused(2, &["not-there.pem"]);

    let receiver = Receiver::start().await;
    let trusts = ["--database-ca", &*authority];
    let one = cluster.node_with("one", &trusts, &[]).await;
    let acme = Acme(one.operator().tenant("acme").await);
    acme.endpoint_at(&receiver.url()).await;
    let event = acme.order(1).await;
    acme.delivery_is(&event, "succeeded").await;
    assert_eq!(run(&postgres.url(), SEEN).await, ["true"]);
    let told = cluster.run(&[&["doctor"], &trusts[..]].concat()).await;
    assert!(told.stdout.contains("serving: one"), "{told:#?}");
}

#[tokio::test]
async fn a_database_that_speaks_no_tls_is_refused_where_tls_is_required() {
    let postgres = Postgres::start("").await;
    let required = format!("{}?sslmode=require", postgres.url());
    let cluster = Cluster::on(&postgres.url()).await.through(&required);
    let authority = certificate("authority.pem");
    let ran = cluster.run(&["serve", "--database-ca", &authority]).await;
    ran.refused(8, &["`--database-url`", "TLS"]);
}

#[tokio::test]
async fn of_several_hosts_the_one_that_can_be_written_to_is_served_from() {
    let primary = Postgres::start_with_tls().await;
    let standby = primary.standby().await;
    let hosts = format!("{},{}", standby.host(), primary.host());
    let either = format!(
        "postgres://hookyard@{hosts}/postgres?sslmode=require&target_session_attrs=read-write"
    );
    let cluster = Cluster::on(&primary.url()).await.through(&either);
    let authority = certificate("authority.pem");
    let receiver = Receiver::start().await;
    let one = cluster.node_with("one", &["--database-ca", &authority], &[]).await;
    let acme = Acme(one.operator().tenant("acme").await);
    acme.endpoint_at(&receiver.url()).await;
    let events = acme.orders(0..50).await;
    acme.count_is("status=succeeded", events.len()).await;
    let here =
        |server: &Postgres| format!("{}/hookyard", server.url().trim_end_matches("/postgres"));
    let accepted = run(&here(&primary), "SELECT count(*)::text FROM event").await;
    assert_eq!(accepted, ["50"]);
    assert_eq!(run(&primary.url(), SEEN).await, ["true"]);
    assert!(run(&standby.url(), SEEN).await.is_empty(), "a connection stays at the standby");
    assert_eq!(run(&standby.url(), "SELECT pg_is_in_recovery()::text").await, ["true"]);
}
