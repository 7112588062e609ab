//! What can be prepared for the console.

use clap::Subcommand;

#[derive(Subcommand, Debug)]
pub(crate) enum AdminCommand {
    /// Make of a password what stands in `admin.users`: a hash by Argon2id
    ///
    /// The password is the first line of standard input; on a terminal it is asked for twice and not shown. It has at least 12
    /// characters.
    Password,
}
