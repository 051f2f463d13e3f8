"""NetSpec and BuildConfig to an hls4ml project; the only place that knows hls4ml."""
