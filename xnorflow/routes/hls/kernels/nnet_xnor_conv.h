// SPDX-License-Identifier: MIT
// The windows of a convolution, convolutions, and max-pooling of their bits.

#ifndef NNET_XNOR_CONV_H_
#define NNET_XNOR_CONV_H_

#include "nnet_xnor_dense.h"

namespace nnet {

// The inputs of every output pixel, in the order height, width, channel. Pixels come row by row.
template <typename CONFIG_T, class source_T>
void xnor_windows(source_T data, hls::stream<packed<CONFIG_T::n_in, CONFIG_T::planes> > &vectors) {
    typedef packed<CONFIG_T::in_chan, CONFIG_T::planes> pixel_t;
    const unsigned height = CONFIG_T::filt_height;
    const unsigned width = CONFIG_T::filt_width;
    const unsigned channels = CONFIG_T::in_chan;
    // the rows above the one that comes in, oldest first
    pixel_t lines[height > 1 ? height - 1 : 1][CONFIG_T::in_width];
    #pragma HLS ARRAY_PARTITION variable=lines complete dim=1
    pixel_t window[height][width];
    #pragma HLS ARRAY_PARTITION variable=window complete dim=0
    unsigned next_row = height - 1;

Rows:
    for (unsigned row = 0; row < CONFIG_T::in_height; row++) {
        unsigned next_column = width - 1;
    Columns:
        for (unsigned column = 0; column < CONFIG_T::in_width; column++) {
            #pragma HLS PIPELINE II=1
            pixel_t pixel = read_word(data, row * CONFIG_T::in_width + column);
            for (unsigned i = 0; i < height; i++) {
                #pragma HLS UNROLL
                for (unsigned j = 0; j + 1 < width; j++) {
                    #pragma HLS UNROLL
                    window[i][j] = window[i][j + 1];
                }
                if (i + 1 == height) {
                    window[i][width - 1] = pixel;
                } else {
                    window[i][width - 1] = lines[i][column];
                }
            }
            for (unsigned i = 0; i + 1 < height; i++) {
                #pragma HLS UNROLL
                lines[i][column] = window[i + 1][width - 1];
            }
            if (row == next_row && column == next_column) {
                packed<CONFIG_T::n_in, CONFIG_T::planes> vector;
                for (unsigned k = 0; k < height * width; k++) {
                    #pragma HLS UNROLL
                    for (unsigned b = 0; b < CONFIG_T::planes; b++) {
                        #pragma HLS UNROLL
                        vector.plane[b].range(k * channels + channels - 1, k * channels) =
                            window[k / width][k % width].plane[b];
                    }
                }
                vectors.write(vector);
            }
            if (column == next_column)
                next_column += CONFIG_T::stride_width;
        }
        if (row == next_row)
            next_row += CONFIG_T::stride_height;
    }
}

template <typename CONFIG_T, class source_T, class sink_T>
void xnor_convolution(source_T data, sink_T res,
                      typename CONFIG_T::weight_t weights[CONFIG_T::reuse_factor * CONFIG_T::pe],
                      typename CONFIG_T::accum_t starts[CONFIG_T::n_out]) {
    #pragma HLS INLINE
    typedef packed<CONFIG_T::n_in, CONFIG_T::planes> vector_t;
    hls::stream<vector_t> vectors("vectors");
    // one vector at work and one waiting: the windows stop while the products take longer
    #pragma HLS STREAM variable=vectors depth=2
    xnor_windows<CONFIG_T, source_T>(data, vectors);
    xnor_products<CONFIG_T, hls::stream<vector_t> &, sink_T>(vectors, res, weights, starts);
}

template <class data_T, class res_T, typename CONFIG_T>
void xnor_conv_2d(data_T data[CONFIG_T::in_height * CONFIG_T::in_width], res_T *res,
                  typename CONFIG_T::weight_t weights[CONFIG_T::reuse_factor * CONFIG_T::pe],
                  typename CONFIG_T::accum_t starts[CONFIG_T::n_out]) {
    #pragma HLS DATAFLOW
    xnor_convolution<CONFIG_T, data_T *, res_T *>(data, res, weights, starts);
}

template <class data_T, class res_T, typename CONFIG_T>
void xnor_conv_2d(hls::stream<data_T> &data, hls::stream<res_T> &res,
                  typename CONFIG_T::weight_t weights[CONFIG_T::reuse_factor * CONFIG_T::pe],
                  typename CONFIG_T::accum_t starts[CONFIG_T::n_out]) {
    #pragma HLS DATAFLOW
    xnor_convolution<CONFIG_T, hls::stream<data_T> &, hls::stream<res_T> &>(data, res, weights, starts);
}

// Max-pooling on bits of +1/-1 is OR; a channel whose BatchNorm falls comes out inverted, after its pooling.
template <typename CONFIG_T, class source_T, class sink_T>
void xnor_or(source_T data, sink_T res, ap_uint<1> invert[CONFIG_T::n_chan]) {
    #pragma HLS INLINE
    const unsigned height = CONFIG_T::pool_height;
    const unsigned width = CONFIG_T::pool_width;
    ap_uint<CONFIG_T::n_chan> inverted;
    for (unsigned k = 0; k < CONFIG_T::n_chan; k++) {
        #pragma HLS UNROLL
        inverted[k] = invert[k];
    }
    ap_uint<CONFIG_T::n_chan> columns[CONFIG_T::out_width];
    unsigned in_pool_row = 0;
    unsigned pixel = 0;

Rows:
    for (unsigned row = 0; row < CONFIG_T::in_height; row++) {
        unsigned in_pool_column = 0;
        unsigned out_column = 0;
    Columns:
        for (unsigned column = 0; column < CONFIG_T::in_width; column++) {
            #pragma HLS PIPELINE II=1
            packed<CONFIG_T::n_chan, 1> word = read_word(data, row * CONFIG_T::in_width + column);
            // rows and columns that fill no pool are left out
            if (row < CONFIG_T::out_height * height && column < CONFIG_T::out_width * width) {
                ap_uint<CONFIG_T::n_chan> any = word.plane[0];
                if (in_pool_row > 0 || in_pool_column > 0)
                    any |= columns[out_column];
                columns[out_column] = any;
                if (in_pool_row == height - 1 && in_pool_column == width - 1) {
                    word.plane[0] = any ^ inverted;
                    write_word(res, pixel, word);
                    pixel++;
                }
                if (in_pool_column == width - 1) {
                    in_pool_column = 0;
                    out_column++;
                } else {
                    in_pool_column++;
                }
            }
        }
        in_pool_row = in_pool_row == height - 1 ? 0 : in_pool_row + 1;
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void xnor_pool_2d(data_T data[CONFIG_T::in_height * CONFIG_T::in_width],
                  res_T res[CONFIG_T::out_height * CONFIG_T::out_width], ap_uint<1> invert[CONFIG_T::n_chan]) {
    #pragma HLS ARRAY_PARTITION variable=invert complete
    xnor_or<CONFIG_T, data_T *, res_T *>(data, res, invert);
}

template <class data_T, class res_T, typename CONFIG_T>
void xnor_pool_2d(hls::stream<data_T> &data, hls::stream<res_T> &res, ap_uint<1> invert[CONFIG_T::n_chan]) {
    #pragma HLS ARRAY_PARTITION variable=invert complete
    xnor_or<CONFIG_T, hls::stream<data_T> &, hls::stream<res_T> &>(data, res, invert);
}

} // namespace nnet

#endif
