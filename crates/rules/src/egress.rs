//! Where the gateway may send to: public addresses, and what the operator allows besides.
//!
//! A URL is judged once when it is given, for its owner's sake; what protects the network is
//! [`EgressPolicy::check_addrs`], asked again at every connection with the addresses that will really be used
//! (standards.md §8.3).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hookyard_domain::limit;
use hookyard_domain::url::EndpointUrl;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, ParseError, Url};

/// What may be called. The default allows `https` to public addresses and nothing else.
#[derive(Clone, Debug, Default)]
pub struct EgressPolicy {
    /// Networks that may be called although they are not public. The metadata addresses stay refused even so. An
    /// IPv4-mapped IPv6 address is judged as the IPv4 address it is, so it takes an IPv4 network to allow it.
    pub allow: Vec<IpNet>,
    /// Whether `http` URLs are accepted.
    pub allow_http: bool,
}

impl EgressPolicy {
    /// Reads and judges an endpoint's URL. What comes back is the parsed form, without fragment; use no other.
    ///
    /// # Errors
    /// Why the URL cannot be called, for its owner.
    pub fn check_url(&self, text: &str) -> Result<EndpointUrl, UrlDenied> {
        check_length(text)?;
        let mut url = Url::parse(text).map_err(|error| {
            if error == ParseError::InvalidPort { UrlDenied::BadPort } else { UrlDenied::BadUrl }
        })?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            "http" => return Err(UrlDenied::HttpNotAllowed),
            _ => return Err(UrlDenied::SchemeNotAllowed { or_http: self.allow_http }),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlDenied::UserinfoNotAllowed);
        }
        if url.port() == Some(0) {
            return Err(UrlDenied::BadPort);
        }
        // The host as it was understood, never the text: `0x7f.1`, `①②⑦.1` and `a\@b` all look like something else.
        match url.host() {
            Some(Host::Ipv4(address)) => self.check_addr(address.into())?,
            Some(Host::Ipv6(address)) => self.check_addr(address.into())?,
            Some(Host::Domain(name)) => self.check_name(name)?,
            None => return Err(UrlDenied::BadUrl),
        }
        url.set_fragment(None);
        // Percent-encoding makes a URL longer; what is stored must be accepted again when it is sent back.
        check_length(url.as_str())?;
        Ok(EndpointUrl::new(url))
    }

    /// The same where the vendor's own documentation allows plain `http` (vendors.md ALU-REG-2).
    ///
    /// # Errors
    /// As for [`Self::check_url`].
    pub fn check_url_with_http(&self, text: &str) -> Result<EndpointUrl, UrlDenied> {
        Self { allow_http: true, allow: self.allow.clone() }.check_url(text)
    }

    /// Judges one address.
    ///
    /// # Errors
    /// What kind of address it is that may not be called.
    pub fn check_addr(&self, address: IpAddr) -> Result<(), AddrDenied> {
        let address = address.to_canonical();
        if is_metadata(address) {
            return Err(AddrDenied::Metadata);
        }
        if self.allows(address) {
            return Ok(());
        }
        let denied = match address {
            IpAddr::V4(address) => denied_v4(address),
            IpAddr::V6(address) => denied_v6(address),
        };
        denied.map_or(Ok(()), Err)
    }

    /// Judges all addresses of a name. One that is denied condemns the name: to leave it out and use the rest would let
    /// the name's owner choose by order and timing.
    ///
    /// # Errors
    /// What is wrong with the first address that is denied; also when there is none at all.
    pub fn check_addrs(&self, addresses: &[IpAddr]) -> Result<(), AddrDenied> {
        if addresses.is_empty() {
            return Err(AddrDenied::NoAddress);
        }
        addresses.iter().try_for_each(|address| self.check_addr(*address))
    }

    /// Judges a name by what it means everywhere. Where it leads to is judged at connect.
    fn check_name(&self, name: &str) -> Result<(), UrlDenied> {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        if name.split('.').any(|label| label.is_empty() || label.len() > 63) || name.len() > 253 {
            return Err(UrlDenied::BadUrl);
        }
        if METADATA_NAMES.contains(&name.as_str()) {
            return Err(UrlDenied::PrivateAddress(AddrDenied::Metadata));
        }
        let is_allowed = if is_or_ends_in(&name, "localhost") {
            self.allows(Ipv4Addr::LOCALHOST.into()) || self.allows(Ipv6Addr::LOCALHOST.into())
        } else if !name.contains('.') || INTERNAL.iter().any(|it| is_or_ends_in(&name, it)) {
            !self.allow.is_empty()
        } else {
            true
        };
        if is_allowed { Ok(()) } else { Err(UrlDenied::PrivateName) }
    }

    fn allows(&self, address: IpAddr) -> bool {
        self.allow.iter().any(|net| net.contains(&address))
    }
}

/// Why an address may not be called. Shown to an endpoint's owner, so it names a class and nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddrDenied {
    /// Loopback, or unspecified, which means the same to most machines.
    #[error("the address is that of the calling machine itself")]
    ThisMachine,
    /// RFC 1918, unique local, site-local.
    #[error("the address is in a private network")]
    Private,
    /// RFC 6598.
    #[error("the address is in a provider's shared network")]
    Shared,
    /// Only reaches neighbours on the same wire.
    #[error("the address is link-local")]
    LinkLocal,
    /// Where clouds hand out credentials. Refused whatever is allowed.
    #[error("the address is that of a cloud's metadata service")]
    Metadata,
    /// Groups and broadcasts.
    #[error("the address is a multicast or broadcast address")]
    Multicast,
    /// For examples in texts.
    #[error("the address is reserved for documentation")]
    Documentation,
    /// An IPv4 address in the clothes of an IPv6 one: NAT64, 6to4, Teredo and others.
    #[error("the address is that of an IPv4-to-IPv6 translation or tunnel")]
    Translated,
    /// Everything else that is not part of the public Internet.
    #[error("the address is reserved")]
    Reserved,
    /// The name leads nowhere.
    #[error("the host name has no address")]
    NoAddress,
}

/// Why a URL cannot be an endpoint's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlDenied {
    /// No absolute URL, or its host is unusable.
    #[error("use an absolute URL with a host name, such as `https://example.com/hooks`")]
    BadUrl,
    /// Longer than the limit.
    #[error("use at most {max} characters", max = limit::URL_CHARS_MAX)]
    TooLong,
    /// Plain `http` where it is not allowed.
    #[error("use `https://`; the operator can permit plain `http://` with `--allow-http`")]
    HttpNotAllowed,
    /// Neither `https` nor `http`.
    #[error("use a URL that begins with `https://`{http}", http = if *or_http { " or `http://`" } else { "" })]
    SchemeNotAllowed {
        /// `http` would be taken as well.
        or_http: bool,
    },
    /// A name or password before the host.
    #[error("take the name and password out of the URL and send them in a custom header instead")]
    UserinfoNotAllowed,
    /// Port 0, or a number that is no port.
    #[error("use a port from 1 to 65535, or leave it out")]
    BadPort,
    /// A literal address that is denied, or a name that always means one.
    #[error("{0}; {fix}", fix = fix_of(*.0))]
    PrivateAddress(AddrDenied),
    /// A name that only means something inside a machine or a network.
    #[error(
        "the host name is local to a machine or network; use a public one, or ask the operator to allow its \
         network with `--allow-network`"
    )]
    PrivateName,
}

impl UrlDenied {
    /// Stable, machine-readable.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadUrl => "bad_url",
            Self::TooLong => "too_long",
            Self::HttpNotAllowed => "http_not_allowed",
            Self::SchemeNotAllowed { .. } => "scheme_not_allowed",
            Self::UserinfoNotAllowed => "userinfo_not_allowed",
            Self::BadPort => "bad_port",
            Self::PrivateAddress(_) | Self::PrivateName => "private_address",
        }
    }
}

impl From<AddrDenied> for UrlDenied {
    fn from(denied: AddrDenied) -> Self {
        Self::PrivateAddress(denied)
    }
}

fn fix_of(denied: AddrDenied) -> &'static str {
    match denied {
        AddrDenied::Metadata => "it is never called, use the address of your own receiver",
        AddrDenied::ThisMachine
        | AddrDenied::Private
        | AddrDenied::Shared
        | AddrDenied::LinkLocal
        | AddrDenied::Multicast
        | AddrDenied::Documentation
        | AddrDenied::Translated
        | AddrDenied::Reserved
        | AddrDenied::NoAddress => {
            "use a public one, or ask the operator to allow its network with `--allow-network`"
        }
    }
}

fn check_length(text: &str) -> Result<(), UrlDenied> {
    if text.chars().count() > limit::URL_CHARS_MAX { Err(UrlDenied::TooLong) } else { Ok(()) }
}

fn is_or_ends_in(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Names that lead to a metadata service wherever they lead anywhere.
const METADATA_NAMES: [&str; 2] = ["metadata.google.internal", "metadata.goog"];

/// Ends of names that are private by definition: mDNS (RFC 6762), ICANN's private-use domain, home networks (RFC 8375),
/// Kubernetes services, and the usual second name of localhost.
const INTERNAL: [&str; 5] = ["local", "internal", "home.arpa", "svc", "localdomain"];

/// AWS, Azure, Google and others; ECS tasks; Alibaba; Oracle; the Azure host agent, which looks public.
const METADATA_V4: [Ipv4Addr; 5] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(168, 63, 129, 16),
];

/// AWS; Google.
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix_len: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix_len)
}

const fn v6(head: [u16; 5], prefix_len: u8) -> Ipv6Net {
    let [a, b, c, d, e] = head;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, 0, 0, 0), prefix_len)
}

/// What is not public in IPv4 (standards.md §8.1); the first that fits names the class.
const DENIED_V4: [(Ipv4Net, AddrDenied); 16] = [
    (v4(0, 0, 0, 0, 8), AddrDenied::ThisMachine),
    (v4(10, 0, 0, 0, 8), AddrDenied::Private),
    (v4(100, 64, 0, 0, 10), AddrDenied::Shared),
    (v4(127, 0, 0, 0, 8), AddrDenied::ThisMachine),
    (v4(169, 254, 0, 0, 16), AddrDenied::LinkLocal),
    (v4(172, 16, 0, 0, 12), AddrDenied::Private),
    (v4(192, 0, 0, 0, 24), AddrDenied::Reserved),
    (v4(192, 0, 2, 0, 24), AddrDenied::Documentation),
    (v4(192, 88, 99, 0, 24), AddrDenied::Translated),
    (v4(192, 168, 0, 0, 16), AddrDenied::Private),
    (v4(198, 18, 0, 0, 15), AddrDenied::Reserved),
    (v4(198, 51, 100, 0, 24), AddrDenied::Documentation),
    (v4(203, 0, 113, 0, 24), AddrDenied::Documentation),
    (v4(224, 0, 0, 0, 4), AddrDenied::Multicast),
    (v4(255, 255, 255, 255, 32), AddrDenied::Multicast),
    (v4(240, 0, 0, 0, 4), AddrDenied::Reserved),
];

/// The one part of IPv6 that is handed out as public.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0], 3);

/// What is not public in IPv6 (standards.md §8.1); the first that fits names the class. What lies outside of
/// [`GLOBAL_V6`] would be denied without a row too, and has one only for its class.
const DENIED_V6: [(Ipv6Net, AddrDenied); 16] = [
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), AddrDenied::ThisMachine),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), AddrDenied::ThisMachine),
    (v6([0, 0, 0, 0, 0], 96), AddrDenied::Translated),
    (v6([0, 0, 0, 0, 0xffff], 96), AddrDenied::Translated),
    (v6([0x64, 0xff9b, 0, 0, 0], 96), AddrDenied::Translated),
    (v6([0x64, 0xff9b, 1, 0, 0], 48), AddrDenied::Translated),
    (v6([0x2001, 0, 0, 0, 0], 32), AddrDenied::Translated),
    // Benchmarks, ORCHID and the anycast addresses of a network's own helpers (PCP, TURN), with the room between them.
    (v6([0x2001, 0, 0, 0, 0], 23), AddrDenied::Reserved),
    (v6([0x2001, 0xdb8, 0, 0, 0], 32), AddrDenied::Documentation),
    (v6([0x2002, 0, 0, 0, 0], 16), AddrDenied::Translated),
    (v6([0x3fff, 0, 0, 0, 0], 20), AddrDenied::Documentation),
    (v6([0x5f00, 0, 0, 0, 0], 16), AddrDenied::Reserved),
    (v6([0xfc00, 0, 0, 0, 0], 7), AddrDenied::Private),
    (v6([0xfe80, 0, 0, 0, 0], 10), AddrDenied::LinkLocal),
    (v6([0xfec0, 0, 0, 0, 0], 10), AddrDenied::Private),
    (v6([0xff00, 0, 0, 0, 0], 8), AddrDenied::Multicast),
];

fn denied_v4(address: Ipv4Addr) -> Option<AddrDenied> {
    DENIED_V4.iter().find(|(net, _)| net.contains(&address)).map(|(_, class)| *class)
}

fn denied_v6(address: Ipv6Addr) -> Option<AddrDenied> {
    let row = DENIED_V6.iter().find(|(net, _)| net.contains(&address)).map(|(_, class)| *class);
    row.or((!GLOBAL_V6.contains(&address)).then_some(AddrDenied::Reserved))
}

fn is_metadata(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => METADATA_V4.contains(&address),
        IpAddr::V6(address) => METADATA_V6.contains(&address) || wraps_metadata(address),
    }
}

/// Whether a translator could take the address to an IPv4 metadata service. It matters where the operator allows a
/// translator's network, and for translators with a prefix of their own, which no table can list: hence the last four
/// bytes of every address.
fn wraps_metadata(address: Ipv6Addr) -> bool {
    let is_metadata = |high: u16, low: u16| {
        METADATA_V4.contains(&Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
    };
    let [a, b, c, d, e, f, g, h] = address.segments();
    let wrapped = is_metadata(g, h);
    let six_to_four = a == 0x2002 && is_metadata(b, c);
    let teredo = (a, b) == (0x2001, 0) && is_metadata(!g, !h);
    // RFC 6052 §2.2: a prefix of 48 bits has its IPv4 address around byte 8, which is left out.
    let local_nat64 = (a, b, c) == (0x64, 0xff9b, 1) && is_metadata(d, e << 8 | f >> 8);
    wrapped || six_to_four || teredo || local_nat64
}

#[cfg(test)]
mod tests;
