//! Callers who sign their requests (RFC 9421), and what their signature says about the body.

use super::{Ground, Judging};
use crate::pipeline::route::{Announced, Routed};
use portcullis_auth::principal::{Failure, Outcome, Principal, Scheme};
use portcullis_auth::signature::{DigestCheck, Message, SignatureError, Signed};
use portcullis_h1::{Fields, Framing};
use portcullis_types::{Reason, Refusal, Stage};
use std::rc::Rc;

/// Whether a request carries anything of a signature.
pub(super) fn is_shown(fields: Fields<'_>) -> bool {
    let named = |name: &[u8]| name.eq_ignore_ascii_case(b"signature") || name.eq_ignore_ascii_case(b"signature-input");
    fields.iter().any(|line| named(line.name))
}

impl Judging<'_> {
    /// Whose signature a request carries. Asked once for a request, however often the rest of it is looked at: what was
    /// used once would be a replay the second time.
    pub(super) fn signed(&self, routed: &Routed<'_>) -> Outcome {
        if let Some(outcome) = self.ground.signed.borrow().as_ref() {
            return outcome.clone();
        }
        let outcome = match self.signer(routed) {
            Ok(Some(principal)) => Outcome::Proved(Rc::new(principal)),
            Ok(None) => Outcome::Absent,
            Err(error) => Outcome::Failed(Failure { reason: error.reason(), detail: error.detail() }),
        };
        *self.ground.signed.borrow_mut() = Some(outcome.clone());
        outcome
    }

    fn signer(&self, routed: &Routed<'_>) -> Result<Option<Principal>, SignatureError> {
        let request = routed.request;
        let Some(signing) = self.demands.signing.as_ref().filter(|_| is_shown(request.head.fields())) else {
            return Ok(None);
        };
        let text = |bytes| std::str::from_utf8(bytes).map_err(|_| SignatureError::Component);
        let fields: Result<Vec<(&str, &[u8])>, _> =
            request.head.fields().iter().map(|line| Ok((text(line.name)?, line.value))).collect();
        let fields = fields?;
        // As it came, before anything was made canonical: that is what was signed.
        let target = text(request.head.origin_target())?;
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let message = Message {
            method: text(request.head.method())?,
            secure: request.client.secure,
            authority: text(request.head.authority())?,
            path,
            query,
            fields: &fields,
            has_body: has_body(request.head.framing()),
        };
        let signed = match Signed::find(&message, &signing.rules) {
            Ok(signed) => signed,
            // One for another application is none, but half of one is no signature that could be passed over.
            Err(SignatureError::Missing) if signing.rules.tag.is_some() => return Ok(None),
            Err(SignatureError::Missing) => return Err(SignatureError::Malformed),
            Err(error) => return Err(error),
        };
        let signer = self.ground.snapshot.callers.signers.find(signed.key_id());
        let signer = signer.filter(|signer| signing.signers.contains(&signer.name)).ok_or(SignatureError::NoKey)?;
        let replays = self.bench.identity.replays().ok_or(SignatureError::NoRoom)?;
        let key = (signer.key.0, &signer.key.1);
        signed.verify(&message, &signing.rules, key, replays, self.bench.now)?;
        Ok(Some(Principal {
            scheme: Scheme::Signature,
            id: signer.name.to_string(),
            username: None,
            credential: signed.key_id().to_owned(),
            issuer: None,
            scopes: signer.scopes.clone(),
            roles: signer.roles.clone(),
            claims: Default::default(),
            expires_at: None,
        }))
    }
}

/// What a good signature says about the body, to be checked before anything is acted upon.
pub(super) fn announce(routed: &mut Routed<'_>, ground: &Ground<'_>) -> Result<(), Refusal> {
    if !matches!(&*ground.signed.borrow(), Some(Outcome::Proved(_))) || !has_body(routed.request.head.framing()) {
        return Ok(());
    }
    let crate::snapshot::access::Access::Demand(demands) = &routed.route().access else { return Ok(()) };
    let Some(signing) = &demands.signing else { return Ok(()) };
    let refuse = || {
        let reason = Reason::DigestMismatch;
        Refusal::new(Stage::Identify, reason, reason.page().caller)
    };
    let fields = routed.request.head.fields();
    let lines = fields.iter().filter(|line| line.name.eq_ignore_ascii_case(b"content-digest"));
    let lines: Vec<&[u8]> = lines.map(|line| line.value).collect();
    let joined = lines.join(&b", "[..]);
    let field = std::str::from_utf8(&joined).map_err(|_| refuse())?;
    let check = DigestCheck::parse(field).map_err(|error| refuse().private(error.to_string()))?;
    routed.announced = Some(Box::new(Announced { check, bytes_max: signing.body_bytes }));
    Ok(())
}

fn has_body(framing: Framing) -> bool {
    !matches!(framing, Framing::None | Framing::Length(0))
}
