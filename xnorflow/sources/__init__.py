"""Where images and networks come from."""
