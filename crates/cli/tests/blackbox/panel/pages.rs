//! The page of the real binary. Black-box tests run a debug build, whose page says what is missing.

use crate::world::World;

#[tokio::test]
async fn a_build_without_the_dashboard_says_plainly_what_is_missing() {
    let world = World::new();
    let server = world.serve().await;
    for path in ["/", "/t/acme/settings/webhooks", "/portal"] {
        let answer = server.client("").get(path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(answer.headers["cache-control"], "no-store");
        let page = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(page.contains("Hookyard"), "{page}");
        if page.contains("not part of this build") {
            assert!(page.contains("href=\"/docs\""), "it leads on: {page}");
        }
    }
    assert!(server.stop().await.success());
}

#[tokio::test]
async fn who_may_frame_the_portal_is_set() {
    let world = World::new();
    let args = ["--portal-frame-ancestors", "https://app.example.com"];
    let more = ["--portal-frame-ancestors", "https://*.example.org"];
    let server = world.serve_with(&[args, more].concat(), &[]).await;
    let policy = |answer: crate::world::Answer| {
        answer.headers["content-security-policy"].to_str().unwrap().to_owned()
    };
    let portal = policy(server.client("").get("/portal").await);
    let named = "frame-ancestors https://app.example.com https://*.example.org";
    assert!(portal.ends_with(named), "{portal}");
    let page = policy(server.client("").get("/").await);
    assert!(page.ends_with("frame-ancestors 'none'"), "{page}");
    assert!(server.stop().await.success());
    let ran = world.run(&["serve", "--portal-frame-ancestors", "https://a; script-src *"]).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("https://app.example.com"), "{}", ran.stderr);
}
