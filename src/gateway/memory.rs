//! What the allocator keeps for itself.
//!
//! glibc gives each of many threads an arena of its own, up to eight per core, and learns from every
//! large block it frees to keep the next one. A transfer whose buffers go from thread to thread then
//! costs some 5 MiB where it holds one. So: an arena per core, blocks from 1 MiB on come from the kernel
//! and go back to it (the 19 MiB of a password's hash among them), and what is free at an arena's end
//! goes back in larger portions.

/// To be called before there is a second thread.
pub fn bound() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        set(libc::M_ARENA_MAX, cores.max(2));
        set(libc::M_MMAP_THRESHOLD, 1 << 20);
        set(libc::M_TRIM_THRESHOLD, 8 << 20);
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
fn set(parameter: libc::c_int, value: usize) {
    let Ok(value) = libc::c_int::try_from(value) else { return };
    // SAFETY: it takes two numbers, and no other thread allocates meanwhile. That it may refuse one
    // changes nothing but how much memory is kept.
    unsafe { libc::mallopt(parameter, value) };
}
