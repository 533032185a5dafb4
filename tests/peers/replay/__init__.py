"""Other libraries that keep an answer when its reader leaves, under the same faults as ours."""
