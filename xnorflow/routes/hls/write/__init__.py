"""The HLS project, written by hls4ml and checked."""
