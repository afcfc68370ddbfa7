"""Numba kernels: arrays in, arrays out. They read no clock and keep no state of their own."""
