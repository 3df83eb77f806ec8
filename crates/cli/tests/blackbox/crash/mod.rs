//! What is left after a crash, a stop, a full disk: everything that was acknowledged, nothing twice without a reason.

mod corners;
pub mod dice;
mod full;
mod load;
mod rounds;
mod stop;
