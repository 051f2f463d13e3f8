"""The HLS route: NetSpec + BuildConfig -> hls4ml project, with its kernels or ours (``xnorflow.xnor``)."""
