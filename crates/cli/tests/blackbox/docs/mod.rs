//! The manual, held to what it says: its lines are run, its programs verify, its examples are what is sent.

mod page;
mod profiles;
mod quick_start;
mod snippets;
mod verifying;
