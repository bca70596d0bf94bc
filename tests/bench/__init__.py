"""Benchmarks: `make bench`. Figures beside references of the same run; never part of the tests."""
