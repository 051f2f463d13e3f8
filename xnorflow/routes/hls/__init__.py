"""NetSpec to an hls4ml project, and its C simulation."""
