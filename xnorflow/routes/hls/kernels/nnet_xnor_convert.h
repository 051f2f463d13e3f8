// SPDX-License-Identifier: MIT
// Between packed words and the values of other layers.

#ifndef NNET_XNOR_CONVERT_H_
#define NNET_XNOR_CONVERT_H_

#include "nnet_xnor_packed.h"
#include <vector>

namespace nnet {

// The highest B bits of a number, counted from the lowest number of its type: with B = 1, whether it is >= 0.
template <unsigned B, bool SIGNED, class value_T> ap_uint<B> planes_of(value_T value) {
    #pragma HLS INLINE
    ap_uint<value_T::width> bits = value.range(value_T::width - 1, 0);
    if (SIGNED)
        bits[value_T::width - 1] = !bits[value_T::width - 1];
    return bits >> (value_T::width - B);
}

// n_chan values from the one at first on, as a word.
template <typename CONFIG_T, class source_T, class word_T>
void pack_word(source_T values, unsigned first, word_T &word) {
    #pragma HLS INLINE
    for (unsigned k = 0; k < CONFIG_T::n_chan; k++) {
        #pragma HLS UNROLL
        ap_uint<CONFIG_T::planes> value = planes_of<CONFIG_T::planes, CONFIG_T::is_signed>(values[first + k]);
        for (unsigned b = 0; b < CONFIG_T::planes; b++) {
            #pragma HLS UNROLL
            word.plane[b][k] = value[b];
        }
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void xnor_pack(data_T data[CONFIG_T::n_words * CONFIG_T::n_chan], res_T res[CONFIG_T::n_words]) {
    for (unsigned i = 0; i < CONFIG_T::n_words; i++) {
        #pragma HLS PIPELINE II=1
        res_T word;
        pack_word<CONFIG_T, data_T *, res_T>(data, i * CONFIG_T::n_chan, word);
        res[i] = word;
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void xnor_pack(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    for (unsigned i = 0; i < CONFIG_T::n_words; i++) {
        #pragma HLS PIPELINE II=1
        data_T values = data.read();
        res_T word;
        pack_word<CONFIG_T, data_T &, res_T>(values, 0, word);
        res.write(word);
    }
}

// The bits of a word as n_chan values of +1 or -1, from the one at first on.
template <typename CONFIG_T, class word_T, class sink_T>
void unpack_word(const word_T &word, sink_T values, unsigned first) {
    #pragma HLS INLINE
    for (unsigned k = 0; k < CONFIG_T::n_chan; k++) {
        #pragma HLS UNROLL
        values[first + k] = word.plane[0][k] ? 1 : -1;
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void xnor_unpack(data_T data[CONFIG_T::n_words], res_T res[CONFIG_T::n_words * CONFIG_T::n_chan]) {
    for (unsigned i = 0; i < CONFIG_T::n_words; i++) {
        #pragma HLS PIPELINE II=1
        unpack_word<CONFIG_T, data_T, res_T *>(data[i], res, i * CONFIG_T::n_chan);
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void xnor_unpack(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    for (unsigned i = 0; i < CONFIG_T::n_words; i++) {
        #pragma HLS PIPELINE II=1
        data_T word = data.read();
        res_T values;
        unpack_word<CONFIG_T, data_T, res_T &>(word, values, 0);
        res.write(values);
    }
}

#ifndef __SYNTHESIS__
// hls4ml's trace of a layer, a value at a time
template <class data_T, unsigned N, unsigned B>
void save_layer_output(packed<N, B> *data, const char *layer_name, size_t layer_size) {
    std::vector<ap_uint<B> > values(layer_size);
    for (size_t i = 0; i < layer_size; i++)
        values[i] = data[i / N][i % N];
    save_layer_output<ap_uint<B> >(&values[0], layer_name, layer_size);
}
#endif

} // namespace nnet

#endif
