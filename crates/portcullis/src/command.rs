//! One function for each command of the command line.

use crate::arguments::{Arguments, Command};
use crate::demo;
use crate::ending::{Ending, Stop};

/// Does what was asked for.
pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Stop> {
    match &arguments.command {
        Command::Demo(demo) => demo::demo(demo),
    }
}
