//! Paths as reports show them, and memory that stays within its bounds.

use super::shape::shape;
use super::{Lore, SHADOWS_MAX, STRANGERS_MAX, Stranger};

#[test]
fn what_looks_like_data_is_not_shown() {
    for (path, expected) in [
        ("/", "/"),
        ("/users", "/users"),
        ("/v1/users/17/", "/v1/users/{}/"),
        ("/.git/config", "/.git/config"),
        ("/users/3f2504e0-4f89-11d3-9a0c-0305e82c3301", "/users/{}"),
        ("/keys/deadbeefcafe", "/keys/{}"),
        ("/users/ada@example.com/mail", "/users/{}/mail"),
        ("/t/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "/t/{}"),
        ("/a%20b/c", "/{}/c"),
        ("/1/2/3/4/5/6/7/8/9/10/11/12/13", "/{}/{}/{}/{}/{}/{}/{}/{}/{}/{}/{}/{}/…"),
    ] {
        assert_eq!(shape(path), expected, "{path}");
    }
}

#[test]
fn a_flood_of_paths_takes_no_room_from_what_is_called_often() {
    let mut lore = Lore::default();
    for round in 0..10 {
        lore.shadow(("GET", "/real".to_owned()), round);
    }
    for path in 0..10 * SHADOWS_MAX as u64 {
        lore.shadow(("GET", format!("/x/{path}")), 100 + path);
    }
    assert_eq!(lore.shadows.len(), SHADOWS_MAX);
    assert_eq!(lore.shadows[&("GET", "/real".to_owned())].count, 10);
    assert_eq!(lore.missed, 9 * SHADOWS_MAX as u64 + 1);
}

#[test]
fn members_are_told_apart_up_to_a_bound() {
    let mut lore = Lore::default();
    for name in 0..2 * STRANGERS_MAX {
        lore.stranger((0, 200, Stranger { place: format!("/{name}"), kind: "string" }), 1);
        lore.stranger((0, 200, Stranger { place: "/0".to_owned(), kind: "string" }), 2);
    }
    assert_eq!((lore.strangers.len(), lore.missed), (STRANGERS_MAX, STRANGERS_MAX as u64));
}
