// SPDX-License-Identifier: MIT
// One cycle of a folded layer, products of its whole weight matrix, and dense layers.

#ifndef NNET_XNOR_DENSE_H_
#define NNET_XNOR_DENSE_H_

#include "nnet_xnor_packed.h"

namespace nnet {

// What a product's configuration holds; a generated one derives from it and names its own sizes and types.
struct xnor_config {
    typedef ap_uint<1> weight_t;        // simd weights of one neuron, 1 for +1, first input lowest
    typedef ap_int<2> accum_t;          // accumulator and start value, signed; a hidden neuron is +1 at 0 or above
    typedef packed<1, 1> word_t;        // what the layer gives: a packed word, or an array of sums
    static const unsigned n_in = 1;     // inputs of a neuron
    static const unsigned n_out = 1;    // neurons
    static const unsigned n_chan = 1;   // values in one word of the input
    static const unsigned n_words = 1;  // words of the input
    static const unsigned n_vectors = 1; // products of the whole matrix per image
    static const unsigned planes = 1;   // bits of one input value
    static const unsigned pe = 1;       // neurons per cycle
    static const unsigned simd = 1;     // inputs of each per cycle
    static const unsigned reuse_factor = 1; // (n_in / simd) * (n_out / pe)
    static const unsigned shift = 0;     // a hit counts 2^shift
    static const bool rom_in_bram = false; // whether the weights stand in block RAM, else in LUT RAM
    // of convolutions only
    static const unsigned in_chan = 1;       // channels of a pixel
    static const unsigned in_height = 1;     // lines of the image
    static const unsigned in_width = 1;      // pixels of a line
    static const unsigned filt_height = 1;   // lines of the kernel
    static const unsigned filt_width = 1;    // columns of the kernel
    static const unsigned stride_height = 1; // vertical step, in pixels
    static const unsigned stride_width = 1;  // horizontal step, in pixels
};

// A folded layer's registers: the input, which turns by simd values per cycle, and pe accumulators.
template <typename CONFIG_T> struct xnor_state {
    ap_uint<CONFIG_T::n_in> plane[CONFIG_T::planes];
    typename CONFIG_T::accum_t sum[CONFIG_T::pe];
};

// The lowest bits become the highest; a word that turns through all its bits is as before.
template <unsigned N, unsigned BITS> void turn(ap_uint<N> &word) {
    #pragma HLS INLINE
    if (BITS < N) {
        ap_uint<N> low = word << (N - BITS);
        word >>= BITS % N;
        word |= low;
    }
}

// A word of the input comes in; the first word ends up lowest.
template <typename CONFIG_T>
void take_word(xnor_state<CONFIG_T> &state, const packed<CONFIG_T::n_chan, CONFIG_T::planes> &word) {
    #pragma HLS INLINE
    for (unsigned b = 0; b < CONFIG_T::planes; b++) {
        #pragma HLS UNROLL
        turn<CONFIG_T::n_in, CONFIG_T::n_chan>(state.plane[b]);
        state.plane[b].range(CONFIG_T::n_in - 1, CONFIG_T::n_in - CONFIG_T::n_chan) = word.plane[b];
    }
}

template <typename CONFIG_T>
void xnor_cycle(xnor_state<CONFIG_T> &state, unsigned neuron_fold, unsigned synapse_fold,
                typename CONFIG_T::weight_t weights[CONFIG_T::reuse_factor * CONFIG_T::pe],
                typename CONFIG_T::accum_t starts[CONFIG_T::n_out]) {
    #pragma HLS INLINE
    ap_uint<CONFIG_T::simd> inputs[CONFIG_T::planes];
    #pragma HLS ARRAY_PARTITION variable=inputs complete
    for (unsigned b = 0; b < CONFIG_T::planes; b++) {
        #pragma HLS UNROLL
        inputs[b] = state.plane[b];
        turn<CONFIG_T::n_in, CONFIG_T::simd>(state.plane[b]);
    }
    const unsigned word = neuron_fold * (CONFIG_T::n_in / CONFIG_T::simd) + synapse_fold;
    for (unsigned p = 0; p < CONFIG_T::pe; p++) {
        #pragma HLS UNROLL
        ap_uint<bits_of<CONFIG_T::simd>::value + CONFIG_T::planes + CONFIG_T::shift> hits =
            hits_of<CONFIG_T::simd, CONFIG_T::planes>(inputs, weights[word * CONFIG_T::pe + p]);
        if (CONFIG_T::shift > 0)
            hits <<= CONFIG_T::shift;
        NNET_XNOR_OPERATOR(add, CONFIG_T::accum_t::width);
        NNET_XNOR_OPERATOR(select, CONFIG_T::accum_t::width);
        if (synapse_fold == 0)
            state.sum[p] = starts[neuron_fold * CONFIG_T::pe + p];
        state.sum[p] += hits;
    }
}

// What a layer gives, pe neurons at a time, first ones first: bits of +1/-1 ...
template <typename CONFIG_T, unsigned N> void collect(packed<N, 1> &word, const xnor_state<CONFIG_T> &state) {
    #pragma HLS INLINE
    ap_uint<CONFIG_T::pe> fires;
    for (unsigned p = 0; p < CONFIG_T::pe; p++) {
        #pragma HLS UNROLL
        fires[p] = !state.sum[p][CONFIG_T::accum_t::width - 1];
    }
    ap_uint<N> rest = CONFIG_T::pe == N ? ap_uint<N>(0) : ap_uint<N>(word.plane[0] >> CONFIG_T::pe);
    word.plane[0] = rest | (ap_uint<N>(fires) << (N - CONFIG_T::pe));
}

// ... or the sums themselves, whose bits are those of the result type.
template <typename CONFIG_T, class T, unsigned N> void collect(array<T, N> &word, const xnor_state<CONFIG_T> &state) {
    #pragma HLS INLINE
    for (unsigned i = 0; i < N; i++) {
        #pragma HLS UNROLL
        if (i + CONFIG_T::pe < N)
            word[i] = word[i + CONFIG_T::pe];
        else {
            ap_uint<T::width> bits = state.sum[i + CONFIG_T::pe - N].range(T::width - 1, 0);
            word[i].range(T::width - 1, 0) = bits;
        }
    }
}

// One cycle, and at the end of a neuron's inputs what the neurons give.
template <typename CONFIG_T>
void xnor_fold(xnor_state<CONFIG_T> &state, typename CONFIG_T::word_t &word, unsigned neuron_fold,
               unsigned synapse_fold, typename CONFIG_T::weight_t weights[CONFIG_T::reuse_factor * CONFIG_T::pe],
               typename CONFIG_T::accum_t starts[CONFIG_T::n_out]) {
    #pragma HLS INLINE
    xnor_cycle<CONFIG_T>(state, neuron_fold, synapse_fold, weights, starts);
    if (synapse_fold == CONFIG_T::n_in / CONFIG_T::simd - 1)
        collect<CONFIG_T>(word, state);
}

// Products of the weight matrix with n_vectors inputs of n_words words each; words come first inputs first.
template <typename CONFIG_T, class source_T, class sink_T>
void xnor_products(source_T data, sink_T res,
                   typename CONFIG_T::weight_t weights[CONFIG_T::reuse_factor * CONFIG_T::pe],
                   typename CONFIG_T::accum_t starts[CONFIG_T::n_out]) {
    #pragma HLS INLINE
    const unsigned pe = CONFIG_T::pe;
    // one ROM, whose words hold simd weights of each of pe neurons, and one for their start values
    #pragma HLS ARRAY_RESHAPE variable=weights cyclic factor=pe dim=1
    #pragma HLS ARRAY_RESHAPE variable=starts cyclic factor=pe dim=1
    if (CONFIG_T::rom_in_bram) {
#ifdef __VITIS_HLS__
        #pragma HLS BIND_STORAGE variable=weights type=rom_1p impl=bram
#else
        #pragma HLS RESOURCE variable=weights core=ROM_1P_BRAM
#endif
    } else {
#ifdef __VITIS_HLS__
        #pragma HLS BIND_STORAGE variable=weights type=rom_1p impl=lutram
#else
        #pragma HLS RESOURCE variable=weights core=ROM_1P_LUTRAM
#endif
    }
    const unsigned neuron_folds = CONFIG_T::n_out / pe;
    const unsigned synapse_folds = CONFIG_T::n_in / CONFIG_T::simd;
    xnor_state<CONFIG_T> state;
    #pragma HLS ARRAY_PARTITION variable=state.plane complete
    #pragma HLS ARRAY_PARTITION variable=state.sum complete
    typename CONFIG_T::word_t word;

TakeWords:
    for (unsigned i = 0; CONFIG_T::n_words > 1 && i < CONFIG_T::n_words; i++) {
        #pragma HLS PIPELINE II=1
        take_word<CONFIG_T>(state, read_word(data, i));
    }
Vectors:
    for (unsigned vector = 0; vector < CONFIG_T::n_vectors; vector++) {
    NeuronFolds:
        for (unsigned neuron_fold = 0; neuron_fold < neuron_folds; neuron_fold++) {
        SynapseFolds:
            for (unsigned synapse_fold = 0; synapse_fold < synapse_folds; synapse_fold++) {
                #pragma HLS PIPELINE II=1
                if (CONFIG_T::n_words == 1 && neuron_fold == 0 && synapse_fold == 0)
                    take_word<CONFIG_T>(state, read_word(data, vector));
                xnor_fold<CONFIG_T>(state, word, neuron_fold, synapse_fold, weights, starts);
                if (neuron_fold == neuron_folds - 1 && synapse_fold == synapse_folds - 1)
                    write_word(res, vector, word);
            }
        }
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void xnor_dense(data_T data[CONFIG_T::n_words], res_T *res,
                typename CONFIG_T::weight_t weights[CONFIG_T::reuse_factor * CONFIG_T::pe],
                typename CONFIG_T::accum_t starts[CONFIG_T::n_out]) {
    xnor_products<CONFIG_T, data_T *, res_T *>(data, res, weights, starts);
}

template <class data_T, class res_T, typename CONFIG_T>
void xnor_dense(hls::stream<data_T> &data, hls::stream<res_T> &res,
                typename CONFIG_T::weight_t weights[CONFIG_T::reuse_factor * CONFIG_T::pe],
                typename CONFIG_T::accum_t starts[CONFIG_T::n_out]) {
    xnor_products<CONFIG_T, hls::stream<data_T> &, hls::stream<res_T> &>(data, res, weights, starts);
}

} // namespace nnet

#endif
