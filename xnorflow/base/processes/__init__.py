"""Programs of others, threads and signals."""
