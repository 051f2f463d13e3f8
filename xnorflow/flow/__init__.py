"""What is asked for, and the steps that answer it."""
