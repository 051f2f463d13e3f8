// XNOR-popcount kernels for binary layers in hls4ml projects (docs/kernels.md of xnorflow).
//
// A value is B bits; bit planes travel packed. An XNOR with a weight bit turns plane p of value x into a
// hit worth 2^p, so a neuron's sum is step * hits + constant, whatever B is. The constant and the
// threshold are the start value of the accumulator: a hidden neuron is +1 where it ends at 0 or above.
//
// C++ as Vivado HLS 2019 reads it (CONTRIBUTING.md): C++11 without constexpr, auto or lambdas.

#ifndef NNET_XNOR_H_
#define NNET_XNOR_H_

#include "ap_int.h"
#include "hls_stream.h"
#include "nnet_helpers.h"
#include "nnet_types.h"
#include <cstddef>

#ifdef NNET_XNOR_COUNT
#include "nnet_xnor_count.h" // a test counts the operators of one cycle with it
#else
#define NNET_XNOR_OPERATOR(kind, bits)
#endif

namespace nnet {

// N values of B bits: plane p holds bit p of every value. With B = 1 a set bit is +1 and a clear one -1.
template <unsigned N, unsigned B> struct packed {
    typedef ap_uint<B> value_type;
    static const unsigned size = N;

    ap_uint<N> plane[B];

    value_type operator[](size_t i) const {
        value_type value = 0;
        for (unsigned b = 0; b < B; b++) {
            #pragma HLS UNROLL
            value[b] = plane[b][i];
        }
        return value;
    }
};

// Bits of a count from 0 to N.
template <unsigned N> struct bits_of { static const unsigned value = 1 + bits_of<N / 2>::value; };
template <> struct bits_of<0> { static const unsigned value = 0; };

// Number of set bits: groups of six bits into three (a 6:3 counter is three LUT6), then a balanced tree of adders.
template <unsigned N, bool SMALL = (N <= 6)> struct count_tree;

template <unsigned N> struct count_tree<N, true> {
    typedef ap_uint<bits_of<N>::value> count_t;

    static count_t of(ap_uint<N> bits) {
        #pragma HLS INLINE
        NNET_XNOR_OPERATOR(counter, N);
        ap_uint<6> b = bits;
        ap_uint<1> sum_low = b[0] ^ b[1] ^ b[2];
        ap_uint<1> sum_high = b[3] ^ b[4] ^ b[5];
        ap_uint<1> carry_low = (b[0] & b[1]) | (b[2] & (b[0] ^ b[1]));
        ap_uint<1> carry_high = (b[3] & b[4]) | (b[5] & (b[3] ^ b[4]));
        ap_uint<1> carry = sum_low & sum_high;
        ap_uint<3> count;
        count[0] = sum_low ^ sum_high;
        count[1] = carry_low ^ carry_high ^ carry;
        count[2] = (carry_low & carry_high) | (carry & (carry_low ^ carry_high));
        return count;
    }
};

template <unsigned N> struct count_tree<N, false> {
    typedef ap_uint<bits_of<N>::value> count_t;
    // half of the groups of six on each side
    static const unsigned LOW = 6 * (((N + 5) / 6 + 1) / 2);

    static count_t of(ap_uint<N> bits) {
        #pragma HLS INLINE
        ap_uint<LOW> low = bits.range(LOW - 1, 0);
        ap_uint<N - LOW> high = bits.range(N - 1, LOW);
        count_t left = count_tree<LOW>::of(low);
        count_t right = count_tree<N - LOW>::of(high);
        NNET_XNOR_OPERATOR(add, bits_of<N>::value);
        return left + right;
    }
};

// Set bits of a word of any size. Three bits go into a sum and a carry first: with the XNOR of three inputs and
// weights each is one LUT6.
template <unsigned N> typename count_tree<N>::count_t compress(ap_uint<N> bits) {
    #pragma HLS INLINE
    const unsigned third = (N + 2) / 3;
    ap_uint<third> a = bits;
    ap_uint<third> b = bits >> third;
    ap_uint<third> c = bits >> (2 * third);
    NNET_XNOR_OPERATOR(full_adder, third);
    ap_uint<third> sum = a ^ b ^ c;
    ap_uint<third> carry = (a & b) | (c & (a ^ b));
    typename count_tree<N>::count_t ones = count_tree<third>::of(sum);
    typename count_tree<N>::count_t twos = count_tree<third>::of(carry);
    NNET_XNOR_OPERATOR(add, bits_of<N>::value);
    return ones + (twos << 1);
}

// Inputs whose bit equals that of their weight.
template <unsigned N> unsigned count_equal(const ap_uint<N> &inputs, const ap_uint<N> &weights) {
    if (N <= 64) {
        const unsigned long long mask = ~0ULL >> (N <= 64 ? 64 - N : 0);
        return __builtin_popcountll(~(inputs.to_uint64() ^ weights.to_uint64()) & mask);
    }
    ap_uint<N> differ = inputs ^ weights;
    unsigned count = N;
    for (unsigned low = 0; low < N; low += 64) {
        count -= __builtin_popcountll(differ.to_uint64());
        differ = low + 64 < N ? ap_uint<N>(differ >> (N > 64 ? 64 : 0)) : ap_uint<N>(0);
    }
    return count;
}

// Hits of N inputs with B planes: as hardware, and the same number as fast C simulation (a test proves them equal).
template <unsigned N, unsigned B>
ap_uint<bits_of<N>::value + B> hits_of(const ap_uint<N> inputs[B], const ap_uint<N> &weights) {
    #pragma HLS INLINE
#if defined(__SYNTHESIS__) || defined(NNET_XNOR_TREE)
    ap_uint<bits_of<N>::value + B> hits = 0;
    for (unsigned b = 0; b < B; b++) {
        #pragma HLS UNROLL
        NNET_XNOR_OPERATOR(xor_, N);
        ap_uint<N> equal = ~(inputs[b] ^ weights);
        ap_uint<bits_of<N>::value + B> weighted = compress<N>(equal);
        if (b > 0) {
            NNET_XNOR_OPERATOR(add, bits_of<N>::value + b);
        }
        hits += weighted << b;
    }
    return hits;
#else
    unsigned hits = 0;
    for (unsigned b = 0; b < B; b++)
        hits += count_equal<N>(inputs[b], weights) << b;
    return hits;
#endif
}

// --- words in and out of arrays (io_parallel) and streams (io_stream)

template <class word_T> word_T read_word(word_T *data, unsigned i) {
    #pragma HLS INLINE
    return data[i];
}

template <class word_T> word_T read_word(hls::stream<word_T> &data, unsigned) {
    #pragma HLS INLINE
    return data.read();
}

template <unsigned N, unsigned B> void write_word(packed<N, B> *result, unsigned i, const packed<N, B> &word) {
    #pragma HLS INLINE
    result[i] = word;
}

template <class T, unsigned N> void write_word(T *result, unsigned i, const array<T, N> &word) {
    #pragma HLS INLINE
    for (unsigned k = 0; k < N; k++) {
        #pragma HLS UNROLL
        result[i * N + k] = word[k];
    }
}

template <class word_T> void write_word(hls::stream<word_T> &result, unsigned, const word_T &word) {
    #pragma HLS INLINE
    result.write(word);
}

// --- one cycle of a layer

struct xnor_config {
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
    static const bool rom_in_bram = false;
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

// --- layers

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

// --- between packed words and the values of other layers

// The highest B bits of a number, counted from the lowest number of its type: with B = 1, whether it is >= 0.
template <unsigned B, bool SIGNED, class value_T> ap_uint<B> planes_of(value_T value) {
    #pragma HLS INLINE
    ap_uint<value_T::width> bits = value.range(value_T::width - 1, 0);
    if (SIGNED)
        bits[value_T::width - 1] = !bits[value_T::width - 1];
    return bits >> (value_T::width - B);
}

template <class data_T, class res_T, typename CONFIG_T>
void xnor_pack(data_T data[CONFIG_T::n_words * CONFIG_T::n_chan], res_T res[CONFIG_T::n_words]) {
    for (unsigned i = 0; i < CONFIG_T::n_words; i++) {
        #pragma HLS PIPELINE II=1
        res_T word;
        for (unsigned k = 0; k < CONFIG_T::n_chan; k++) {
            #pragma HLS UNROLL
            ap_uint<CONFIG_T::planes> value =
                planes_of<CONFIG_T::planes, CONFIG_T::is_signed>(data[i * CONFIG_T::n_chan + k]);
            for (unsigned b = 0; b < CONFIG_T::planes; b++) {
                #pragma HLS UNROLL
                word.plane[b][k] = value[b];
            }
        }
        res[i] = word;
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void xnor_pack(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    for (unsigned i = 0; i < CONFIG_T::n_words; i++) {
        #pragma HLS PIPELINE II=1
        data_T values = data.read();
        res_T word;
        for (unsigned k = 0; k < CONFIG_T::n_chan; k++) {
            #pragma HLS UNROLL
            ap_uint<CONFIG_T::planes> value = planes_of<CONFIG_T::planes, CONFIG_T::is_signed>(values[k]);
            for (unsigned b = 0; b < CONFIG_T::planes; b++) {
                #pragma HLS UNROLL
                word.plane[b][k] = value[b];
            }
        }
        res.write(word);
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void xnor_unpack(data_T data[CONFIG_T::n_words], res_T res[CONFIG_T::n_words * CONFIG_T::n_chan]) {
    for (unsigned i = 0; i < CONFIG_T::n_words; i++) {
        #pragma HLS PIPELINE II=1
        for (unsigned k = 0; k < CONFIG_T::n_chan; k++) {
            #pragma HLS UNROLL
            res[i * CONFIG_T::n_chan + k] = data[i].plane[0][k] ? 1 : -1;
        }
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void xnor_unpack(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    for (unsigned i = 0; i < CONFIG_T::n_words; i++) {
        #pragma HLS PIPELINE II=1
        data_T word = data.read();
        res_T values;
        for (unsigned k = 0; k < CONFIG_T::n_chan; k++) {
            #pragma HLS UNROLL
            values[k] = word.plane[0][k] ? 1 : -1;
        }
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
