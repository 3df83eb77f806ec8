//! The tables of standards.md §8.1 and §8.2, row by row.

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn allowing(nets: &[&str]) -> EgressPolicy {
    EgressPolicy { allow: nets.iter().map(|it| it.parse().unwrap()).collect(), allow_http: false }
}

fn with_http() -> EgressPolicy {
    EgressPolicy { allow_http: true, ..EgressPolicy::default() }
}

#[track_caller]
fn check_url(policy: &EgressPolicy, text: &str, want: Result<&str, &str>) {
    let got = policy.check_url(text);
    let got = got.as_ref().map(EndpointUrl::as_str).map_err(UrlDenied::code);
    assert_eq!(got, want, "{text}");
}

#[test]
fn every_range_of_the_ipv4_table_is_denied_from_its_first_to_its_last_address() {
    use AddrDenied::{
        Documentation, LinkLocal, Multicast, Private, Reserved, Shared, ThisMachine, Translated,
    };
    for (first, last, want) in [
        ("0.0.0.0", "0.255.255.255", ThisMachine),
        ("10.0.0.0", "10.255.255.255", Private),
        ("100.64.0.0", "100.127.255.255", Shared),
        ("127.0.0.0", "127.255.255.255", ThisMachine),
        ("169.254.0.0", "169.254.255.255", LinkLocal),
        ("172.16.0.0", "172.31.255.255", Private),
        ("192.0.0.0", "192.0.0.255", Reserved),
        ("192.0.2.0", "192.0.2.255", Documentation),
        ("192.88.99.0", "192.88.99.255", Translated),
        ("192.168.0.0", "192.168.255.255", Private),
        ("198.18.0.0", "198.19.255.255", Reserved),
        ("198.51.100.0", "198.51.100.255", Documentation),
        ("203.0.113.0", "203.0.113.255", Documentation),
        ("224.0.0.0", "239.255.255.255", Multicast),
        ("240.0.0.0", "255.255.255.254", Reserved),
        ("255.255.255.255", "255.255.255.255", Multicast),
    ] {
        for address in [first, last] {
            let mapped = format!("::ffff:{address}");
            for text in [address, &mapped] {
                assert_eq!(EgressPolicy::default().check_addr(ip(text)), Err(want), "{text}");
            }
        }
    }
}

#[test]
fn the_neighbours_of_every_ipv4_range_are_allowed() {
    for address in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "168.63.129.17",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.1.255",
        "192.0.3.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "8.8.8.8",
        "::ffff:8.8.8.8",
    ] {
        assert_eq!(EgressPolicy::default().check_addr(ip(address)), Ok(()), "{address}");
    }
}

#[test]
fn every_range_of_the_ipv6_table_is_denied_from_its_first_to_its_last_address() {
    use AddrDenied::{
        Documentation, LinkLocal, Multicast, Private, Reserved, ThisMachine, Translated,
    };
    for (first, last, want) in [
        ("::", "::", ThisMachine),
        ("::1", "::1", ThisMachine),
        ("::2", "::ffff:ffff", Translated),
        ("::127.0.0.1", "::8.8.8.8", Translated),
        ("::ffff:0:0:0", "::ffff:0:ffff:ffff", Translated),
        ("64:ff9b::", "64:ff9b::ffff:ffff", Translated),
        ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", Translated),
        ("100::", "100::ffff:ffff:ffff:ffff", Reserved),
        ("100:0:0:1::", "100::1:ffff:ffff:ffff:ffff", Reserved),
        ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", Translated),
        ("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", Reserved),
        ("2001:10::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff", Reserved),
        ("2001:20::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff", Reserved),
        ("2001:1::1", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", Reserved),
        ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", Documentation),
        ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Translated),
        ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", Documentation),
        ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Reserved),
        ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Private),
        ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", LinkLocal),
        ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Private),
        ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Multicast),
        // Handed out to nobody.
        ("1::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Reserved),
        ("4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Reserved),
    ] {
        for text in [first, last] {
            assert_eq!(EgressPolicy::default().check_addr(ip(text)), Err(want), "{text}");
        }
    }
}

#[test]
fn public_ipv6_addresses_are_allowed_up_to_the_edges_of_the_ranges() {
    for address in [
        "2000::",
        "2001:200::",
        "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db9::",
        "2001:4860:4860::8888",
        "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2003::",
        "2606:4700::1111",
        "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "3fff:1000::",
        "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ] {
        assert_eq!(EgressPolicy::default().check_addr(ip(address)), Ok(()), "{address}");
    }
}

#[test]
fn metadata_addresses_are_refused_whatever_is_allowed_and_however_they_are_wrapped() {
    let everything = allowing(&["0.0.0.0/0", "::/0"]);
    for address in [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "fd00:ec2::254",
        "fd20:ce::254",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "::ffff:0:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "64:ff9b::168.63.129.16",
        "64:ff9b:1::169.254.169.254",
        "64:ff9b:1:a9fe:a9:fe00::",
        "2002:a9fe:a9fe::1",
        "2001:0:4136:e378:8000:63bf:5601:5601",
        // A translator whose prefix only the operator knows.
        "fd12:3456::169.254.169.254",
    ] {
        for policy in [&everything, &EgressPolicy::default()] {
            assert_eq!(policy.check_addr(ip(address)), Err(AddrDenied::Metadata), "{address}");
        }
    }
    check_url(&everything, "https://169.254.169.254/latest", Err("private_address"));
    check_url(&everything, "https://metadata.google.internal/", Err("private_address"));
    check_url(&everything, "https://METADATA.google.internal./", Err("private_address"));
}

#[test]
fn an_exception_opens_its_network_and_nothing_beside_it() {
    let policy = allowing(&["10.1.0.0/16", "fd12::/16"]);
    for address in ["10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "fd12::1", "8.8.8.8"] {
        assert_eq!(policy.check_addr(ip(address)), Ok(()), "{address}");
    }
    for address in ["10.0.255.255", "10.2.0.0", "fd13::1", "127.0.0.1", "64:ff9b::10.1.2.3"] {
        assert!(policy.check_addr(ip(address)).is_err(), "{address}");
    }
    check_url(&policy, "https://10.1.2.3/", Ok("https://10.1.2.3/"));
    check_url(&policy, "https://10.2.2.3/", Err("private_address"));
}

#[test]
fn allowing_all_of_ipv6_does_not_open_ipv4_through_mapped_addresses() {
    let policy = allowing(&["::/0"]);
    assert_eq!(policy.check_addr(ip("::1")), Ok(()));
    assert_eq!(policy.check_addr(ip("::ffff:10.0.0.1")), Err(AddrDenied::Private));
}

#[test]
fn one_denied_address_condemns_a_name_and_so_does_none() {
    let policy = EgressPolicy::default();
    let check = |addresses: &[&str]| {
        policy.check_addrs(&addresses.iter().map(|it| ip(it)).collect::<Vec<_>>())
    };
    assert_eq!(check(&["8.8.8.8", "2606:4700::1111"]), Ok(()));
    assert_eq!(check(&["8.8.8.8", "10.0.0.1"]), Err(AddrDenied::Private));
    assert_eq!(check(&["10.0.0.1", "8.8.8.8"]), Err(AddrDenied::Private));
    assert_eq!(check(&[]), Err(AddrDenied::NoAddress));
}

#[test]
fn every_spelling_of_a_private_address_is_seen_through() {
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0X7F.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "0",
        "0.0.0.0",
        "１２７.０.０.１",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "127．0．0．1",
        "127｡0｡0｡1",
        "%31%32%37.0.0.1",
        "%31%32%37%2e0%2e0%2e1",
        "127.0.0\t.1",
        "127.0.\n0.1",
        "12\r7.0.0.1",
        "127.0.0.1\\@example.com",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[0000:0000::0001]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[0:0:0:0:0:FFFF:7F00:1]",
        "[::ffff:0:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "10.0.0.1:8443",
        "0xa9fea9fe",
        "168.63.129.16",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "ｌocalhost",
        "loc%61lhost",
        "api.localhost",
        "printer.local",
        "db.internal",
        "db.internal.",
        "metadata.google.internal",
        "web.default.svc",
        "web.default.svc.cluster.local",
        "router.home.arpa",
        "localhost.localdomain",
        "local",
        "postgres",
        "postgres.",
    ] {
        for slashes in ["//", "/", "", "////", "\\\\"] {
            let url = format!("https:{slashes}{host}/hook");
            check_url(&EgressPolicy::default(), &url, Err("private_address"));
        }
    }
}

#[test]
fn urls_with_no_usable_host_are_refused() {
    for url in [
        "",
        "example.com/hooks",
        "/hooks",
        "//example.com",
        "https://",
        "https:///",
        "https://:8080/",
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[::1/",
        "https://[example.com]/",
        "https://exa mple.com/",
        "https://example.com%00.evil.net/",
        "https://1.2.3.256/",
        "https://1.2.3.4.5/",
        "https://a..example.com/",
        "https://example.com../",
        "https://./",
    ] {
        check_url(&EgressPolicy::default(), url, Err("bad_url"));
    }
    let label = "a".repeat(64);
    check_url(&EgressPolicy::default(), &format!("https://{label}.com/"), Err("bad_url"));
    let long = format!("https://{}com/", "abcdefg.".repeat(32));
    check_url(&EgressPolicy::default(), &long, Err("bad_url"));
}

#[test]
fn names_that_only_resemble_private_ones_are_fine() {
    for host in [
        "example.com",
        "localhost.example.com",
        "notlocalhost.com",
        "mylocal.io",
        "internal.example.com",
        "metadata.google.internal.example.com",
        "127.0.0.1.nip.io",
    ] {
        let url = format!("https://{host}/");
        check_url(&EgressPolicy::default(), &url, Ok(&url));
    }
}

#[test]
fn a_url_is_kept_as_it_was_understood() {
    for (text, want) in [
        ("https://example.com", "https://example.com/"),
        ("  HTTPS://EXAMPLE.com:443/A?b=c#d ", "https://example.com/A?b=c"),
        ("https://example.com/#", "https://example.com/"),
        ("https://exa\nmple.com/h\tooks", "https://example.com/hooks"),
        ("https://example.com./x", "https://example.com./x"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://example.com:65535/", "https://example.com:65535/"),
        ("https://@example.com/", "https://example.com/"),
        ("https://example.com/@a:b", "https://example.com/@a:b"),
        ("https://example.com\\@127.0.0.1/", "https://example.com/@127.0.0.1/"),
        ("https://[2606:4700:0::1111]/", "https://[2606:4700::1111]/"),
    ] {
        check_url(&EgressPolicy::default(), text, Ok(want));
    }
}

#[test]
fn plain_http_needs_permission_and_other_schemes_get_none() {
    check_url(&EgressPolicy::default(), "http://example.com/", Err("http_not_allowed"));
    check_url(&with_http(), "http://example.com/", Ok("http://example.com/"));
    check_url(&with_http(), "http://127.0.0.1/", Err("private_address"));
    for url in [
        "ftp://example.com/",
        "ws://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "data:text/plain,x",
        "mailto:a@example.com",
        "localhost:8080/hooks",
        "unix:/run/x.sock",
    ] {
        check_url(&with_http(), url, Err("scheme_not_allowed"));
    }
    let refusal = |policy: EgressPolicy| policy.check_url("ftp://x").unwrap_err().to_string();
    assert_eq!(refusal(EgressPolicy::default()), "use a URL that begins with `https://`");
    assert_eq!(refusal(with_http()), "use a URL that begins with `https://` or `http://`");
}

#[test]
fn userinfo_is_refused() {
    for url in [
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://:password@example.com/",
        "https://example.com@127.0.0.1/",
        "https://good.example%40x@example.com/",
    ] {
        check_url(&EgressPolicy::default(), url, Err("userinfo_not_allowed"));
    }
}

#[test]
fn ports_run_from_1_to_65535() {
    for port in ["0", "00", "65536", "99999", "-1", "http"] {
        check_url(
            &EgressPolicy::default(),
            &format!("https://example.com:{port}/"),
            Err("bad_port"),
        );
    }
    check_url(&EgressPolicy::default(), "https://example.com:1/", Ok("https://example.com:1/"));
}

#[test]
fn the_length_is_bounded_as_given_and_as_kept() {
    let head = "https://example.com/";
    let fits = format!("{head}{}", "a".repeat(limit::URL_CHARS_MAX - head.len()));
    check_url(&EgressPolicy::default(), &fits, Ok(&fits));
    check_url(&EgressPolicy::default(), &format!("{fits}a"), Err("too_long"));
    let grows = format!("{head}{}", "ä".repeat(1000));
    check_url(&EgressPolicy::default(), &grows, Err("too_long"));
}

#[test]
fn localhost_is_fine_where_loopback_is_allowed() {
    for nets in [&["127.0.0.0/8"][..], &["::1/128"], &["127.0.0.1/32"], &["0.0.0.0/0"]] {
        for url in ["https://localhost:9000/", "https://api.localhost/", "https://localhost./"] {
            check_url(&allowing(nets), url, Ok(url));
        }
    }
    check_url(&allowing(&["10.0.0.0/8"]), "https://localhost/", Err("private_address"));
}

#[test]
fn local_names_are_fine_where_any_network_is_allowed() {
    let policy = allowing(&["10.0.0.0/8"]);
    for url in ["https://postgres/", "https://db.internal/", "https://web.default.svc:81/"] {
        check_url(&policy, url, Ok(url));
    }
}

#[test]
fn refusals_say_what_to_do() {
    let said = |text: &str| EgressPolicy::default().check_url(text).unwrap_err().to_string();
    assert_eq!(
        said("https://10.0.0.1/"),
        "the address is in a private network; use a public one, or ask the operator to allow its \
         network with `--allow-network`"
    );
    assert_eq!(
        said("https://169.254.169.254/"),
        "the address is that of a cloud's metadata service; it is never called, use the address of \
         your own receiver"
    );
    assert!(said("https://postgres/").contains("`--allow-network`"));
    assert!(said("http://example.com/").contains("`https://`"));
    assert!(said(&"a".repeat(3000)).contains("2048"));
}
