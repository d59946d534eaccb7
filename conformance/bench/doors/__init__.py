"""The protocols, as clients speak them: each door builds requests, signed and complete.

All have the same operations, so that a workload names an operation and not a protocol. An operation
that a protocol does not have raises `Absent`, which the table prints.
"""
