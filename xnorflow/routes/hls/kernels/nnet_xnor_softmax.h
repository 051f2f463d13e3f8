// SPDX-License-Identifier: MIT
// Probabilities of scores; the largest belongs to the class of the scores, however near the next one is.

#ifndef NNET_XNOR_SOFTMAX_H_
#define NNET_XNOR_SOFTMAX_H_

#include "nnet_xnor_convert.h"

namespace nnet {

struct xnor_softmax_config {
    static const unsigned n_in = 1;           // scores of one softmax
    static const unsigned n_vectors = 1;      // softmaxes per image
    static const bool is_signed = true;       // whether scores have a sign
    static const unsigned coarser = 0;        // fraction bits of the scores that the table leaves out
    static const unsigned exp_size = 1;       // entries of exp(-x)
    static const unsigned exp_bits = 12;      // their fraction bits
    static const unsigned inverse_size = 2;   // entries of 1 / x from 1 to 2, a power of 2
    static const unsigned index_bits = 1;     // its exponent
    static const unsigned inverse_bits = 17;  // their fraction bits
    static const unsigned most_halvings = 0;  // until any sum lies between 1 and 2
    static const unsigned fraction_bits = 16; // of a probability
};

// The entry of exp(-x) for a score that lies so far below the largest; the last entry is 0.
template <typename CONFIG_T, unsigned W> unsigned exp_entry(ap_uint<W> below) {
    #pragma HLS INLINE
    ap_uint<W + 1> entry = below;
    if (CONFIG_T::coarser > 0)
        entry += ap_uint<W + 1>(1) << (CONFIG_T::coarser - (CONFIG_T::coarser > 0));
    entry >>= CONFIG_T::coarser;
    return entry < CONFIG_T::exp_size ? unsigned(entry) : CONFIG_T::exp_size - 1;
}

// 1 / sum as an entry of the table that is still to be halved as often as it says.
template <typename CONFIG_T, unsigned W>
typename CONFIG_T::inverse_t inverse_of(ap_uint<W> sum, unsigned &halvings,
                                        typename CONFIG_T::inverse_t inverse[CONFIG_T::inverse_size]) {
    #pragma HLS INLINE
    halvings = 0;
    for (unsigned k = 0; k < CONFIG_T::most_halvings; k++) {
        #pragma HLS UNROLL
        if ((sum >> (CONFIG_T::exp_bits + 1)) != 0) {
            sum >>= 1;
            halvings++;
        }
    }
    const unsigned step = CONFIG_T::exp_bits - CONFIG_T::index_bits;
    unsigned entry = unsigned((sum + (1u << (step - 1))) >> step) - CONFIG_T::inverse_size;
    return inverse[entry < CONFIG_T::inverse_size ? entry : CONFIG_T::inverse_size - 1];
}

template <typename CONFIG_T, class value_T, class source_T, class sink_T>
void softmax_of(source_T scores, sink_T res, unsigned first, typename CONFIG_T::exp_t exponential[CONFIG_T::exp_size],
                typename CONFIG_T::inverse_t inverse[CONFIG_T::inverse_size]) {
    #pragma HLS INLINE
    typedef ap_uint<value_T::width> bits_t;
    bits_t top = 0;
    typename CONFIG_T::exp_t terms[CONFIG_T::n_in];
    ap_uint<CONFIG_T::exp_bits + 2 + CONFIG_T::most_halvings> sum = 0;
Largest:
    for (unsigned i = 0; i < CONFIG_T::n_in; i++) {
        #pragma HLS PIPELINE II=1
        bits_t score = planes_of<value_T::width, CONFIG_T::is_signed>(scores[first + i]);
        if (score > top)
            top = score;
    }
Terms:
    for (unsigned i = 0; i < CONFIG_T::n_in; i++) {
        #pragma HLS PIPELINE II=1
        bits_t below = top - planes_of<value_T::width, CONFIG_T::is_signed>(scores[first + i]);
        terms[i] = exponential[exp_entry<CONFIG_T, value_T::width>(below)];
        sum += terms[i];
    }
    unsigned halvings = 0;
    const typename CONFIG_T::inverse_t factor =
        inverse_of<CONFIG_T, CONFIG_T::exp_bits + 2 + CONFIG_T::most_halvings>(sum, halvings, inverse);
    const unsigned cut = CONFIG_T::exp_bits + CONFIG_T::inverse_bits - CONFIG_T::fraction_bits;
    const ap_uint<CONFIG_T::fraction_bits + 1> most =
        (ap_uint<CONFIG_T::exp_bits + CONFIG_T::inverse_bits + 2>(factor) << CONFIG_T::exp_bits) >> (cut + halvings);
Shares:
    for (unsigned i = 0; i < CONFIG_T::n_in; i++) {
        #pragma HLS PIPELINE II=1
        ap_uint<CONFIG_T::fraction_bits + 1> share =
            (ap_uint<CONFIG_T::exp_bits + CONFIG_T::inverse_bits + 2>(factor) * terms[i]) >> (cut + halvings);
        bits_t score = planes_of<value_T::width, CONFIG_T::is_signed>(scores[first + i]);
        if (score != top && share == most)
            share = most - 1;
        ap_ufixed<CONFIG_T::fraction_bits + 1, 1> probability;
        probability.range(CONFIG_T::fraction_bits, 0) = share;
        res[first + i] = probability;
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void xnor_softmax(data_T data[CONFIG_T::n_vectors * CONFIG_T::n_in], res_T res[CONFIG_T::n_vectors * CONFIG_T::n_in],
                  typename CONFIG_T::exp_t exponential[CONFIG_T::exp_size],
                  typename CONFIG_T::inverse_t inverse[CONFIG_T::inverse_size]) {
Vectors:
    for (unsigned i = 0; i < CONFIG_T::n_vectors; i++)
        softmax_of<CONFIG_T, data_T, data_T *, res_T *>(data, res, i * CONFIG_T::n_in, exponential, inverse);
}

template <class data_T, class res_T, typename CONFIG_T>
void xnor_softmax(hls::stream<data_T> &data, hls::stream<res_T> &res,
                  typename CONFIG_T::exp_t exponential[CONFIG_T::exp_size],
                  typename CONFIG_T::inverse_t inverse[CONFIG_T::inverse_size]) {
Vectors:
    for (unsigned i = 0; i < CONFIG_T::n_vectors; i++) {
        data_T scores = data.read();
        res_T shares;
        softmax_of<CONFIG_T, typename data_T::value_type, data_T &, res_T &>(scores, shares, 0, exponential, inverse);
        res.write(shares);
    }
}

} // namespace nnet

#endif
