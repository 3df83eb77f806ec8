//! The vendors' own management APIs, asked as their users ask.

mod alumia;
mod alvys;
mod aly;
mod aryeo;
mod document;
mod page;
