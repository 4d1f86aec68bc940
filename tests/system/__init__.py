"""Tests that need root: full and read-only disks, strace, missing rights, power cuts."""
