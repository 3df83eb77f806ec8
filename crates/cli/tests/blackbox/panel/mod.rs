//! What the dashboard and the portal need of the server: numbers, sessions, links, pages.

mod numbers;
mod pages;
mod portal;
mod sessions;
