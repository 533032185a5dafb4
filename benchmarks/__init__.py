"""How fast unbroken is, beside its peers and beside itself: seeded workloads, one clock, ratios."""
