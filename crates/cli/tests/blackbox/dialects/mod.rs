//! The vendors' own management APIs, asked as their users ask.

mod alvys;
mod aly;
