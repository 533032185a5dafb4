"""The sans-IO core: no I/O, no clock, no threads; bytes and `now` in, values out."""
