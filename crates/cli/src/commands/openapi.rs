//! `hookyard openapi [SURFACE]`.

use crate::exit::Exit;
use crate::output;

/// Arguments of `openapi`.
#[derive(clap::Args)]
pub struct Args {
    /// Which API
    #[arg(default_value = "native")]
    surface: Surface,
}

/// The APIs that have a document.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Surface {
    /// Hookyard's own, `/v1`
    Native,
    /// Aly's, `/api/storefront/v1/merchant/webhooks`
    Aly,
    /// Alvys's, `/api/p/v3/webhooks`
    Alvys,
    /// Alumia's, `/api/v1/webhooks`
    Alumia,
}

/// Prints the document.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let document = match args.surface {
        Surface::Native => hookyard_http::native::openapi::document_json(),
        Surface::Aly => hookyard_http::dialects::aly::openapi::document_json(),
        Surface::Alvys => hookyard_http::dialects::alvys::openapi::document_json(),
        Surface::Alumia => hookyard_http::dialects::alumia::openapi::document_json(),
    };
    output::say(document.trim_end());
    Ok(Exit::Ok)
}
