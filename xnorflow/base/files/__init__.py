"""Reading and writing files: whole or absent, bounded, safe."""
