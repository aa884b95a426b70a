//! The sample account, the preview stand-in and the console are embedded as folders; a file added there must be seen.
fn main() {
    println!("cargo::rerun-if-changed=sample");
    println!("cargo::rerun-if-changed=preview");
    println!("cargo::rerun-if-changed=src/control/page");
}
