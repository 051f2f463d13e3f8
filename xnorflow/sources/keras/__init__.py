"""Networks of QKeras."""
