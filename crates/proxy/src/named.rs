//! Fields that a `Connection` field names: they are for one hop alone (RFC 9110 section 7.6.1), whoever sent them.

use portcullis_h1::{Fields, Known, members};

/// The names that the `Connection` fields of a message list.
pub(crate) struct Named<'a>(Option<Fields<'a>>);

// === impl Named ===

impl<'a> Named<'a> {
    pub(crate) fn by(fields: Fields<'a>) -> Self {
        let is_option =
            |member: &[u8]| member.eq_ignore_ascii_case(b"close") || member.eq_ignore_ascii_case(b"keep-alive");
        let any = fields.all(Known::Connection).flat_map(members).any(|member| !is_option(member));
        Self(any.then_some(fields))
    }

    pub(crate) fn holds(&self, name: &[u8]) -> bool {
        // Naming a field that carries a credential or a type would hide it from the upstream after we have judged
        // by it; such names are not a connection's to take away.
        let keeps = matches!(
            Known::of(name),
            Known::Authorization | Known::ContentType | Known::Cookie | Known::Origin | Known::Accept
        );
        let Some(fields) = self.0.filter(|_| !keeps) else { return false };
        fields.all(Known::Connection).flat_map(members).any(|member| member.eq_ignore_ascii_case(name))
    }
}
