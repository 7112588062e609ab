//! Parts of calls.

use super::encoded;

#[test]
fn what_is_not_unreserved_is_encoded() {
    assert_eq!(encoded("a b/ü~"), "a%20b%2F%C3%BC~");
}
