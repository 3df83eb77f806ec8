//! What the dashboard and the portal need of the server: numbers, sessions, links, pages.

mod nodes;
mod numbers;
mod pages;
mod portal;
mod sessions;
