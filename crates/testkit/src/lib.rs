//! What the tests of Portcullis share.
