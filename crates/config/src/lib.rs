//! Files into a checked plan, and mistakes into messages.
