"""The HLS route: NetSpec + BuildConfig -> hls4ml project. The only place that knows hls4ml."""
