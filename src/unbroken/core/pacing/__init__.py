"""Text at a human pace: tokens joined to words, lines or sentences, and bursts spread. Loaded where it is asked for."""
