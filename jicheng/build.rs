//! Tells cargo what is carried inside the program, so that it is built anew when the web
//! application, a declaration or an error page changed. The web's folder is made when it is
//! missing: a folder that appears later would go unnoticed.

fn main() {
    for folder in ["../web/dist", "../systems", "../cities", "../docs/errors"] {
        // Without the folder the program still builds; it then says that the pages are not there.
        let _ = std::fs::create_dir_all(folder);
        println!("cargo:rerun-if-changed={folder}");
    }
}
