//! A rule engine for the OWASP Core Rule Set.
