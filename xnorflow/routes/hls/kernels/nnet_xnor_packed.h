// SPDX-License-Identifier: MIT
// Packed values, the popcount of a word, and words in and out of arrays and streams.

#ifndef NNET_XNOR_PACKED_H_
#define NNET_XNOR_PACKED_H_

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

#ifndef __SYNTHESIS__
// Inputs whose bit equals that of their weight, for C simulation: 64 at a time.
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
#endif

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

} // namespace nnet

#endif
