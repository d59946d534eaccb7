"""The workloads: one file each, with a `run` that measures and adds its rows."""
