//! Tells a service manager that the receiver is ready (`sd_notify(3)`).

/// Says so, where somebody waits to hear it. Nobody does where no manager has started it.
#[cfg(unix)]
pub(crate) fn tell() {
    use std::os::unix::net::UnixDatagram;
    let Some(name) = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else { return };
    let Ok(socket) = UnixDatagram::unbound() else { return };
    let ready = b"READY=1";
    // A manager that does not hear it ends the service after its own time, and says so.
    #[cfg(target_os = "linux")]
    if let Some(name) = std::os::unix::ffi::OsStrExt::as_bytes(name.as_os_str()).strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt;
        if let Ok(address) = std::os::unix::net::SocketAddr::from_abstract_name(name) {
            let _ = socket.send_to_addr(ready, &address);
        }
        return;
    }
    let _ = socket.send_to(ready, name);
}

/// No service manager waits to hear it.
#[cfg(not(unix))]
pub(crate) fn tell() {}
