//! Whether a token is in the hands of the one it was issued to. Looked at with every request, whether the token is known or
//! not: what a proof is for is this one request.

use super::Judging;
use crate::pipeline::route::Routed;
use portcullis_auth::Token;
use portcullis_auth::dpop::{Asked, Bound, DpopError, Presented, Proof};
use portcullis_auth::principal::Failure;
use portcullis_auth::web::WebAddress;
use portcullis_config::plan::Dpop;
use portcullis_types::Reason;
use std::rc::Rc;

/// The field in which a proof comes.
const PROOF_FIELD: &[u8] = b"dpop";

/// A token as it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShownToken<'a> {
    pub(super) text: &'a str,
    /// Whether with the scheme `DPoP`, not `Bearer`.
    pub(super) as_dpop: bool,
}

/// What a verified token is bound to; `None` is nothing.
pub(super) fn of(token: &Token) -> Result<Option<Rc<Bound>>, Failure> {
    let bound = Bound::of(token)?;
    Ok((bound != Bound::default()).then(|| Rc::new(bound)))
}

impl Judging<'_> {
    /// Checks what a good token is bound to; `None` is nothing.
    pub(super) fn held(
        &self,
        routed: &Routed<'_>,
        token: ShownToken<'_>,
        bound: Option<&Bound>,
        dpop: Dpop,
    ) -> Result<(), Failure> {
        let unbound = |detail| Failure { reason: Reason::InsufficientBinding, detail };
        let nothing = Bound::default();
        let bound = bound.unwrap_or(&nothing);
        match (dpop, bound.key.is_some()) {
            (Dpop::Off, true) => return Err(unbound("the token is bound to a key, and proofs are not accepted here")),
            (Dpop::Required, false) => return Err(unbound("the token is bound to no key, which it has to be here")),
            (Dpop::Off, false) | (Dpop::Allowed, _) | (Dpop::Required, true) => {}
        }
        // A proof that nobody needs is not looked at: it would take room for nothing.
        let needed = token.as_dpop && bound.key.is_some();
        let proof = if needed { Some(self.proof(routed, token)?) } else { None };
        let certificate = if bound.certificate.is_some() { self.certificate() } else { None };
        let certificate = certificate.and_then(Result::ok);
        bound.admits(Presented {
            as_dpop: token.as_dpop,
            proof: proof.as_ref().map(|proof| proof.thumbprint.as_str()),
            certificate: certificate.map(|certificate| &certificate.sha256),
        })
    }

    fn proof(&self, routed: &Routed<'_>, token: ShownToken<'_>) -> Result<Proof, Failure> {
        let failure = |error: DpopError| Failure { reason: error.reason(), detail: error.detail() };
        let request = routed.request;
        let fields = request.head.fields();
        let lines = fields.iter().filter(|line| line.name.eq_ignore_ascii_case(PROOF_FIELD)).take(2);
        let lines: Option<Vec<&str>> = lines.map(|line| std::str::from_utf8(line.value).ok()).collect();
        let lines = lines.ok_or_else(|| failure(DpopError::Malformed))?;
        let method = std::str::from_utf8(request.head.method()).map_err(|_| failure(DpopError::Method))?;
        // The address as the client knows it: its scheme, which a listed proxy may tell, the host that it asked for, and
        // the one path that every stage sees.
        let authority = std::str::from_utf8(request.head.authority()).map_err(|_| failure(DpopError::Address))?;
        let address = WebAddress::of_request(request.client.secure, authority, request.target.path());
        let address = address.ok_or_else(|| failure(DpopError::Address))?;
        let asked = Asked { method, address: &address, token: token.text };
        let replays = self.bench.identity.replays().ok_or_else(|| failure(DpopError::NoRoom))?;
        Proof::verify(&lines, &self.snapshot.callers.proofs, asked, replays, self.bench.now).map_err(failure)
    }
}
