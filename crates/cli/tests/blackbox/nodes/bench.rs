//! `hookyard bench --scenario backlog` over PostgreSQL: the gateway's backlog, and what due deliveries cost over a history.

use serde_json::{Value, json};

use crate::cluster::Cluster;

const BACKLOG: [&str; 7] =
    ["bench", "--scenario", "backlog", "--events", "300", "--connections", "4"];

fn backlog<'a>(cluster: &'a Cluster, more: &[&'a str]) -> Vec<&'a str> {
    [&BACKLOG[..], &["--database-url", cluster.url()], more].concat()
}

#[tokio::test]
async fn a_backlog_over_a_database_also_tells_what_claims_cost() {
    let cluster = Cluster::new().await;
    let sizes = ["--history", "3000", "--parked", "2000", "--json"];
    let ran = cluster.run(&backlog(&cluster, &sizes)).await.ok();
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&report["scenario"], &report["missing"]), (&json!("backlog"), &json!(0)));
    assert!(report["gateway"]["drained_per_s"].as_f64().unwrap() > 0.0);
    let claims = &report["claims"];
    assert_eq!(claims["ended_rows"], 3000);
    assert_eq!(claims["due_rows_of_the_dead_endpoint"], 2000);
    for figure in [
        &claims["empty"]["p50_ms"],
        &claims["full"]["p99_ms"],
        &claims["full_to_empty_p50_ratio"],
        &claims["drop_of_a_day_ms"],
    ] {
        assert!(figure.as_f64().unwrap() > 0.0, "{claims}");
    }
    let plan = claims["plan"].to_string();
    assert!(plan.contains("Index Scan") && !plan.contains("Seq Scan"), "{plan}");
    let (before, after) = (&claims["filled_bytes"], &claims["bytes_after_the_drop"]);
    assert!(before.as_i64().unwrap() > after.as_i64().unwrap(), "{claims}");
    // Nothing of the rehearsal was left to the gateway.
    let left = "SELECT count(*)::text FROM delivery WHERE endpoint = 2";
    assert_eq!(cluster.ask(left).await, ["0"]);

    // A database that is not empty would tell nothing.
    cluster
        .ask("INSERT INTO delivery SELECT 1, NULL, NULL, 1, 1, 1, 1, 1, NULL, 1, 1, 1, NULL, 1")
        .await;
    let ran = cluster.run(&backlog(&cluster, &[])).await;
    ran.refused(1, &["not empty"]);
}

#[tokio::test]
async fn the_figures_stand_in_the_table_too() {
    let cluster = Cluster::new().await;
    let ran = cluster.run(&backlog(&cluster, &["--history", "0", "--parked", "500"])).await.ok();
    let table = ran.stdout;
    for line in
        ["drained per s", "asking for what is due p50, ms", "dropping the day", "Index Scan"]
    {
        assert!(table.contains(line), "no `{line}` in:\n{table}");
    }
}

#[tokio::test]
async fn a_history_without_a_database_or_another_scenario_is_refused() {
    let cluster = Cluster::new().await;
    let world = &cluster.world;
    let ran = world.run(&[&BACKLOG[..], &["--history", "5"]].concat()).await;
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(ran.stderr.contains("--database-url"), "{ran:#?}");
    let burst = ["bench", "--database-url", cluster.url(), "--parked", "5"];
    world.run(&burst).await.refused(2, &["backlog"]);
    let ran = world.run(&["bench", "--scenario", "claims"]).await;
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(ran.stderr.contains("slow-neighbour, backlog]"), "{ran:#?}");
}
