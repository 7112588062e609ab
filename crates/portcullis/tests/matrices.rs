//! Who may do what with two real APIs, by their contracts and a few rules. The contracts are not ours and are not here; what is
//! compared is our answer about them.

use crate::support::{folder, golden, portcullis};
use std::path::Path;

fn check(name: &str, contract: &str, authz: &str) {
    let folder = folder(&format!("matrix-{name}"));
    let contract = portcullis_testkit::suite::folder("openapi").join(contract);
    let text = format!(
        "version: 1\n\
         listeners: {{ public: {{ bind: '127.0.0.1:0' }} }}\n\
         issuers: {{ corp: {{ issuer: 'https://idp.example.com', audiences: [{name}], jwks: {{ uri: 'https://idp.example.com/jwks' }} }} }}\n\
         apis:\n  {name}:\n    hosts: ['*']\n    openapi: '{}'\n    upstream: {{ targets: ['http://127.0.0.1:9'] }}\n    \
         authn: {{ any_of: [{{ jwt: {{ issuers: [corp] }} }}, anonymous] }}\n    authz:\n{authz}",
        contract.display()
    );
    std::fs::write(folder.join("portcullis.yaml"), text).expect("the folder can be written");
    let output = portcullis(&folder, &["access", "matrix", "-c", "portcullis.yaml"]).output().expect("it runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!((output.status.code(), err.as_ref()), (Some(0), ""), "{out}");
    golden(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/snapshots/matrix-{name}.txt")), &out);
}

#[test]
fn of_vampi() {
    let rules = "      rules:
        - { operations: [api_views.main.populate_db, api_views.users.debug], roles: [admin] }
        - { operations: [api_views.main.basic, api_views.users.register_user, api_views.users.login_user], callers: anybody }
        - { operations: [api_views.users.get_all_users], roles: [support, admin] }
        - { operations: [api_views.users.get_by_username], owner: path.username == principal.sub }
        - { operations: [api_views.users.get_by_username], roles: [support, admin] }
        - { operations: [api_views.users.me, api_views.books.add_new_book, api_views.books.get_by_title], roles: [user, admin] }
        - { operations: [api_views.users.update_email, api_views.users.update_password], roles: [user], owner: path.username == principal.sub }
        - { operations: [api_views.users.delete_user], roles: [admin] }
        - { operations: [api_views.books.get_all_books], callers: anybody }
        - { operations: [api_views.books.add_new_book], effect: refuse, roles: [suspended] }
      protected_fields:
        - { operations: [api_views.users.register_user], fields: ['$..admin'], unless_roles: [admin] }
";
    check("vampi", "vampi.yaml", rules);
}

#[test]
fn of_crapi() {
    let rules = "      rules:
        - operations: [signup, login, forgot_password, check_otp_v2, check_otp_v3, login_with_token, login_with_token_v2_7, mechanic_signup, get_workshop_qr_code]
          callers: anybody
        - operations: [reset_password, change_email, verify_email_token, get_dashboard, update_profile_pic, upload_profile_video, get_vehicles, add_vehicle, vehicle_resend_email, get_post, create_post, post_comment, get_recent_posts, validate_coupon, get_products, create_order, get_orders, return_order, apply_coupon, contact_mechanic]
          roles: [user]
        - { operations: [get_profile_video, update_profile_video, delete_profile_video, get_location, get_order_byID, update_order], roles: [user] }
        - { operations: [get_mechanics, get_service_requests_for_mechanic, get_report_byID], roles: [mechanic] }
        - { operations: [create_service_report], roles: [mechanic], networks: [10.0.0.0/8] }
        - { operations: [admin_delete_profile_video, add_new_coupon, add_new_product, get_workshop_users_all], roles: [admin] }
        - { operations: [get_post, get_recent_posts], scopes: ['community:read'] }
        - { operations: [contact_mechanic], effect: refuse, roles: [blocked] }
      protected_fields:
        - { operations: [update_order], fields: ['$.status'], unless_roles: [mechanic, admin] }
        - { operations: [update_order], fields: ['$.quantity'], mode: observe }
      learned:
        objects:
          order: { shown: { get_orders: '$.orders[*].id' }, asked: { get_order_byID: path.order_id, update_order: path.order_id } }
          vehicle: { shown: { get_vehicles: '$[*].uuid' }, asked: { get_location: path.vehicleId } }
";
    check("crapi", "crapi.json", rules);
}
