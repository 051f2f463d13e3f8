"""What every room uses: errors, checks, files, processes, the part."""
