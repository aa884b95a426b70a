//! The sample account and the preview stand-in are embedded as folders; a file added there must be seen.
fn main() {
    println!("cargo::rerun-if-changed=sample");
    println!("cargo::rerun-if-changed=preview");
}
