"""The HLS route: NetSpec + HlsSettings -> hls4ml project, with its kernels or ours (``xnorflow.xnor``)."""
