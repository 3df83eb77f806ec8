//! Events to a port of this machine, as a delivery of the gateway would bring them: what `listen` and `events replay
//! --forward-to` share. Start reading at [`Bringer`].

mod bringer;
mod parcel;
mod port;
mod record;
mod state;

pub use self::bringer::{Bringer, say_state};
pub use self::parcel::{Look, Parcel};
pub use self::port::{Answer, Port, Sent, Target};
pub use self::record::{Recorded, record, recorded, told_of, with_payload};
pub use self::state::{Place, State};
