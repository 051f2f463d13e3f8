// SPDX-License-Identifier: MIT
// XNOR-popcount kernels for binary layers in hls4ml projects (docs/kernels.md of xnorflow).
//
// A value is B bits; bit planes travel packed. An XNOR with a weight bit turns plane p of value x into a
// hit worth 2^p, so a neuron's sum is step * hits + constant, whatever B is. The constant and the
// threshold are the start value of the accumulator: a hidden neuron is +1 where it ends at 0 or above.
//
// C++ as Vivado HLS 2019 reads it (CONTRIBUTING.md): C++11 without constexpr, auto or lambdas.

#ifndef NNET_XNOR_H_
#define NNET_XNOR_H_

#include "nnet_xnor_packed.h"
#include "nnet_xnor_dense.h"
#include "nnet_xnor_conv.h"
#include "nnet_xnor_convert.h"
#include "nnet_xnor_softmax.h"

#endif
