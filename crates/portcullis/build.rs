//! Writes down what the program is made of: a list for the program itself, and the same in the form that scanners read from
//! binaries (`.dep-v0`, compressed JSON, as `cargo auditable` writes it).
//!
//! Rust code can name a section only in an `unsafe` attribute, which this workspace does not have; so the C compiler, which the
//! cryptography needs anyway, makes an object of three lines of assembly, and the linker puts it in.
#![allow(clippy::print_stdout, reason = "this is how cargo is spoken to")]

#[path = "build/dependencies.rs"]
mod dependencies;

use dependencies::Graph;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const ASSEMBLY: &str = "\
.section .dep-v0,\"a\"
.globl portcullis_dependencies
portcullis_dependencies:
.incbin \"FILE\"
";

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("../..");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build/dependencies.rs");
    println!("cargo::rerun-if-changed=Cargo.toml");
    println!("cargo::rerun-if-changed={}", root.join("Cargo.lock").display());
    let lock = fs::read_to_string(root.join("Cargo.lock"))?;
    let all = tree("normal,build")?;
    let inside = tree("normal,no-proc-macro")?;
    let graph = Graph::read(&all, &inside, &lock)?;
    let out = PathBuf::from(variable("OUT_DIR")?);
    fs::write(out.join("dependencies.json"), graph.own())?;
    let section = out.join("dependencies.z");
    fs::write(&section, miniz_oxide::deflate::compress_to_vec_zlib(graph.auditable().as_bytes(), 9))?;
    if variable("CARGO_CFG_TARGET_OS")? == "linux" {
        let assembly = out.join("dependencies.s");
        let name = section.to_str().ok_or("the folder of the build has a name that is no text")?;
        fs::write(&assembly, ASSEMBLY.replace("FILE", &name.replace('\\', "\\\\").replace('"', "\\\"")))?;
        for object in cc::Build::new().file(assembly).try_compile_intermediates()? {
            println!("cargo::rustc-link-arg-bins={}", object.display());
        }
        // The linker leaves out what nothing points to.
        println!("cargo::rustc-link-arg-bins=-Wl,--undefined=portcullis_dependencies");
    }
    Ok(())
}

/// What cargo says that the program is built from, for the machine that it is built for.
fn tree(edges: &str) -> Result<String, Box<dyn Error>> {
    let mut cargo = Command::new(variable("CARGO")?);
    cargo.args([
        "tree",
        "--locked",
        "--offline",
        "--package",
        "portcullis",
        "--prefix",
        "depth",
        "--format",
        " {p}|{l}",
    ]);
    cargo.args(["--edges", edges, "--target", &variable("TARGET")?]);
    // What was set for this build is not about that question.
    cargo.env_remove("RUSTC_WORKSPACE_WRAPPER").current_dir(variable("CARGO_MANIFEST_DIR")?);
    let output = cargo.output()?;
    if !output.status.success() {
        return Err(format!("cargo tree: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[expect(clippy::disallowed_methods, reason = "this is how cargo speaks to a build script")]
fn variable(name: &str) -> Result<String, Box<dyn Error>> {
    env::var(name).map_err(|error| format!("{name}: {error}").into())
}
